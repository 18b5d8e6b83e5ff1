"""Cost against duration: one point for each model, its name beside it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal

from .aggregates import MEASURES, Group, ends
from .dots import dressed
from .inks import Inks, shape
from .placing import Box, placed
from .scales import scaled

if TYPE_CHECKING:
    from matplotlib.axes import Axes

AXES = (MEASURES[1], MEASURES[3])
GAP_POINTS = 5.0


def cost_against_duration(axis: Axes, groups: Sequence[Group], inks: Inks) -> None:
    """Draws *groups*, each of which has a cost and a duration."""
    dressed(axis, inks)
    axis.grid(color=inks.line, linewidth=0.6)
    for which, measure in zip("xy", AXES, strict=True):
        scaled(axis, which, ends(groups, measure), most=7)  # type: ignore[arg-type]
        getattr(axis, f"set_{which}label")(measure.label, fontsize=8, color=inks.text)
    points = [_drawn(axis, group, inks) for group in groups]
    _legend(axis, groups, inks)
    _labelled(axis, groups, points, inks)


def _drawn(axis: Axes, group: Group, inks: Inks) -> tuple[float, float]:
    x, y = (s for measure in AXES if (s := group.spread(measure)) is not None)
    colour = inks.of(group.provider)
    for across, up in (((x.least, x.most), (y.middle,) * 2), ((x.middle,) * 2, (y.least, y.most))):
        axis.plot(across, up, color=colour, linewidth=1.2, alpha=0.45, solid_capstyle="round")
    face = inks.back if group.substituted else colour  # hollow: it stood in for another
    axis.plot([x.middle], [y.middle], shape(group.provider), color=colour, markersize=6.5,
              markerfacecolor=face, clip_on=False, zorder=3)  # fmt: skip
    return x.middle, y.middle


def _legend(axis: Axes, groups: Sequence[Group], inks: Inks) -> None:
    providers = list(dict.fromkeys(group.provider for group in groups))
    handles = [
        axis.plot([], [], shape(name), color=inks.of(name), markersize=6, label=name)[0]
        for name in providers
    ]
    if handles:
        axis.legend(
            handles=handles, loc="lower left", bbox_to_anchor=(0, 1), ncols=len(handles),
            frameon=False, fontsize=7.5, labelcolor=inks.text, handletextpad=0.2,
            columnspacing=1.2, borderaxespad=0.2,
        )  # fmt: skip


def _labelled(
    axis: Axes, groups: Sequence[Group], points: Sequence[tuple[float, float]], inks: Inks
) -> None:
    """Puts each model's name where it covers neither a point nor another name."""
    figure: Any = axis.figure  # get_figure(root=True) came with matplotlib 3.10
    figure.draw_without_rendering()  # only then is it known where the points are
    pixel = figure.dpi / 72
    names = [
        axis.annotate(
            group.model + (" †" if group.substituted else ""), point, xytext=(0, 0),
            textcoords="offset points", fontsize=7.5, color=inks.text, in_layout=False,
            arrowprops={"arrowstyle": "-", "color": inks.soft, "linewidth": 0.6,
                        "shrinkA": 1, "shrinkB": 4},
        )
        for group, point in zip(groups, points, strict=True)
    ]  # fmt: skip
    where = [tuple(axis.transData.transform(point)) for point in points]
    boxes = [name.get_window_extent() for name in names]
    sizes = [(box.width + 2 * pixel, box.height) for box in boxes]
    found = placed(where, sizes, _frame(axis), gap=GAP_POINTS * pixel, obstacles=_ranges(axis))
    for name, (x, y), box in zip(names, where, found, strict=True):
        # Held at the side of the point: at another resolution the text is not quite as wide.
        side, at = _held(box, x)
        name.set_horizontalalignment(side)
        name.set_position(((at - x) / pixel, (box.bottom - y) / pixel))
        far = max(box.left - x, x - box.right, box.bottom - y, y - box.top)
        assert name.arrow_patch is not None
        name.arrow_patch.set_visible(far > 2.2 * GAP_POINTS * pixel)


def _held(box: Box, x: float) -> tuple[Literal["left", "right", "center"], float]:
    if box.left >= x:
        return "left", box.left
    return ("right", box.right) if box.right <= x else ("center", (box.left + box.right) / 2)


def _frame(axis: Axes) -> Box:
    box = axis.get_window_extent()
    return Box(box.x0, box.y0, box.x1, box.y1)


def _ranges(axis: Axes) -> list[Box]:
    """The lines from least to most, as thin boxes."""
    found = []
    for line in axis.lines:
        at = axis.transData.transform(line.get_xydata())
        if len(at) == 2:
            (a, b), (c, d) = at
            found.append(Box(min(a, c) - 1, min(b, d) - 1, max(a, c) + 1, max(b, d) + 1))
    return found
