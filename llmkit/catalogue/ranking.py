"""Which models look most like another one, where no table says what is comparable."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from math import log10

from ..types import Capability, Usage
from . import lifecycle, prices
from .entry import Catalogue, ModelEntry
from .needs import facts

LEVELS = {"nano": 0, "small": 1, "medium": 2, "flagship": 3}
SPECIAL = ("code", "vision", "reasoning", "embedding")
# Measured on the curated table (2026-11-25, 282 pairs of peers that both live, at the four makers):
# the peer comes first in 46 of 100 cases and among the first three in 78; without class in 20 and
# 49, without price in 43 and 65, without age in 39 and 73. A suggestion, therefore, and no more.
PER_CLASS = 1.8
OTHER_SPECIALITY = 3.5
PER_YEAR = 1.5
PER_TENFOLD_PRICE = 1.1
LOSES = 0.5  # a smaller window, or vision or reasoning that the other one has
UNKNOWN_AGE_YEARS = 1.0

Place = tuple[str, str]  # a provider and an id there


def ranked(
    catalogue: Catalogue, like: Place, among: Iterable[Place], on: date
) -> tuple[Place, ...]:
    """*among* with what looks most like *like* first; equal ones by their names."""
    price = _price(catalogue, like)  # once, for a table of prices is slow to ask
    return tuple(
        sorted(among, key=lambda place: (_distance(catalogue, like, price, place, on), place))
    )


def _distance(
    catalogue: Catalogue, like: Place, price: float | None, other: Place, on: date
) -> float:
    """How little the two models have in common; *price* is that of *like*."""
    theirs, ours = (facts(catalogue, *place) for place in (other, like))
    return (
        _class_distance(kind_of(catalogue, *like), kind_of(catalogue, *other))
        + PER_YEAR * _age(theirs, on)
        + PER_TENFOLD_PRICE * _price_distance(price, _price(catalogue, other))
        + LOSES * _losses(ours, theirs)
    )


def kind_of(catalogue: Catalogue, provider: str, model: str) -> str | None:
    """The class of an id, None where none is known."""
    for entry in lifecycle.entries_of(catalogue, provider, model):
        if entry.kind is not None:
            return entry.kind
    named = catalogue.peers.get(provider, {}).get(model, ())
    return named[0].kind if named else None


def class_change(catalogue: Catalogue, asked: Place, chosen: Place) -> int | None:
    """Steps from one class to the other, None where one of them is not in their order."""
    here, there = (LEVELS.get(kind_of(catalogue, *place) or "") for place in (asked, chosen))
    return None if here is None or there is None else there - here


def _class_distance(ours: str | None, theirs: str | None) -> float:
    if ours == theirs:
        return 0.0
    special = OTHER_SPECIALITY if ours in SPECIAL or theirs in SPECIAL else 0.0
    here, there = (LEVELS.get(kind or "", LEVELS["medium"]) for kind in (ours, theirs))
    return PER_CLASS * abs(here - there) + special


def _age(entry: ModelEntry | None, on: date) -> float:
    if entry is None or entry.released is None:
        return UNKNOWN_AGE_YEARS
    return max(0.0, (on - entry.released).days / 365.25)


def _price(catalogue: Catalogue, place: Place) -> float | None:
    # A usual request: a larger one would be priced by the higher tier that some have.
    cost = prices.cost(*place, Usage(1_000, 1_000), on=None, catalogue=catalogue)
    return cost.usd if cost else None


def _price_distance(ours: float | None, theirs: float | None) -> float:
    return abs(log10(theirs / ours)) if ours and theirs else 1.0


def _losses(ours: ModelEntry | None, theirs: ModelEntry | None) -> int:
    if ours is None:
        return 0
    wanted = ours.capabilities & {Capability.VISION, Capability.REASONING}
    lost = len(wanted - (theirs.capabilities if theirs else frozenset()))
    here, there = (entry.input_limit if entry else None for entry in (ours, theirs))
    return lost + (here is not None and (there or 0) < here)
