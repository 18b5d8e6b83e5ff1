"""Decides which lines a figure has: models, points of the grid, or prompts.

Called by `figure`. Knows no matplotlib.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from ..answers.place import label_of
from ..markup import safe_text
from ..rows import Row, varied_parameters
from .aggregates import Group, facets, grouped, short_names

MOST_LINES = 60
DEFAULTS = "defaults of the provider"


@dataclass(frozen=True, slots=True)
class PlotLine:
    """One line of a figure; a heading has no group."""

    label: str
    group: Group | None


@dataclass(frozen=True, slots=True)
class PlotLines:
    """The lines of a figure.

    Attributes:
        title: The one model of all lines, "" if there are several.
        names: The full names of the labels that were shortened.
        left: The number of further lines, which are not drawn.
    """

    lines: tuple[PlotLine, ...]
    title: str = ""
    names: tuple[str, ...] = ()
    left: int = 0

    @property
    def groups(self) -> list[Group]:
        """The groups of all lines."""
        return [line.group for line in self.lines if line.group is not None]


def kind_of(rows: Sequence[Row]) -> str:
    """Returns what varies in *rows*: "models", or of one model the "points" or "prompts"."""
    if len({label_of(row) for row in rows}) > 1:
        return "models"
    if varied_parameters(rows):
        return "points"
    prompts = len({str(row.prompt_id) for row in rows})
    return "prompts" if 1 < prompts <= MOST_LINES else "models"


def lines_of(rows: Sequence[Row], kind: str, *, substituted: bool) -> PlotLines:
    """Returns one line for each model, or for each point or prompt of each model."""
    groups = grouped(rows, substituted=substituted)
    names = [group.name for group in groups]
    short = dict(zip(names, short_names(names), strict=True))
    if kind == "models":
        lines = [PlotLine(_marked(short[group.name], group), group) for group in groups]
        return _cut(lines, tuple(name for name in names if short[name] != name))
    prompts: dict[str, list[Row]] = {}
    for row in rows:
        prompts.setdefault(f"prompt {safe_text(row.prompt_id)}", []).append(row)
    points = [(" · ".join(words) or DEFAULTS, part) for words, part in facets(rows)]
    parts = points if kind == "points" else list(prompts.items())
    labels = short_names([name for name, _ in parts])
    found = [
        (label, group) for label, (_, part) in zip(labels, parts, strict=True)
        for group in grouped(part, substituted=substituted)
    ]  # fmt: skip
    lines = []
    for name in dict.fromkeys(names):
        if len(short) > 1:
            lines.append(PlotLine(short[name], None))
        for point, group in found:
            if group.name == name:
                at_point = replace(group, name=f"{name} · {point}")
                lines.append(PlotLine(_marked(point, group), at_point))
    if len(short) == 1:
        return _cut(lines, (), title=names[0])
    return _cut(lines, tuple(name for name in short if short[name] != name))


def _cut(lines: Sequence[PlotLine], names: tuple[str, ...], title: str = "") -> PlotLines:
    return PlotLines(tuple(lines[:MOST_LINES]), title, names, max(len(lines) - MOST_LINES, 0))


def _marked(label: str, group: Group) -> str:
    return f"{label} †" if group.substituted else label
