"""Writes models.json from the packages, corrected and completed by the hand-written rows."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import date
from pathlib import Path
from typing import Any

from llmkit.catalogue.names import base_of
from llmkit.providers.builtin import MODULES, provider_table

from .endings import Ending, endings
from .judgement import classed, date_of
from .listings import Listing, listings
from .packages import VERSIONS
from .validate import problems

HERE = Path(__file__).parent
TARGET = HERE.parents[1] / "llmkit" / "catalogue"
ORDER = (
    "provider", "id", "state", "family", "class", "released", "deprecated", "retires", "rerouted",
    "rerouted_to", "successor", "or", "context_total", "max_input", "max_output", "in", "out",
    "has", "lacks", "source", "read", "facts",
)  # fmt: skip
CAPABILITIES = ("vision", "tools", "json_schema", "reasoning", "embedding")
ENDING = ("deprecated", "retires", "rerouted", "rerouted_to", "successor", "or")
FACTS = ("context_total", "max_input", "max_output", "in", "out", "has", "lacks", "facts")

Row = dict[str, Any]
Rows = dict[tuple[str, str], Row]


def main(downloads: Path, target: Path = TARGET) -> None:
    """Builds models.json; the same packages and rows give the same bytes.

    Raises:
        SystemExit: The catalogue would have mistakes; the file is unchanged.
    """
    kept = json.loads((HERE / "curated.json").read_text(encoding="utf-8"))
    by_hand = ("equivalents", "classes", "aliases")
    files = {name: json.loads((target / f"{name}.json").read_bytes()) for name in by_hand}
    names, aliases = files["equivalents"]["names"], files["aliases"]["aliases"]
    rows = built(listings(downloads), endings(downloads), kept, names, aliases)
    text = written(rows, kept)
    mistakes = problems({**files, "models": json.loads(text)}, date.fromisoformat(kept["as_of"]))
    if mistakes:
        raise SystemExit("\n".join((*mistakes, "models.json was not written")))
    (target / "models.json").write_text(text, encoding="utf-8")
    print(f"{len(rows)} rows in {target / 'models.json'}")


def built(
    found: Iterable[Listing],
    ends: Iterable[Ending],
    kept: Mapping[str, Any],
    names: list[Row],
    aliases: list[Row],
) -> Rows:
    """Returns all rows, by provider and id."""
    rows = listed(found, kept["as_of"])
    ended(rows, ends)
    for row in kept["models"]:
        overlaid(rows, row, kept["as_of"])
    for row in kept["not_models"]:
        rows.pop((row["provider"], row["id"]), None)
    known = {(a["provider"], a["alias"]): a["target"] for a in aliases if a["kind"] != "short"}
    classed(rows, names)
    _end_with_their_snapshots(rows, known)
    _look_like_their_targets(rows, known)
    _name_only_what_is_there(rows, {(a["provider"], a["alias"]) for a in aliases})
    _doubt_what_its_maker_ended(rows, known)
    _spelled_once(rows)
    for row in rows.values():
        # A date takes precedence over a state that was listed before it.
        if row.get("retires") or row.get("rerouted"):
            row.pop("state", None)
    return rows


def listed(found: Iterable[Listing], as_of: str) -> Rows:
    """Returns one row for each id, from all packages that list it."""
    by_id: dict[tuple[str, str], list[Listing]] = {}
    for listing in found:
        by_id.setdefault((listing.provider, listing.id), []).append(listing)
    rows = {}
    for key, same in by_id.items():
        named = any(listing.state is not None for listing in same)
        # Hundreds of ids have only a price; they are left out.
        if named or (key[0] != "openrouter" and _is_worth_it(same)):
            rows[key] = _merged(key, same, as_of)
    return rows


def _is_worth_it(same: list[Listing]) -> bool:
    return any(listing.dated or listing.source != "genai-prices" for listing in same)


def _merged(key: tuple[str, str], same: list[Listing], as_of: str) -> Row:
    sources = [listing.source for listing in same]
    # Price tables round context windows, so they may only widen one, never narrow an input.
    inputs = [n for x in same for n in (x.max_input, x.source != "genai-prices" and x.total) if n]
    totals = [*inputs, *(x.total for x in same if x.total)] if any(x.total for x in same) else []
    has = {w: v for x in reversed(same) for w, v in x.has.items()}  # litellm, the first, wins
    embedding = any(listing.embedding for listing in same)
    row: Row = {
        "provider": key[0],
        "id": key[1],
        "state": _state(same),
        "open_weights": any(x.open_weights for x in same) or None,  # not written
        "released": next((x.released for x in same if x.released), None),
        "retires": next((x.retires for x in same if x.retires), None),
        "context_total": max(totals, default=None),
        "max_input": min(inputs, default=None) if any(x.max_input for x in same) else None,
        "max_output": min((x.max_output for x in same if x.max_output), default=None),
        "in": _words(same, "takes"),
        "out": _words(same, "gives"),
        "has": [w for w in CAPABILITIES if has.get(w) or (w == "embedding" and embedding)],
        "lacks": _lacks(has, embedding),
        "source": "litellm" if any(x.retires for x in same) else "listed",
        "read": as_of,
        "facts": " ".join(dict.fromkeys(sources)),
    }
    return _bare(row)


def _lacks(has: Mapping[str, bool], embedding: bool) -> list[str]:
    if embedding:
        return ["tools", "json_schema", "reasoning"]
    return [w for w in CAPABILITIES if has.get(w) is False or w == "embedding"]


def _state(same: list[Listing]) -> str:
    if any(x.state == "deprecated" for x in same):
        return "deprecated"
    sources = {x.source.partition("-")[0] for x in same}
    # Price tables keep retired ids, and one list may be outdated; two lists confirm an id.
    return "active" if "langchain" in sources or {"litellm", "genai"} <= sources else "unknown"


def _words(same: list[Listing], name: str) -> str:
    return " ".join(dict.fromkeys(word for x in same for word in getattr(x, name)))


def ended(rows: Rows, ends: Iterable[Ending]) -> None:
    """Adds the end of an id, from the providers' pages, to its row or to a new one."""
    for end in ends:
        key = (end.provider, end.id)
        if end.family and key not in rows:
            continue
        told: Row = {
            "provider": end.provider, "id": end.id, "deprecated": end.deprecated,
            "retires": end.retires, "source": end.source, "read": end.read,
        }  # fmt: skip
        if end.successors:
            told |= {"successor": end.successors[0], "or": list(end.successors[1:])}
        rows[key] = _bare({**rows.get(key, {}), **told})
        if not end.retires and end.deprecated:
            rows[key]["state"] = "deprecated"


def overlaid(rows: Rows, kept: Row, as_of: str) -> None:
    """Applies a hand-written row; null removes a wrong value of a package."""
    key = (kept["provider"], kept["id"])
    rows[key] = _bare({"read": as_of, **rows.get(key, {}), **kept})


def _end_with_their_snapshots(rows: Rows, known: Mapping[tuple[str, str], str]) -> None:
    """Gives an id without an end that of its newest snapshot, and a snapshot that of its base."""
    snapshots: dict[tuple[str, str], list[str]] = {}
    for provider, model in rows:
        base = base_of(model)
        if base and (provider, base) in rows and provider != "openrouter":
            snapshots.setdefault((provider, base), []).append(model)
    for (provider, base), dated in snapshots.items():
        newest = max(dated, key=date_of)
        if (provider, base) not in known:
            _take(rows[provider, base], rows[provider, newest])
        for model in dated if provider != "mistral" else ():  # whose bare names move
            _take(rows[provider, model], rows[provider, base])


def _look_like_their_targets(rows: Rows, known: Mapping[tuple[str, str], str]) -> None:
    """Copies the facts of its target to each rerouted name."""
    for provider, alias in known:
        here, there = rows.get((provider, alias)), rows.get(_concrete(provider, alias, known))
        if here is None or there is None:
            continue
        if any(there.get(name) for name in FACTS):
            for name in FACTS:
                here.pop(name, None)
            here |= {name: there[name] for name in FACTS if name in there}
        here |= {name: there[name] for name in ("family", "class") if name in there}
        states = {here.get("state"), there.get("state")}
        if states == {"active", "unknown"}:  # both names are the same model
            here["state"] = there["state"] = "active"
        _take(here, there)


def _concrete(provider: str, model: str, known: Mapping[tuple[str, str], str]) -> tuple[str, str]:
    while (provider, model) in known:
        model = known[provider, model]
    return provider, model


def _take(row: Row, other: Row) -> None:
    if any(row.get(name) for name in ENDING):
        if row.get("retires") == other.get("retires") and not row.get("successor"):
            row |= {n: other[n] for n in ("deprecated", "successor", "or") if n in other}
    elif any(other.get(name) for name in ENDING):
        row |= {n: other[n] for n in (*ENDING, "state", "source", "read") if n in other}


def _name_only_what_is_there(rows: Rows, aliases: set[tuple[str, str]]) -> None:
    """Removes successors that no package lists; hand-written rows name another one."""
    for (provider, model), row in rows.items():
        named = [n for n in (row.get("successor"), *row.get("or", ())) if n]
        there = [n for n in named if (provider, n) in rows or (provider, n) in aliases]
        if there != named:
            print(f"{provider}:{model}: no package lists {', '.join(set(named) - set(there))}")
        row.pop("successor", None)
        row.pop("or", None)
        if there:
            row |= {"successor": there[0], **({"or": there[1:]} if there[1:] else {})}


def _doubt_what_its_maker_ended(rows: Rows, known: Mapping[tuple[str, str], str]) -> None:
    """Marks ids at OpenRouter as unknown if their maker has shut them down."""
    makers = provider_table().makers
    for (provider, model), row in rows.items():
        maker, _, rest = model.partition("/")
        if provider != "openrouter" or row.get("state") != "active" or maker not in makers:
            continue
        if row.get("open_weights"):  # other providers may still serve it
            continue
        home = makers[maker]
        named = rest.split(":")[0]
        for spelling in (named, named.replace(".", "-")):
            own = rows.get((home, spelling)) or rows.get((home, known.get((home, spelling), "")))
            ends = own and own.get("retires")
            if ends and ends <= row["read"]:
                row |= {"state": "unknown", "source": "listed-then-ended"}
                break


def _spelled_once(rows: Rows) -> None:
    """Keeps the more common of two spellings of one id, such as 3.5 and 3-5."""
    seen: dict[tuple[str, str], tuple[str, str]] = {}
    for key in sorted(rows, key=lambda k: (-len(rows[k].get("facts", "").split()), "." in k[1], k)):
        form = (key[0], key[1].lower().replace(".", "-").replace("_", "-"))
        if form in seen:
            del rows[key]
        else:
            seen[form] = key


def _bare(row: Row) -> Row:
    return {name: value for name, value in row.items() if value not in (None, "", [])}


def written(rows: Rows, kept: Mapping[str, Any]) -> str:
    """Returns the text of the file: one row per line, in a fixed order."""
    sources = {key: text.format(**_worded()) for key, text in sorted(kept["sources"].items())}
    used = {word for row in rows.values() for word in (row["source"], *_facts(row))}
    head = {
        "as_of": kept["as_of"],
        "versions": VERSIONS,
        "sources": {key: text for key, text in sources.items() if key in used},
    }
    ordered = sorted(rows.values(), key=lambda r: (MODULES.index(r["provider"]), r["id"]))
    lines = ",\n".join(_line({n: row[n] for n in ORDER if n in row}) for row in ordered)
    return f'{_line(head)[:-1]},"models":[\n{lines}\n]}}\n'


def _facts(row: Row) -> list[str]:
    words: str = row.get("facts", "")
    return words.split()


def _line(value: Row) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _worded() -> dict[str, str]:
    return {name.replace("-", "_"): f"{name} {version}" for name, version in VERSIONS.items()}
