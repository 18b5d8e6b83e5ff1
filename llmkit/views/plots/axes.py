"""Draws the median and the range of each model on one axis."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from .aggregates import Group, Measure
from .colors import PlotColors

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def dot_and_range(
    axis: Axes, groups: Sequence[Group], measure: Measure, colors: PlotColors
) -> None:
    """Draws *measure* of *groups*, one line each; an unknown value is written as n/a."""
    style_axes(axis, colors)
    axis.grid(axis="x", color=colors.line, linewidth=0.6)
    for y, group in enumerate(groups):
        span = group.range_of(measure)
        if span is None:
            axis.text(0.03, y, "n/a", color=colors.soft, fontsize=7, va="center", zorder=3,
                      bbox={"facecolor": colors.back, "edgecolor": "none", "pad": 1.5},
                      transform=axis.get_yaxis_transform())  # fmt: skip
            continue
        colour = colors.second if group.substituted else colors.dot
        axis.plot([span.least, span.most], [y, y], color=colour, linewidth=2.2, alpha=0.5,
                  solid_capstyle="round", clip_on=False)  # fmt: skip
        axis.plot([span.middle], [y], "o", color=colour, markersize=5.5, clip_on=False)


def style_axes(axis: Axes, colors: PlotColors) -> None:
    """Applies the colours and sizes of all figures to *axis*."""
    axis.set_facecolor(colors.back)
    axis.tick_params(colors=colors.text, labelsize=7.5, length=0)
    axis.set_axisbelow(True)
    for spine in axis.spines.values():
        spine.set_visible(False)
