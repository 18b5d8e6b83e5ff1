"""Says aloud, once, that a model was replaced by one that is not its equal."""

from __future__ import annotations

import logging

from ..catalogue.fallback_policy import SAME_MODEL
from ..catalogue.names import MAKERS
from ..types import FallbackStep

MUCH_DEARER = 2.0

log = logging.getLogger(__name__)


def tell(step: FallbackStep, told: set[tuple[str, str]]) -> None:
    """Warns of the *step* to the model that answered, where a person would want to know.

    It stands on the answer as well. A run of a thousand rows must not warn a thousand times, so a
    pair of models is named once for as long as *told*, the ones of before, lives.
    """
    pair = (step.asked, step.chosen)
    if pair not in told and is_unequal(step):
        told.add(pair)
        log.warning('%s (forbid it with fallback="error"; said once)', step)


def is_unequal(step: FallbackStep) -> bool:
    """True for a smaller, much dearer or less able model, and for one of another maker."""
    smaller = step.class_change is not None and step.class_change < 0
    dearer = step.price_ratio is not None and step.price_ratio > MUCH_DEARER
    other_maker = step.rule != SAME_MODEL and _maker(step.asked) != _maker(step.chosen)
    return bool(smaller or dearer or step.lost or other_maker)


def _maker(name: str) -> str:
    """Who makes a model, as far as its name says; a server of many makers says it first."""
    provider, _, model = name.partition(":")
    maker, slash, _ = model.removeprefix("~").lower().partition("/")
    return MAKERS.get(maker, maker) if slash else provider
