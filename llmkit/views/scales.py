"""Scales on which both the cheapest and the dearest model can be read."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from matplotlib.axes import Axes

WIDE = 40  # from here on a linear scale would press most models against its end
DECADES = tuple(10.0**power for power in range(-9, 10))


def scaled(axis: Axes, which: Literal["x", "y"], values: Sequence[float], *, most: int = 4) -> None:
    """Sets the limits and at most *most* ticks for *values*, none of which is below nought."""
    positive = [v for v in values if v > 0]
    if positive and max(positive) > WIDE * min(positive):
        _logarithmic(axis, which, values, positive, most)
        return
    right = max(values, default=0.0) * 1.06 or 1.0
    _set(axis, which, (-0.03 * right, right), nice_ticks(right, most))


def nice_ticks(end: float, most: int) -> list[float]:
    """From nought to *end*, in steps of one, two or five times a power of ten."""
    step = next(
        base * power for power in DECADES for base in (1.0, 2.0, 5.0) if end / (base * power) < most
    )
    return [round(i * step, 12) for i in range(int(end / step) + 1)]


def _logarithmic(
    axis: Axes,
    which: Literal["x", "y"],
    values: Sequence[float],
    positive: Sequence[float],
    most: int,
) -> None:
    low, high = min(positive), max(positive)
    if min(values) > 0:
        getattr(axis, f"set_{which}scale")("log")
        limits, nought = (low * 0.7, high * 1.4), []
    else:  # what costs nothing has its place too
        getattr(axis, f"set_{which}scale")("symlog", linthresh=low, linscale=0.5)
        limits, nought = (-0.15 * low, high * 1.4), [0.0]
    start = low * 1.5 if nought else limits[0]
    decades = [d for d in DECADES if start <= d <= limits[1]]
    step = -(-len(decades) // (most - len(nought)))
    _set(axis, which, limits, [*nought, *sorted(decades[::-step])])
    getattr(axis, f"set_{which}ticks")([], minor=True)


def _set(
    axis: Axes, which: Literal["x", "y"], limits: tuple[float, float], ticks: Sequence[float]
) -> None:
    getattr(axis, f"set_{which}lim")(*limits)
    getattr(axis, f"set_{which}ticks")(ticks, [_short(tick) for tick in ticks])


def _short(tick: float) -> str:
    if tick and not 1e-3 <= tick < 1e5 and tick in DECADES:
        return f"$10^{{{DECADES.index(tick) - 9}}}$"
    return f"{tick:g}"
