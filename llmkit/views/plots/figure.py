"""Plots comparisons as figures ready for print. Only this module imports matplotlib."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from io import BytesIO
from math import ceil, floor, log10
from textwrap import fill
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from ...cell import InterruptGuard, ready
from ...errors import ConfigError
from ..rows import Row
from .aggregates import MEASURES, Group, Measure, aggregate_text, ends, facets, grouped, note
from .axes import dot_and_range
from .colors import DARK, LIGHT, PlotColors, Style
from .scatter import AXES, cost_against_duration

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

WIDTH_IN = 7.2  # two journal columns; one column is too narrow for model names
DOTS_PER_INCH = 200
SHOWN_PER_INCH = 110  # screen pixels, so that text is as large as the page's
NOTE_COLUMNS = 150
MOST_ACROSS = 4
LABEL_LENGTH = 31
# If values differ by a larger factor, a linear axis would crowd most models at one end. With
# margins, a logarithmic axis then spans a factor of 100 and has ticks at two powers of ten.
WIDE = 50

KINDS = ("models", "cost", "grid")
NO_STYLES: Mapping[str, Style] = MappingProxyType({})


def comparison_figure(
    rows: Sequence[Row],
    kind: str = "models",
    *,
    measure: str = "duration_s",
    substituted: bool = False,
    dark: bool = False,
    styles: Mapping[str, Style] = NO_STYLES,
) -> Figure:
    """Returns a figure of *rows*, which a terminal prints as a table of the same numbers.

    Args:
        kind: "models", "cost" or "grid", as in `Comparison.plot`.
        measure: The column of the frame that "grid" plots.
        substituted: True includes substituted and rerouted answers, in a second colour.
        styles: The colour and the marker of each provider, for "cost".

    Raises:
        ConfigError: *kind* or *measure* is unknown.
    """
    colors = DARK if dark else LIGHT
    if kind == "models":
        return _models(rows, substituted, colors)
    if kind == "cost":
        return _cost(rows, substituted, colors, styles)
    if kind == "grid":
        measures = {choice.name: choice for choice in MEASURES}
        if measure not in measures:
            raise ConfigError(f"unknown measure {measure!r}; known measures: {', '.join(measures)}")
        return _grid(rows, measures[measure], substituted, colors)
    raise ConfigError(f"unknown kind of plot {kind!r}; known kinds: {', '.join(KINDS)}")


def _models(rows: Sequence[Row], substituted: bool, colors: PlotColors) -> Figure:
    groups = grouped(rows, substituted=substituted)
    figure = _figure(_height(groups), colors, groups)
    axes = figure.subplots(1, len(MEASURES), sharey=True, width_ratios=(1.1, 0.9, 0.9, 1.3))
    for axis, measure in zip(axes, MEASURES, strict=True):
        dot_and_range(axis, groups, measure, colors)
        _scaled(axis, "x", ends(groups, measure))
        _titled(axis, measure.label, colors)
    _name(axes[0], groups)
    _noted(figure, note(groups), colors)
    return figure


def _cost(
    rows: Sequence[Row], substituted: bool, colors: PlotColors, styles: Mapping[str, Style]
) -> Figure:
    groups = grouped(rows, substituted=substituted)
    points = [group for group in groups if all(map(group.range_of, AXES))]
    omissions = [group.name for group in groups if group not in points and group.counted]
    figure = _figure(max(4.2, 0.8 + 0.17 * len(points)), colors, groups)
    axis = figure.subplots()
    markers = cost_against_duration(axis, points, colors, styles)
    for which, measure in zip("xy", AXES, strict=True):
        _scaled(axis, which, ends(points, measure), most=7)
    if points:
        names = [_shortened(g.name, 40) + (" †" if g.substituted else "") for g in points]
        figure.legend(
            markers, names, loc="outside right upper", frameon=False, fontsize=7.5,
            labelcolor=colors.text, handletextpad=0.2, labelspacing=0.6,
        )  # fmt: skip
    remark = f" No price or duration: {', '.join(omissions)}." if omissions else ""
    _noted(figure, note(groups) + remark, colors)
    return figure


def _grid(rows: Sequence[Row], measure: Measure, substituted: bool, colors: PlotColors) -> Figure:
    points = facets(rows) or (((), ()),)
    groups = grouped(rows, substituted=substituted)
    panels = [{g.name: g for g in grouped(some, substituted=substituted)} for _, some in points]
    across, down = _shape([words for words, _ in points])
    figure = _figure(0.3 + down * (_height(groups) - 0.3), colors, groups)
    axes = figure.subplots(down, across, sharex=True, sharey=True, squeeze=False)
    for axis, (words, _), panel in zip(axes.flat, points, panels, strict=False):
        dot_and_range(axis, [panel.get(g.name) or _nothing(g) for g in groups], measure, colors)
        _titled(axis, "\n".join(words), colors)
    for axis in axes.flat[len(points) :]:
        axis.set_visible(False)
    _scaled(axes[0, 0], "x", ends([g for panel in panels for g in panel.values()], measure),
            most=3 if across > 3 else 4)  # fmt: skip
    for line in axes:
        _name(line[0], groups)
    figure.suptitle(measure.label, fontsize=9, color=colors.text, x=0.008, ha="left")
    _noted(figure, note(groups), colors)
    return figure


def _shape(points: Sequence[tuple[str, ...]]) -> tuple[int, int]:
    """Returns the columns and rows of a grid: a table for two parameters, else as many as fit."""
    if all(len(point) == 2 for point in points):
        first = len(dict.fromkeys(point[0] for point in points))
        second = len(dict.fromkeys(point[1] for point in points))
        if first * second == len(points) and second <= MOST_ACROSS:
            return second, first
    across = min(len(points), MOST_ACROSS if len(points) != 5 else 3)
    return across, -(-len(points) // across)


def _nothing(group: Group) -> Group:
    return Group(group.provider, group.model, (), {}, False)


def _height(groups: Sequence[Group]) -> float:
    most = max((_label(group).count("\n") + 1 for group in groups), default=1)
    return 0.85 + max(len(groups), 2) * (0.28 if most < 3 else 0.38)


def _name(axis: Axes, groups: Sequence[Group]) -> None:
    axis.set_yticks(range(len(groups)), [_label(group) for group in groups])
    axis.set_ylim(max(len(groups), 2) - 0.4, -0.6)


def _label(group: Group) -> str:
    name = group.name if len(group.name) <= LABEL_LENGTH else group.name.replace(": ", ":\n", 1)
    lines = [_shortened(line) for line in name.split("\n")]
    lines[-1] += " †" if group.substituted else ""
    return "\n".join([*lines, group.remark] if group.remark else lines)


def _shortened(name: str, length: int = LABEL_LENGTH) -> str:
    # The end of an id has its version, so the middle is omitted.
    return name if len(name) <= length else f"{name[:12]}…{name[13 - length :]}"


def _scaled(axis: Axes, which: str, values: Sequence[float], *, most: int = 4) -> None:
    """Scales the axis *which*, "x" or "y", for *values* >= 0, with about *most* ticks.

    The axis is linear from zero, and logarithmic if the positive values span more than `WIDE`. If
    there are zeros, it is then linear from zero to the smallest positive value.
    """
    from matplotlib import ticker

    positive = [value for value in values if value > 0]
    low, high = min(positive, default=1.0), max(positive, default=1.0)
    steps = (1, 2, 5) if most > 4 and high < 1000 * low else (1,)
    scale: dict[str, Any] = {"value": "linear"}
    limits = (-0.03 * high, 1.06 * high)
    locator: ticker.Locator
    if not positive:
        locator = ticker.FixedLocator([0.0] if values else [])
    elif high <= WIDE * low:
        # Small and large numbers have long labels.
        count = most if 0.002 <= high < 1000 else most - 1
        locator = ticker.MaxNLocator(count, steps=(1, 2, 5, 10))
    elif min(values) > 0:
        scale, limits = {"value": "log"}, (0.7 * low, 1.4 * high)
        locator = ticker.LogLocator(subs=steps, numticks=most)
    else:
        scale = {"value": "symlog", "linthresh": low, "linscale": 0.25 * log10(high / low)}
        limits = (-0.15 * low, 1.4 * high)
        # SymmetricalLogLocator (3.11) counts the decades up to 1, however small *high* is.
        powers = [10.0**power for power in range(floor(log10(low)), ceil(log10(high)))]
        ticks = [step * power for power in powers for step in steps if step * power >= low]
        locator = ticker.FixedLocator([0.0, *ticks], nbins=12 if len(steps) > 1 else most - 1)
    getattr(axis, f"set_{which}scale")(**scale)
    getattr(axis, f"set_{which}lim")(*limits)
    dimension = getattr(axis, f"{which}axis")
    dimension.set_major_locator(locator)
    dimension.set_minor_locator(ticker.NullLocator())
    dimension.set_major_formatter(lambda value, _: f"{value:,.9f}".rstrip("0").rstrip("."))


def _figure(height: float, colors: PlotColors, groups: Sequence[Group]) -> Figure:
    ready("matplotlib.backends.backend_agg")
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    figure: Figure = _kind()(figsize=(WIDTH_IN, height))
    figure.groups = groups  # type: ignore[attr-defined]  # of the kind that _kind makes
    FigureCanvasAgg(figure)
    figure.set_facecolor(colors.back)
    figure.set_layout_engine("constrained", wspace=0.06, w_pad=0.05, h_pad=0.06)
    return figure


@cache
def _kind() -> Any:
    ready("matplotlib.figure")
    from matplotlib.figure import Figure

    class ComparisonFigure(Figure):
        """A figure that displays itself as PNG, and prints as a table in a terminal."""

        groups: Sequence[Group] = ()

        @InterruptGuard()
        def __str__(self) -> str:
            return aggregate_text(self.groups)

        def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
            printer.text(str(self))

        @InterruptGuard()
        def _repr_png_(self) -> tuple[bytes, dict[str, int]]:
            buffer = BytesIO()
            self.savefig(buffer, format="png", dpi=DOTS_PER_INCH)
            wide, high = (round(inches * SHOWN_PER_INCH) for inches in self.get_size_inches())
            return buffer.getvalue(), {"width": wide, "height": high}

    return ComparisonFigure


def _titled(axis: Axes, title: str, colors: PlotColors) -> None:
    axis.set_title(title, fontsize=8, color=colors.text, loc="left")


def _noted(figure: Figure, remark: str, colors: PlotColors) -> None:
    """Adds the note, which is the last text, and disables mathtext for all texts."""
    from matplotlib.text import Text

    # The layout reserves room for the label of the whole x axis.
    figure.supxlabel(
        fill(remark, NOTE_COLUMNS), fontsize=6.5, color=colors.soft, x=0.008, ha="left",
        multialignment="left",
    )  # fmt: skip
    for text in figure.findobj(Text):
        text.set_parse_math(False)  # a model's name may contain dollar signs: a$b$
