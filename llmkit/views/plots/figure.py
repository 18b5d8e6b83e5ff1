"""Plots comparisons as figures ready for print. Only this module imports matplotlib."""

from __future__ import annotations

import warnings
from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache
from io import BytesIO
from itertools import pairwise
from textwrap import fill
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from ...cell import InterruptGuard, ready
from ...errors import ConfigError
from ..markup import escape
from ..rows import Row, varied_parameters
from .aggregates import (
    MEASURES,
    Group,
    Measure,
    aggregate_text,
    ends,
    facets,
    grouped,
    note,
    shared_parameters,
    short_names,
)
from .axes import TICK_POINTS, dot_and_range
from .colors import DARK, LIGHT, PlotColors, Style
from .lines import PlotLine, PlotLines, kind_of, lines_of
from .scales import SHORT_S, fitting_ticks, scale_of, text_width, tick_text
from .scatter import AXES, cost_against_duration

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

WIDTH_IN = 7.2  # two journal columns; one column is too narrow for model names
DOTS_PER_INCH = 200
SHOWN_PER_INCH = 110  # screen pixels, so that text is as large as the page's
NOTE_COLUMNS = 128
MOST_ACROSS = 4
MOST_PANELS = 24
MOST_NAMES = 4  # of models that a note lists
GAP_POINTS = 5.0  # between the labels of two ticks

KINDS = ("auto", "models", "points", "prompts", "cost", "grid")
MORE = 'plot("points") draws each point of the grid.'
NO_STYLES: Mapping[str, Style] = MappingProxyType({})
# Dark themes of JupyterLab, Notebook, Voila, VS Code and marimo. The filter makes white the ground
# of JupyterLab's dark theme, keeps the hues, and inverts how light they are. Without a style sheet,
# or in a theme that is not known, the picture has its own white ground.
DARK_THEMES = (
    '[data-jp-theme-light="false"]', ".vscode-dark", '[data-vscode-theme-kind="vscode-dark"]',
    ".marimo.dark", "html.dark", "body.dark",
)  # fmt: skip
INVERSION = 0.93
STYLE = (
    ".lk-figure{max-width:100%;height:auto}"
    + ",".join(f"{theme} .lk-figure.lk-light" for theme in DARK_THEMES)
    + f"{{filter:invert({INVERSION}) hue-rotate(180deg)}}"
)


def comparison_figure(
    rows: Sequence[Row],
    kind: str = "auto",
    *,
    measure: str = "duration_s",
    substituted: bool = False,
    dark: bool = False,
    styles: Mapping[str, Style] = NO_STYLES,
) -> Figure:
    """Returns a figure of *rows*, which a terminal prints as a table of the same numbers.

    Args:
        kind: As in `Comparison.plot`.
        measure: The column of the frame that "grid" plots.
        substituted: True includes substituted and rerouted answers, in a second colour.
        styles: The colour and the marker of each provider, for "cost".

    Raises:
        ConfigError: *kind* or *measure* is unknown.
    """
    colors = DARK if dark else LIGHT
    if kind not in KINDS:
        raise ConfigError(f"unknown kind of plot {kind!r}; known kinds: {', '.join(KINDS)}")
    if kind == "cost":
        figure = _cost(rows, substituted, colors, styles)
    elif kind == "grid":
        measures = {choice.name: choice for choice in MEASURES}
        if measure not in measures:
            raise ConfigError(f"unknown measure {measure!r}; known measures: {', '.join(measures)}")
        figure = _grid(rows, measures[measure], substituted, colors)
    else:
        chosen = kind_of(rows) if kind == "auto" else kind
        lines = lines_of(rows, chosen, substituted=substituted)
        is_more = chosen == "models" and varied_parameters(rows)
        figure = _lines(lines, shared_parameters(rows), MORE if is_more else "", colors)
    return figure


def _lines(lines: PlotLines, shared: str, more: str, colors: PlotColors) -> Figure:
    groups = lines.groups
    figure: Figure = _figure(
        0.95 + _height(len(lines.lines)) + 0.25 * bool(lines.title), colors, groups
    )
    zero: list[Measure] = []
    unknown: list[Measure] = []
    drawn: list[Measure] = []
    for measure in MEASURES:
        values = ends(groups, measure)
        (drawn if any(values) else zero if values else unknown).append(measure)
    shown = drawn or [MEASURES[1]]
    axes = figure.subplots(1, len(shown), sharey=True, squeeze=False)[0]
    for axis, measure in zip(axes, shown, strict=True):
        factor = _factor(groups, measure)
        dot_and_range(axis, [line.group for line in lines.lines], measure, colors, factor)
        _scaled(axis, "x", groups, measure, factor)
        title = _label(measure, factor) if groups else ""
        axis.set_title(title, fontsize=8.5, color=colors.text, loc="left")
    axes[0].set_visible(bool(groups))
    _name(axes[0], lines.lines)
    for y, line in enumerate(lines.lines):
        remark = line.group.remark if line.group else ""
        axes[-1].text(1.02, y, remark, color=colors.soft, fontsize=7, va="center",
                      transform=axes[-1].get_yaxis_transform())  # fmt: skip
    if lines.title:
        figure.suptitle(lines.title, fontsize=9, color=colors.text, x=0.008, ha="left")
    remarks = [note(groups), f"All: {shared}." if shared else "", more]
    if groups and any(group.counted for group in groups):
        why = [f"{measure.title} (0 in all answers)" for measure in zero]
        why += [f"{measure.title} (unknown in all answers)" for measure in unknown]
        remarks.append(f"Not drawn: {', '.join(why)}." if why else "")
    if lines.left:
        remarks.append(f"{lines.left:,} further lines are not drawn.")
    _noted(figure, remarks, colors, names=lines.names)
    return figure


def _cost(
    rows: Sequence[Row], substituted: bool, colors: PlotColors, styles: Mapping[str, Style]
) -> Figure:
    groups = grouped(rows, substituted=substituted)
    points = [group for group in groups if all(map(group.range_of, AXES))]
    omissions = [group.name for group in groups if group not in points and group.counted]
    figure: Figure = _figure(max(4.2, 0.8 + 0.18 * len(points)), colors, groups)
    axis = figure.subplots()
    factors = [_factor(points, measure) for measure in AXES]
    markers = cost_against_duration(axis, points, colors, styles, factors)
    for which, measure, factor in zip("xy", AXES, factors, strict=True):
        _scaled(axis, which, points, measure, factor)
        label = _label(measure, factor)
        getattr(axis, f"set_{which}label")(label, fontsize=8.5, color=colors.text)
    short = short_names([group.name for group in points])
    if points:
        names = [name + " †" * group.substituted for name, group in zip(short, points, strict=True)]
        figure.legend(
            markers, names, loc="outside right upper", frameon=False, fontsize=8,
            labelcolor=colors.text, handletextpad=0.2, labelspacing=0.6,
        )  # fmt: skip
    remarks = [note(groups)]
    if omissions:
        remarks.append(f"No price or duration: {_listed(omissions)}.")
    full = [g.name for name, g in zip(short, points, strict=True) if name != g.name]
    _noted(figure, remarks, colors, names=full)
    return figure


def _grid(rows: Sequence[Row], measure: Measure, substituted: bool, colors: PlotColors) -> Figure:
    found = facets(rows) or (((), ()),)
    points = found[:MOST_PANELS]
    groups = grouped(rows, substituted=substituted)
    short = short_names([group.name for group in groups])
    marks = [" †" * group.substituted for group in groups]
    lines = [PlotLine(*pair) for pair in zip(map(str.__add__, short, marks), groups, strict=True)]
    panels = [{g.name: g for g in grouped(some, substituted=substituted)} for _, some in points]
    across, down = _shape([words for words, _ in points])
    figure: Figure = _figure(0.6 + down * (0.5 + _height(len(groups))), colors, groups)
    axes = figure.subplots(down, across, sharex=True, sharey=True, squeeze=False)
    everything = [g for panel in panels for g in panel.values()]
    factor = _factor(everything, measure)
    for axis, (words, _), panel in zip(axes.flat, points, panels, strict=False):
        shown = [panel.get(g.name) or Group(g.provider, g.name, (), {}, False) for g in groups]
        dot_and_range(axis, shown, measure, colors, factor)
        axis.set_title("\n".join(words), fontsize=8, color=colors.text, loc="left")
    for axis in axes[-1]:
        _scaled(axis, "x", everything, measure, factor)
    for axis in axes.flat[len(points) :]:
        axis.set_visible(False)
    for line in axes:
        _name(line[0], lines)
    figure.suptitle(_label(measure, factor), fontsize=9, color=colors.text, x=0.008, ha="left")
    shared = shared_parameters(rows)
    remarks = [note(everything), f"All: {shared}." if shared else ""]
    by_model = [f"{group.name} ({group.remark})" for group in groups if group.remark]
    if len(groups) > 1 and by_model:
        remarks.append(f"Left out by model: {_listed(by_model)}.")
    if len(found) > len(points):
        remarks.append(f"{len(found) - len(points):,} further points of the grid are not drawn.")
    full = [group.name for name, group in zip(short, groups, strict=True) if name != group.name]
    _noted(figure, remarks, colors, names=full)
    return figure


def _listed(names: Sequence[str]) -> str:
    rest = f" and {len(names) - MOST_NAMES:,} more" if len(names) > MOST_NAMES else ""
    return ", ".join(names[:MOST_NAMES]) + rest


def _shape(points: Sequence[tuple[str, ...]]) -> tuple[int, int]:
    """Returns the columns and rows of a grid: a table for two parameters, else as many as fit."""
    if all(len(point) == 2 for point in points):
        first = len(dict.fromkeys(point[0] for point in points))
        second = len(dict.fromkeys(point[1] for point in points))
        if first * second == len(points) and second <= MOST_ACROSS:
            return second, first
    across = min(len(points), MOST_ACROSS if len(points) != 5 else 3)
    return across, -(-len(points) // across)


def _height(count: int) -> float:
    """Returns the height of *count* lines, in inches; many lines are closer to each other."""
    return max(count, 2 if count else 0) * (0.26 if count <= 12 else 0.2)


def _name(axis: Axes, lines: Sequence[PlotLine]) -> None:
    axis.set_yticks(range(len(lines)), [line.label for line in lines])
    axis.set_ylim(max(len(lines), 2) - 0.4, -0.6)
    for line, label in zip(lines, axis.get_yticklabels(), strict=True):
        if line.group is None:
            label.set_fontweight("bold")


def _factor(groups: Sequence[Group], measure: Measure) -> float:
    """Returns 1000 for short times, which are shown in milliseconds, else 1."""
    is_short = 0 < max(ends(groups, measure), default=0) < SHORT_S
    return 1000.0 if measure.unit == "s" and is_short else 1.0


def _label(measure: Measure, factor: float) -> str:
    return replace(measure, unit="ms").label if factor > 1 else measure.label


def _scaled(
    axis: Axes, which: str, groups: Sequence[Group], measure: Measure, factor: float
) -> None:
    """Scales the axis *which*, "x" or "y", for the values of *groups* times *factor*."""
    values = [value * factor for value in ends(groups, measure)]
    scale = scale_of(values, whole=not measure.unit)
    getattr(axis, f"set_{which}scale")(**scale.options)
    getattr(axis, f"set_{which}lim")(*scale.limits)
    # The layout reserves room for one label; all are chosen once the size is known.
    rounded = (tick_text(float(f"{value:.1g}")) for value in (scale.low, scale.high))
    getattr(axis, f"set_{which}ticks")([scale.limits[1]], [max(rounded, key=len)])
    getattr(axis, f"set_{which}ticks")([], minor=True)
    axis.figure.scales[axis, which] = scale  # type: ignore[union-attr]  # see ComparisonFigure


def _fit_ticks(figure: Any) -> None:
    """Sets as many ticks as have room for their labels, on each axis whose ticks are not set."""
    em, gap = (points * figure.dpi / 72 for points in (TICK_POINTS, GAP_POINTS))
    scales = {
        (axis, which): scale for (axis, which), scale in figure.scales.items()
        if list(getattr(axis, f"get_{which}ticks")()) == [scale.limits[1]]
    }  # fmt: skip
    # The labels of a vertical axis take room from the horizontal one.
    has_vertical = any(which == "y" for _, which in scales)
    for _ in range(2 if has_vertical else 1):
        figure.get_layout_engine().execute(figure)
        for (axis, which), scale in scales.items():
            is_x = which == "x"

            def fits(ticks: Sequence[float], axis: Any = axis, is_x: bool = is_x) -> bool:
                ends = axis.transData.transform([(t, t) for t in ticks])
                sizes = [text_width(tick_text(t)) * em if is_x else 0.8 * em for t in ticks]
                places = [float(end[0 if is_x else 1]) for end in ends]
                pairs = zip(pairwise(places), pairwise(sizes), strict=True)
                return all(abs(b - a) >= (c + d) / 2 + gap for (a, b), (c, d) in pairs)

            ticks = fitting_ticks(scale, fits)
            getattr(axis, f"set_{which}ticks")(ticks, [tick_text(tick) for tick in ticks])
    if has_vertical:
        figure.get_layout_engine().execute(figure)
    figure.set_layout_engine("none")  # the places stay, so that the ticks fit for good


def _figure(height: float, colors: PlotColors, groups: Sequence[Group]) -> Any:
    ready("matplotlib.backends.backend_agg")
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    figure = _kind()(figsize=(WIDTH_IN, height))
    figure.groups, figure.is_dark, figure.scales = groups, colors is DARK, {}
    FigureCanvasAgg(figure)
    figure.set_facecolor(colors.back)
    figure.set_layout_engine("constrained", wspace=0.06, w_pad=0.05, h_pad=0.06)
    return figure


@cache
def _kind() -> Any:
    ready("matplotlib.figure")
    from matplotlib.figure import Figure

    class ComparisonFigure(Figure):
        """A figure that displays itself as a picture, and prints as a table in a terminal.

        Attributes:
            is_dark: True if it was asked for on a dark ground.
            is_fitted: True once the ticks fit, from the first drawing on.
            scales: The scale of each axis, by axes and "x" or "y".
        """

        groups: Sequence[Group] = ()
        is_dark = False
        is_fitted = False
        scales: dict[tuple[Any, str], Any]

        def draw(self, renderer: Any) -> None:
            if not self.is_fitted:  # not before, because the layout takes longer than the rest
                self.is_fitted = True
                _fit_ticks(self)
            super().draw(renderer)

        @InterruptGuard()
        def __str__(self) -> str:
            return aggregate_text(self.groups)

        def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
            printer.text(str(self))

        @InterruptGuard()
        def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> Any:
            picture, size = self._repr_png_()
            forms = {"text/html": self._html(picture, size), "image/png": picture}
            return forms, {"image/png": size}

        @InterruptGuard()
        def _repr_html_(self) -> str:
            return self._html(*self._repr_png_())

        def _html(self, picture: bytes, size: dict[str, int]) -> str:
            ground = "" if self.is_dark else " lk-light"
            return (
                f"<style>{STYLE}</style>"
                f'<img class="lk-figure{ground}" width="{size["width"]}" height="{size["height"]}" '
                f'alt="{escape(self)}" src="data:image/png;base64,{b64encode(picture).decode()}">'
            )

        @InterruptGuard()
        def _repr_png_(self) -> tuple[bytes, dict[str, int]]:
            buffer = BytesIO()
            with warnings.catch_warnings():
                warnings.filterwarnings("ignore", "Glyph")  # of a sign that the font lacks
                self.savefig(buffer, format="png", dpi=DOTS_PER_INCH)
            wide, high = (round(inches * SHOWN_PER_INCH) for inches in self.get_size_inches())
            return buffer.getvalue(), {"width": wide, "height": high}

    return ComparisonFigure


def _noted(
    figure: Figure, remarks: Sequence[str], colors: PlotColors, *, names: Sequence[str] = ()
) -> None:
    """Adds the note, which is the last text, and disables mathtext for all texts."""
    from matplotlib.text import Text

    parts = [*filter(None, remarks), f"Full names: {_listed(names)}." if names else ""]
    # The layout reserves room for the label of the whole x axis.
    figure.supxlabel(
        fill(" ".join(parts).strip(), NOTE_COLUMNS), fontsize=7, color=colors.soft, x=0.008,
        ha="left", multialignment="left",
    )  # fmt: skip
    for text in figure.findobj(Text):
        text.set_parse_math(False)  # a model's name may contain dollar signs: a$b$
