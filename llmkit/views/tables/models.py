"""Builds the tables of standard names and the models they resolve to at each provider."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from itertools import groupby

from ...catalogue.lifecycle import Successor
from ...types import Lifecycle
from .table import Line, Table, TableCell, TableColumn
from .units import tokens

Row = Mapping[str, object]

LIFECYCLES = {
    "active": ("●", "good"),
    "deprecated": ("◐", "warn"),
    "retired": ("✗", "bad"),
    "rerouted": ("↪", "warn"),
    "unknown": ("?", "soft"),
}
LIVING = ("active", "deprecated", "unknown")
ALIVE = "callable today"
RULES = {
    "same": "still available",
    "official-successor": "named by its provider",
    "vendor-successor": "named by its maker",
    "class-default": "today's pick of its class",
}
FIRST = (
    TableColumn("name", fixed=True),
    TableColumn("state", fixed=True),
    TableColumn("capabilities", spare=1),
    TableColumn("context", number=True),
    TableColumn("US$/M in / out", number=True, spare=1),
    TableColumn("class", spare=2),
)
LONG = (
    TableColumn("name"),
    TableColumn("provider"),
    TableColumn("then"),
    TableColumn("state"),
    TableColumn("today"),
    TableColumn("US$/M in / out", number=True),
    TableColumn("context", number=True),
)


def models_table(rows: Sequence[Row]) -> Table:
    """Returns one line for each standard name, with one column for each provider."""
    providers = list(dict.fromkeys(str(row["provider"]) for row in rows))
    columns = (*FIRST, *(TableColumn(name, spare=3) for name in providers))
    lines = tuple(_wide(name, group, providers) for name, group in by_name(rows))
    return Table("Models", columns, lines, "no matching models", LEGEND)


def models_list(rows: Sequence[Row]) -> Table:
    """Returns one line for each name at each provider, for a terminal."""
    lines = [_long(row, first=not i) for _, group in by_name(rows) for i, row in enumerate(group)]
    return Table("Models", LONG, tuple(lines), "no matching models")


def equivalents_table(
    name: str, rows: Sequence[Row], ways: Mapping[str, Sequence[Successor]]
) -> Table:
    """Returns the original model of *name* at each provider, and the one to call today.

    *ways* has the chain of successors between them, by provider.
    """
    lines = tuple(_equivalent(row, ways.get(str(row["provider"]), ())) for row in rows)
    return Table(f"{name}: then and today", EQUIVALENTS, lines)


def why_table(reasons: Mapping[str, str]) -> Table:
    """Returns what is sent to each provider for a name, and why."""
    lines = tuple(Line(p, (TableCell(p), TableCell(words))) for p, words in reasons.items())
    return Table("Why", (TableColumn("provider"), TableColumn("what is sent", text=False)), lines)


def picked(
    rows: Sequence[Row], filter: str = "", chips: Collection[str] = ()
) -> list[tuple[str, list[Row]]]:
    """Returns the names that match every word of *filter* and have all of *chips* as tags.

    The name and its class are searched first. The ids at all providers are searched only if nothing
    matches, because nearly every name has a peer whose id contains gemini.
    """
    words = filter.lower().split()
    groups = [(n, g) for n, g in by_name(rows) if set(chips) <= set(tags(n, g))]
    for text in (_own_words, _all_words):
        matches = [(n, g) for n, g in groups if all(word in text(n, g) for word in words)]
        if matches:
            return matches
    return []


def words_of(rows: Sequence[Row]) -> dict[str, list[str]]:
    """Returns the two texts of each name that `picked` searches, for `static/models.js`."""
    return {name: [_own_words(name, g), _all_words(name, g)] for name, g in by_name(rows)}


def tags(name: str, rows: Sequence[Row]) -> list[str]:
    """Returns the capabilities of a name at its maker, and `ALIVE` if it can be called there."""
    own = home(name, rows)
    capabilities = [tag for tag in str(own["capabilities"] or "").split(", ") if tag]
    return [*capabilities, *([ALIVE] if own["lifecycle"] in LIVING else [])]


def by_name(rows: Sequence[Row]) -> list[tuple[str, list[Row]]]:
    """Groups consecutive rows of the same standard name."""
    groups = groupby(rows, key=lambda row: str(row["name"]))
    return [(name, list(group)) for name, group in groups]


def home(name: str, rows: Sequence[Row]) -> Row:
    """Returns the row of the model's maker, or Ollama's row for a model with open weights."""
    dashed_name = name.lower().replace(".", "-")
    own = [row for row in rows if dashed_name in str(row["id"]).lower().replace(".", "-")]
    makers = [row for row in own if row.get("provider_kind") == "maker"]
    ollama = [row for row in rows if row["provider"] == "ollama"]
    return (makers or own or ollama or list(rows))[0]


def badge(row: Row) -> TableCell:
    """Returns the lifecycle of an id as symbol and word, with its retirement date."""
    state, day = str(row["lifecycle"]), row.get("retires_on")
    glyph, tone = LIFECYCLES.get(state, LIFECYCLES["unknown"])
    word = f"retires {day}" if state == "deprecated" and day else state
    since = f" since {day}" if state in ("retired", "rerouted") and day else ""
    return TableCell(f"{glyph} {word}", tone, f"{row['id']}: {state}{since}")


def price(row: Row) -> str:
    """Formats the US dollars per million tokens of input and of output."""
    both = [row.get("input_usd_per_million"), row.get("output_usd_per_million")]
    if not all(isinstance(usd, int | float) for usd in both):
        return "–"
    return " / ".join(f"{usd:.3g}" for usd in both)


EQUIVALENTS = (
    TableColumn("provider"),
    TableColumn("then", spare=1),
    TableColumn("state", fixed=True),
    TableColumn("today"),
    TableColumn("reason", spare=1),
    TableColumn("successors", text=False),
    TableColumn("context", number=True, spare=2),
    TableColumn("US$/M in / out", number=True, spare=2),
)
LEGEND = " · ".join(f"{glyph} {word}" for word, (glyph, _) in LIFECYCLES.items())


def _wide(name: str, rows: Sequence[Row], providers: Sequence[str]) -> Line:
    own = home(name, rows)
    there = {str(row["provider"]): row for row in rows}
    cells = [
        TableCell(name, title=str(own["id"])),
        badge(own),
        TableCell(str(own["capabilities"] or "–")),
        TableCell(tokens(own["max_input"])),
        TableCell(price(own)),
        TableCell(str(own["class"])),
        *(_peer(there.get(provider)) for provider in providers),
    ]
    return Line(name, tuple(cells))


def _peer(row: Row | None) -> TableCell:
    if row is None:
        return TableCell("")
    glyph, tone = LIFECYCLES.get(str(row["lifecycle"]), LIFECYCLES["unknown"])
    live = row.get("live")
    if live is None:
        today = "; no replacement is known"
    else:
        today = "" if live == row["id"] else f"; today {live}"
    return TableCell(f"{glyph} {row['id']}", tone, f"{badge(row).title}{today}")


def _equivalent(row: Row, way: Sequence[Successor]) -> Line:
    live = row.get("live")
    is_same = live == row["id"]
    steps = []
    for link in way:
        step = f"{LIFECYCLES[link.lifecycle][0]} {link.model}"
        if link.ends is not None:
            when = "until" if link.lifecycle is Lifecycle.DEPRECATED else "since"
            step += f" ({when} {link.ends})"
        steps.append(step)
    rule = str(row.get("live_rule") or "")
    cells = (
        TableCell(str(row["provider"])),
        TableCell(str(row["id"])),
        badge(row),
        TableCell("the same" if is_same else str(live or "none"), "" if live else "bad"),
        TableCell("" if is_same else RULES.get(rule, rule)),
        TableCell(" → ".join(steps) if len(steps) > 1 else ""),
        TableCell(tokens(row["max_input"])),
        TableCell(price(row)),
    )
    return Line(str(row["provider"]), cells)


def _long(row: Row, *, first: bool) -> Line:
    state = badge(row)
    live = row.get("live")
    cells = (
        TableCell(str(row["name"]) if first else ""),
        TableCell(str(row["provider"])),
        TableCell(str(row["id"])),
        TableCell(state.text, state.tone),
        TableCell("the same" if live == row["id"] else str(live or "none")),
        TableCell(price(row)),
        TableCell(tokens(row["max_input"])),
    )
    return Line(f"{row['name']} {row['provider']}", cells)


def _own_words(name: str, rows: Sequence[Row]) -> str:
    own = home(name, rows)
    return f"{name} {own['id']} {own['class']} {own['capabilities']}".lower()


def _all_words(name: str, rows: Sequence[Row]) -> str:
    ids = " ".join(f"{row['provider']}:{row['id']} {row['live'] or ''}" for row in rows)
    return f"{_own_words(name, rows)} {ids}".lower()
