"""Draws cost against duration: one marker for each model, with its name in a legend.

Called by `figure`, which scales the axes. Must not import matplotlib; only `figure` does.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from .aggregates import MEASURES, Group
from .axes import style_axes
from .colors import PlotColors, Style, styles_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.lines import Line2D

AXES = (MEASURES[1], MEASURES[3])


def cost_against_duration(
    axis: Axes,
    groups: Sequence[Group],
    colors: PlotColors,
    own: Mapping[str, Style],
    factors: Sequence[float],
) -> list[Line2D]:
    """Draws *groups*, each with a cost and a duration, and returns their markers.

    Args:
        own: The styles of providers.
        factors: What the values of each of `AXES` are multiplied by.
    """
    style_axes(axis, colors)
    axis.grid(color=colors.line, linewidth=0.6)
    markers = []
    styles = styles_of([group.provider for group in groups], own)
    for (color, marker), group in zip(styles, groups, strict=True):
        x, y = (
            span.times(factor)
            for measure, factor in zip(AXES, factors, strict=True)
            if (span := group.range_of(measure)) is not None
        )
        ink = colors.models[color % len(colors.models)]
        for xs, ys in (((x.least, x.most), (y.middle,) * 2), ((x.middle,) * 2, (y.least, y.most))):
            axis.plot(xs, ys, color=ink, linewidth=1.2, alpha=0.45, solid_capstyle="round")
        face = colors.back if group.substituted else ink  # hollow for a substitute model
        markers += axis.plot([x.middle], [y.middle], marker, color=ink, markersize=7,
                             markerfacecolor=face, clip_on=False, zorder=3)  # fmt: skip
    return markers
