"""Ranks models by their similarity to another one, for those without a curated peer."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from math import log10

from ..types import Capability, Usage
from . import lifecycle, prices
from .entry import Catalogue
from .requirements import facts

LEVELS = {"nano": 0, "small": 1, "medium": 2, "flagship": 3}
SPECIAL = ("code", "vision", "reasoning", "embedding")
# Measured on the curated table (2026-11-25, 282 pairs of available peers at the four makers): the
# peer ranks first in 46 of 100 cases and among the first three in 78; without class in 20 and 49,
# without price in 43 and 65, without age in 39 and 73. The ranking is therefore only a suggestion.
PER_CLASS = 1.8
OTHER_SPECIALITY = 3.5
PER_YEAR = 1.5
PER_TENFOLD_PRICE = 1.1
LOSES = 0.5  # each: a smaller context window, missing vision, missing reasoning
UNKNOWN_AGE_YEARS = 1.0

Place = tuple[str, str]  # provider and id


def ranked(
    catalogue: Catalogue, like: Place, among: Iterable[Place], on: date
) -> tuple[Place, ...]:
    """Returns *among*, the most similar to *like* first, ties in alphabetical order."""
    price = _price(catalogue, like)  # once: the price table is slow
    return tuple(
        sorted(among, key=lambda place: (_distance(catalogue, like, price, place, on), place))
    )


def _distance(
    catalogue: Catalogue, like: Place, price: float | None, other: Place, on: date
) -> float:
    kinds = kind_of(catalogue, *like), kind_of(catalogue, *other)
    distance = 0.0
    if kinds[0] != kinds[1]:
        here, there = (LEVELS.get(kind or "", LEVELS["medium"]) for kind in kinds)
        distance += PER_CLASS * abs(here - there)
        if any(kind in SPECIAL for kind in kinds):
            distance += OTHER_SPECIALITY
    ours, theirs = facts(catalogue, *like), facts(catalogue, *other)
    years = UNKNOWN_AGE_YEARS
    if theirs is not None and theirs.released is not None:
        years = max(0.0, (on - theirs.released).days / 365.25)
    distance += PER_YEAR * years
    other_price = _price(catalogue, other)
    tenfolds = abs(log10(other_price / price)) if price and other_price else 1.0
    distance += PER_TENFOLD_PRICE * tenfolds
    if ours is not None:
        abilities = theirs.capabilities if theirs else frozenset()
        losses = len((ours.capabilities & {Capability.VISION, Capability.REASONING}) - abilities)
        window = (theirs.input_limit if theirs else None) or 0
        if ours.input_limit is not None and window < ours.input_limit:
            losses += 1
        distance += LOSES * losses
    return distance


def kind_of(catalogue: Catalogue, provider: str, model: str) -> str | None:
    """Returns the class of an id, None if unknown."""
    for entry in lifecycle.entries_of(catalogue, provider, model):
        if entry.kind is not None:
            return entry.kind
    standards = catalogue.peers.get(provider, {}).get(model, ())
    return standards[0].kind if standards else None


def class_change(catalogue: Catalogue, original: Place, substitute: Place) -> int | None:
    """Returns the steps between the two classes, None if one of them is not in `LEVELS`."""
    here, there = (LEVELS.get(kind_of(catalogue, *place) or "") for place in (original, substitute))
    return None if here is None or there is None else there - here


def _price(catalogue: Catalogue, place: Place) -> float | None:
    # A small request: some models have a higher price tier for long prompts.
    cost = prices.cost(*place, Usage(1_000, 1_000), on=None, catalogue=catalogue)
    return cost.usd if cost else None
