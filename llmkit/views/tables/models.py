"""Builds the tables of standard names and the models they resolve to at each provider."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from itertools import groupby

from ...catalogue.lifecycle import Successor
from ...catalogue.resolution import RULES
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
NOTHING = TableCell("–")
FIRST = (
    TableColumn("name", fixed=True),
    TableColumn("state", fixed=True),
    TableColumn("capabilities", spare=1),
    TableColumn("context", number=True),
    TableColumn("US$/M in / out", number=True, spare=1),
    TableColumn("today: id, context, US$/M"),
    TableColumn("class", spare=2),
)
LONG = (
    TableColumn("name"),
    TableColumn("provider"),
    TableColumn("then"),
    TableColumn("state"),
    TableColumn("context", number=True),
    TableColumn("US$/M in / out", number=True),
    TableColumn("today: id, context, US$/M"),
)


def models_table(rows: Sequence[Row]) -> Table:
    """Returns one line for each standard name, with one column for each provider.

    The line has the facts of the maker's own model. Rows of one provider are a list instead, so
    that the facts are beside the ids that they belong to.
    """
    providers = list(dict.fromkeys(str(row["provider"]) for row in rows))
    if len(providers) == 1:
        return models_list(rows)
    columns = (*FIRST, *(TableColumn(name, spare=3) for name in providers))
    lines = tuple(_wide(name, group, providers) for name, group in by_name(rows))
    return Table("Models", columns, lines, "no matching models", LEGEND)


def models_list(rows: Sequence[Row]) -> Table:
    """Returns one line for each name at each provider, with the facts of the id there."""
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


def why_table(
    reasons: Mapping[str, str], sources: Mapping[str, str] | None = None, dates: str = ""
) -> Table:
    """Returns what is sent to each provider for a name, and why.

    *sources* has the source of a reason by provider. Each source stands once, below the table, with
    the mark that the reasons have; *dates* follows them.
    """
    marks: dict[str, str] = {}
    lines = []
    for provider, words in reasons.items():
        source = (sources or {}).get(provider)
        if source:
            words += f" {marks.setdefault(source, f'[{len(marks) + 1}]')}"
        lines.append(Line(provider, (TableCell(provider), TableCell(words))))
    columns = (TableColumn("provider"), TableColumn("what is sent", text=False))
    note = " ".join([*(f"{mark} {source}." for source, mark in marks.items()), dates])
    return Table("Why", columns, tuple(lines), note=note.strip())


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
    if own is None:
        return []
    capabilities = [tag for tag in str(own["capabilities"] or "").split(", ") if tag]
    return [*capabilities, *([ALIVE] if own["lifecycle"] in LIVING else [])]


def by_name(rows: Sequence[Row]) -> list[tuple[str, list[Row]]]:
    """Groups consecutive rows of the same standard name."""
    groups = groupby(rows, key=lambda row: str(row["name"]))
    return [(name, list(group)) for name, group in groups]


def home(name: str, rows: Sequence[Row]) -> Row | None:
    """Returns the row of the model of that name at its maker, or elsewhere; None for peers only."""
    dashed_name = name.lower().replace(".", "-")
    own = [row for row in rows if dashed_name in str(row["id"]).lower().replace(".", "-")]
    makers = [row for row in own if row.get("provider_kind") == "maker"]
    at_home = [row for row in rows if row["provider"] == row.get("home")]
    return next(iter(makers or own or at_home), None)


def badge(row: Row) -> TableCell:
    """Returns the lifecycle of an id as symbol and word, with its retirement date."""
    state, day = str(row["lifecycle"]), row.get("retires_on")
    glyph, tone = LIFECYCLES.get(state, LIFECYCLES["unknown"])
    word = f"retires {day}" if state == "deprecated" and day else state
    if state == "deprecated" and row.get("rerouted_to"):
        word = f"rerouted from {day}"
    since = f" since {day}" if state in ("retired", "rerouted") and day else ""
    return TableCell(f"{glyph} {word}", tone, f"{row['id']}: {state}{since}")


def today(row: Row) -> TableCell:
    """Returns the id to call today with its own window and price, or "the same" for the id itself.

    The facts of a replacement stand beside its id only, because they are not those of the row's id.
    """
    live = row.get("live")
    if live is None:
        return TableCell("none", "bad")
    if live == row["id"]:
        return TableCell("the same")
    facts = [tokens(row.get("live_max_input")), price(row, "live_")]
    return TableCell(" · ".join([str(live), *(fact for fact in facts if fact != "–")]))


def price(row: Row, prefix: str = "") -> str:
    """Formats the US dollars per million tokens of input and of output; *prefix* is "live_"
    for those of the id to call today.
    """
    both = [row.get(f"{prefix}{way}_usd_per_million") for way in ("input", "output")]
    if not all(isinstance(usd, int | float) for usd in both):
        return "–"
    return " / ".join(f"{usd:.3g}" for usd in both)


EQUIVALENTS = (
    TableColumn("provider"),
    TableColumn("then", spare=1),
    TableColumn("state", fixed=True),
    TableColumn("context", number=True, spare=2),
    TableColumn("US$/M in / out", number=True, spare=2),
    TableColumn("today: id, context, US$/M"),
    TableColumn("reason", spare=2),
    TableColumn("successors", text=False),
)
LEGEND = " · ".join(f"{glyph} {word}" for word, (glyph, _) in LIFECYCLES.items())


def _wide(name: str, rows: Sequence[Row], providers: Sequence[str]) -> Line:
    own = home(name, rows)
    there = {str(row["provider"]): row for row in rows}
    cells = [TableCell(name), *[NOTHING] * 5]
    if own is not None:
        cells = [
            TableCell(name, title=str(own["id"])),
            badge(own),
            TableCell(str(own["capabilities"] or "–")),
            TableCell(tokens(own["max_input"])),
            TableCell(price(own)),
            today(own),
        ]
    peers = (_peer(there.get(provider)) for provider in providers)
    return Line(name, (*cells, TableCell(str(rows[0]["class"])), *peers))


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
    is_same = row.get("live") == row["id"]
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
        TableCell(tokens(row["max_input"])),
        TableCell(price(row)),
        today(row),
        TableCell("" if is_same else RULES.get(rule, rule)),
        TableCell(" → ".join(steps) if len(steps) > 1 else ""),
    )
    return Line(str(row["provider"]), cells)


def _long(row: Row, *, first: bool) -> Line:
    state = badge(row)
    cells = (
        TableCell(str(row["name"]) if first else ""),
        TableCell(str(row["provider"])),
        TableCell(str(row["id"])),
        TableCell(state.text, state.tone),
        TableCell(tokens(row["max_input"])),
        TableCell(price(row)),
        today(row),
    )
    return Line(f"{row['name']} {row['provider']}", cells)


def _own_words(name: str, rows: Sequence[Row]) -> str:
    own = home(name, rows) or {}
    return f"{name} {own.get('id')} {rows[0]['class']} {own.get('capabilities')}".lower()


def _all_words(name: str, rows: Sequence[Row]) -> str:
    ids = " ".join(f"{row['provider']}:{row['id']} {row['live'] or ''}" for row in rows)
    return f"{_own_words(name, rows)} {ids}".lower()
