"""Chooses the scale of an axis and ticks whose labels do not collide.

Called by `figure`. Knows no matplotlib: a figure gives the size of the axis, and sets the result.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from math import ceil, floor, log10
from typing import Any

# If values differ by a larger factor, a linear axis would crowd most lines at one end. With
# margins, a logarithmic axis then spans a factor of 100 and has ticks at two powers of ten.
WIDE = 50
MOST_TICKS = 9
SHORT_S = 0.1  # an axis of times below it is in milliseconds
# Widths of characters in DejaVu Sans, matplotlib's font, as parts of the size of the font.
DIGIT, SIGN = 0.64, 0.33


@dataclass(frozen=True, slots=True)
class Scale:
    """The scale of an axis for values >= 0.

    Attributes:
        options: The arguments of matplotlib's `set_xscale`.
        limits: The ends of the axis.
        low: The smallest positive value, 1 without any; *high* is the largest one.
        whole: True if a tick between two integers is meaningless.
    """

    options: dict[str, Any]
    limits: tuple[float, float]
    low: float
    high: float
    whole: bool = False
    values: Sequence[float] = field(default=())


def scale_of(values: Sequence[float], *, whole: bool = False) -> Scale:
    """Returns a scale that is linear from zero, or logarithmic if the values differ widely.

    If there are zeros beside values that differ widely, it is linear from zero to the smallest
    positive value.
    """
    positive = [value for value in values if value > 0]
    low, high = min(positive, default=1.0), max(positive, default=1.0)
    if high <= WIDE * low:
        return Scale({"value": "linear"}, (-0.03 * high, 1.06 * high), low, high, whole, values)
    if min(values) > 0:
        return Scale({"value": "log"}, (0.7 * low, 1.4 * high), low, high, whole, values)
    options = {"value": "symlog", "linthresh": low, "linscale": 0.25 * log10(high / low)}
    return Scale(options, (-0.15 * low, 1.4 * high), low, high, whole, values)


def fitting_ticks(scale: Scale, fits: Callable[[Sequence[float]], bool]) -> Sequence[float]:
    """Returns the finest ticks that *fits* accepts; at least the first tick is there."""
    if not any(scale.values):
        return [0.0] if scale.values else []
    ticks: Sequence[float] = []
    for ticks in _linear(scale) if scale.options["value"] == "linear" else _powers(scale):
        if fits(ticks):
            return ticks
    return ticks[:1]


def tick_text(value: float) -> str:
    """Formats a tick as a plain decimal."""
    return f"{value:,.9f}".rstrip("0").rstrip(".")


def text_width(text: str) -> float:
    """Returns the width of the label of a tick, as a multiple of the size of its font."""
    return sum(DIGIT if letter.isdigit() else SIGN for letter in text)


def _linear(scale: Scale) -> Iterator[Sequence[float]]:
    """Yields ticks from zero at steps of 1, 2 or 5 times a power of ten, the finest ones first."""
    power = floor(log10(scale.high))
    steps = [factor * 10.0**p for p in (power - 1, power) for factor in (1, 2, 5)]
    for step in steps:
        count = int(scale.limits[1] / step * (1 + 1e-9)) + 1
        if count <= MOST_TICKS and (step >= 1 or not scale.whole):
            # Not i * 0.1, which is 0.30000000000000004.
            yield [float(f"{i * step:.9g}") for i in range(count)]


def _powers(scale: Scale) -> Iterator[Sequence[float]]:
    """Yields ticks at powers of ten, with steps between them first, then every second one."""
    zero = [0.0] if scale.options["value"] == "symlog" else []
    lowest, highest = scale.low if zero else scale.limits[0], scale.limits[1]
    powers = range(floor(log10(lowest)), ceil(log10(highest)) + 1)
    for factors, every in (((1, 2, 5), 1), ((1,), 1), ((1,), 2), ((1,), 3), ((1,), 5)):
        ticks = [factor * 10.0**power for power in powers[::every] for factor in factors]
        inside = [*zero, *(tick for tick in ticks if lowest <= tick <= highest)]
        if len(inside) > 1:
            yield inside
    fine = [factor * 10.0**power for power in powers for factor in (1, 2, 5)]
    fine = [tick for tick in fine if lowest <= tick <= highest]
    yield [fine[0], fine[-1]]
