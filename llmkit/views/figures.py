"""Figures fit to print: what each model took, and what it cost (keeper of matplotlib)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from statistics import median
from typing import TYPE_CHECKING, Any

from ..types import Row, Status

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Measure = Callable[[Row], float | None]

PANELS: tuple[tuple[str, Measure], ...] = (
    ("time to first chunk (s)", lambda row: row.completion.time_to_first_chunk_s),
    ("duration (s)", lambda row: row.completion.duration_s),
    ("output tokens", lambda row: row.completion.usage.output_tokens),
    ("cost (US$)", lambda row: row.completion.cost_usd),
)
# The dots are Okabe and Ito's blues and vermillion, which all kinds of colour vision tell apart.
LIGHT = {
    "back": "#ffffff", "text": "#1d2126", "soft": "#6a737d", "line": "#e1e4e8",
    "dot": "#0072B2", "substituted": "#D55E00",
}  # fmt: skip
DARK = {
    "back": "#15171a", "text": "#e7e9ec", "soft": "#9aa4af", "line": "#33393f",
    "dot": "#56B4E9", "substituted": "#E69F00",
}  # fmt: skip
LABEL_LENGTH = 34


def comparison_figure(rows: Sequence[Row], *, dark: bool = False) -> Figure:
    """For each model a dot at the median and a line from least to most, in four panels.

    Failed answers count in the label and nowhere else; what is unknown is written as n/a.
    Models that stood in for another are of the second colour.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    colours = DARK if dark else LIGHT
    groups = _groups(rows)
    figure = Figure(figsize=(11, 1.5 + 0.36 * max(len(groups), 2)))
    FigureCanvasAgg(figure)
    figure.set_facecolor(colours["back"])
    figure.set_layout_engine("constrained", wspace=0.06)
    axes = figure.subplots(1, len(PANELS), sharey=True)
    for axis, (label, measure) in zip(axes, PANELS, strict=True):
        _panel(axis, groups, label, measure, colours)
    axes[0].set_yticks(range(len(groups)), [_label(name, g) for name, g in groups])
    axes[0].set_ylim(len(groups) - 0.4, -0.6)
    figure._repr_png_ = lambda: _png(figure)  # type: ignore[attr-defined]  # shown without pyplot
    return figure


def _panel(
    axis: Axes,
    groups: Sequence[tuple[str, list[Row]]],
    label: str,
    measure: Measure,
    colours: dict[str, str],
) -> None:
    axis.set_facecolor(colours["back"])
    axis.set_title(label, fontsize=10, color=colours["text"], loc="left")
    axis.grid(axis="x", color=colours["line"], linewidth=0.8)
    axis.tick_params(colors=colours["text"], labelsize=9, length=0)
    axis.locator_params(axis="x", nbins=4)
    for spine in axis.spines.values():
        spine.set_visible(False)
    largest = 0.0
    for y, (_, group) in enumerate(groups):
        values = [v for row in group if _counts(row) and (v := measure(row)) is not None]
        if not values:
            axis.text(0.02, y, "n/a", color=colours["soft"], fontsize=9, va="center",
                      transform=axis.get_yaxis_transform())  # fmt: skip
            continue
        colour = colours["substituted" if any(row.substituted for row in group) else "dot"]
        axis.plot([min(values), max(values)], [y, y], color=colour, linewidth=2.5, alpha=0.45,
                  solid_capstyle="round")  # fmt: skip
        axis.plot([median(values)], [y], "o", color=colour, markersize=7)
        largest = max(largest, *values)
    right = largest * 1.08 or 1.0
    axis.set_xlim(-0.03 * right, right)  # room for a dot at nought


def _groups(rows: Sequence[Row]) -> list[tuple[str, list[Row]]]:
    found: dict[str, list[Row]] = {}
    for row in rows:
        found.setdefault(f"{row.provider or '?'}: {row.request_model or row.asked}", []).append(row)
    return list(found.items())


def _label(name: str, group: Sequence[Row]) -> str:
    short = name if len(name) <= LABEL_LENGTH else f"{name[: LABEL_LENGTH - 1]}…"
    failed = sum(not _counts(row) for row in group)
    return f"{short}\n{failed} of {len(group)} failed" if failed else short


def _counts(row: Row) -> bool:
    return row.completion.status in (Status.COMPLETE, Status.LENGTH, Status.FILTERED)


def _png(figure: Any) -> bytes:
    from io import BytesIO

    buffer = BytesIO()
    figure.savefig(buffer, format="png", dpi=110)
    return buffer.getvalue()
