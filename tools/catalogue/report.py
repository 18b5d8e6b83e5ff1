"""Reports which ids of the shipped catalogue are retired, end soon or are unverified."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta

from llmkit.catalogue import lifecycle
from llmkit.catalogue.entry import Catalogue, normal
from llmkit.types import Lifecycle

SOON = timedelta(days=180)
Place = tuple[str, str]


def report(catalogue: Catalogue, on: date) -> str:
    """Returns the report as of *on*; ids of standard names and classes come first."""
    used = sorted(_used(catalogue))
    rest = sorted({(p, i) for p, rows in catalogue.models.items() for i in rows} - set(used))
    parts = [f"The catalogue of {catalogue.as_of}, on {on}."]
    for title, places in (("standard names and classes lead to", used), ("other", rest)):
        parts += [
            _part(f"retired: {title}", [_gone(catalogue, p, on) for p in places]),
            _part(f"ends within {SOON.days} days: {title}",
                  [_ending(catalogue, p, on) for p in places]),
            _part(f"unverified: {title}", [_unverified(catalogue, p, on) for p in places]),
        ]  # fmt: skip
    parts.append(_part("unverified: aliases", list(_loose(catalogue))))
    return "\n\n".join(parts)


def _used(catalogue: Catalogue) -> set[Place]:
    """Returns every id of a standard name or a class."""
    named = (name.peers for name in catalogue.names.values())
    return {
        (provider, model)
        for peers in (*named, *catalogue.classes.values())
        for provider, ids in peers.items()
        for model in ids
    }


def _part(title: str, lines: list[str | None]) -> str:
    found = [f"  {line}" for line in lines if line]
    return "\n".join([f"{len(found)} {title}", *found])


def _gone(catalogue: Catalogue, place: Place, on: date) -> str | None:
    state = lifecycle.lifecycle_of(catalogue, *place, on)
    if state not in lifecycle.GONE:
        return None
    day = lifecycle.retires_on(catalogue, *place)
    live, rule = lifecycle.next_live(catalogue, *place, on, _kind(catalogue, place))
    return f"{':'.join(place)} {state} since {day or '?'} -> {live or 'nothing'} ({rule})"


def _ending(catalogue: Catalogue, place: Place, on: date) -> str | None:
    day = lifecycle.retires_on(catalogue, *place)
    if day is None or not on < day <= on + SOON:
        return None
    following = list(lifecycle.successors(catalogue, *place))
    return f"{':'.join(place)} on {day} -> {' -> '.join(following) or 'nothing is named'}"


def _unverified(catalogue: Catalogue, place: Place, on: date) -> str | None:
    if lifecycle.lifecycle_of(catalogue, *place, on) is not Lifecycle.UNKNOWN:
        return None
    entry = next(lifecycle.entries_of(catalogue, *place), None)
    return f"{':'.join(place)}: {entry.source if entry else 'no row'}"


def _loose(catalogue: Catalogue) -> Iterator[str]:
    for aliases in catalogue.aliases.values():
        for alias in aliases.values():
            if "not verified" in alias.source or "may move" in alias.source:
                yield f"{alias.provider}:{alias.alias} -> {alias.target}: {alias.source}"


def _kind(catalogue: Catalogue, place: Place) -> str | None:
    entry = catalogue.entry(*place)
    own = catalogue.names.get(normal(place[1]))
    return own.kind if own else entry.kind if entry else None
