"""Which names begin like what a person has typed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date

from . import lifecycle
from .entry import Catalogue
from .lookup import BARE
from .names import SPELLINGS


def models(
    typed: str,
    catalogue: Catalogue,
    *,
    on: date,
    providers: Iterable[str] = (),
    own: Iterable[str] = (),
) -> list[str]:
    """Names that can be asked for and begin with *typed*, in alphabetical order.

    After "provider:" they are ids that live there; before it standard names, the person's own,
    what lives at the makers, and the providers themselves.
    """
    place, colon, _ = typed.partition(":")
    provider = SPELLINGS.get(place.lower(), place.lower())
    if colon and (provider in catalogue.models or provider in providers):
        known: Iterable[str] = (f"{place}:{name}" for name in _alive(catalogue, provider, on))
    else:
        names = (name.name for name in catalogue.names.values())
        ids = (name for place in BARE for name in _alive(catalogue, place, on))
        known = [*names, *own, *ids, *(f"{name}:" for name in providers)]
    return beginning(typed, known)


def beginning(typed: str, known: Iterable[str]) -> list[str]:
    """Those of *known* that begin with *typed*, whatever its case."""
    start = typed.lower()
    return sorted({name for name in known if name.lower().startswith(start)})


def _alive(catalogue: Catalogue, provider: str, on: date) -> Iterator[str]:
    for name in catalogue.models.get(provider, {}):
        if lifecycle.lifecycle_of(catalogue, provider, name, on) not in lifecycle.GONE:
            yield name
    for alias in catalogue.aliases.get(provider, {}).values():
        state = lifecycle.lifecycle_of(catalogue, provider, alias.target, on)
        if alias.kind != "short" and state not in lifecycle.GONE:
            yield alias.alias
