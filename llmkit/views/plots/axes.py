"""Draws the median and the range of each line on one axis."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from .aggregates import Group, Measure
from .colors import PlotColors

if TYPE_CHECKING:
    from matplotlib.axes import Axes

TICK_POINTS = 8.0  # the size of the labels of ticks


def dot_and_range(
    axis: Axes, groups: Sequence[Group | None], measure: Measure, colors: PlotColors, factor: float
) -> None:
    """Draws *measure* of *groups* times *factor*, one line each; a heading is None.

    An unknown value is written as n/a.
    """
    style_axes(axis, colors)
    axis.grid(axis="x", color=colors.line, linewidth=0.6)
    places = [y for y, group in enumerate(groups) if group is not None]
    axis.hlines(places, 0, 1, color=colors.line, linewidth=0.6, zorder=0.5,
                transform=axis.get_yaxis_transform())  # fmt: skip
    spans = {y: groups[y].range_of(measure) for y in places}  # type: ignore[union-attr]
    for y in (y for y, span in spans.items() if span is None):
        axis.text(0.03, y, "n/a", color=colors.soft, fontsize=7, va="center", zorder=3,
                  bbox={"facecolor": colors.back, "edgecolor": "none", "pad": 1.5},
                  transform=axis.get_yaxis_transform())  # fmt: skip
    for is_other, colour in ((False, colors.dot), (True, colors.second)):
        drawn = {
            y: span.times(factor)
            for y, span in spans.items()
            if span is not None and groups[y].substituted == is_other  # type: ignore[union-attr]
        }
        if not drawn:  # the layout fails at a collection without lines
            continue
        least, most = [s.least for s in drawn.values()], [s.most for s in drawn.values()]
        axis.hlines(list(drawn), least, most, color=colour, linewidth=2.4, alpha=0.5,
                    capstyle="round", clip_on=False)  # fmt: skip
        axis.plot([s.middle for s in drawn.values()], list(drawn), "o", color=colour, markersize=6,
                  clip_on=False)  # fmt: skip


def style_axes(axis: Axes, colors: PlotColors) -> None:
    """Applies the colours and sizes of all figures to *axis*."""
    axis.set_facecolor(colors.back)
    axis.tick_params(colors=colors.text, labelsize=TICK_POINTS, length=0)
    axis.set_axisbelow(True)
    for spine in axis.spines.values():
        spine.set_visible(False)
