"""Aggregates the answers of a comparison by model, for a figure or a table."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from ...types import Status
from ..markup import cell, clipped, safe_text
from ..rows import Row
from ..tables.table import Line, Table, TableCell, TableColumn, tables_text

COUNTED = (Status.COMPLETE, Status.LENGTH, Status.FILTERED)
SWITCH = "plot(substituted=True)"
UNCUT = 1000  # columns, because a number that is cut off reads as another number


@dataclass(frozen=True, slots=True)
class Measure:
    """A quantity that is measured for every answer; *name* is its column in the frame."""

    name: str
    label: str
    of: Callable[[Row], float | None]


MEASURES = (
    Measure("time_to_first_chunk_s", "time to first chunk (s)",
            lambda row: row.completion.time_to_first_chunk_s),
    Measure("duration_s", "duration (s)", lambda row: row.completion.duration_s),
    Measure("output_tokens", "output tokens", lambda row: row.completion.usage.output_tokens),
    Measure("cost_usd", "cost (US$)", lambda row: row.completion.cost_usd),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Range:
    """Minimum, median and maximum of *count* values."""

    least: float
    middle: float
    most: float
    count: int


@dataclass(frozen=True, slots=True)
class Group:
    """The answers of one model.

    Attributes:
        model: The model id that was sent.
        counted: The answers that are aggregated.
        left_out: The number of other answers by reason: failed, substituted.
        substituted: True if the model is a substitute in one of the counted answers.
    """

    provider: str
    model: str
    counted: tuple[Row, ...]
    left_out: Mapping[str, int]
    substituted: bool

    @property
    def name(self) -> str:
        """Provider and model."""
        return safe_text(f"{self.provider}: {self.model}" if self.provider else self.model)

    @property
    def remark(self) -> str:
        """The answers left out, as text; "" if there are none."""
        total = len(self.counted) + sum(self.left_out.values())
        return ", ".join(f"{n} of {total} {why}" for why, n in self.left_out.items())

    def range_of(self, measure: Measure) -> Range | None:
        """Returns the range of *measure*, None if no value is known."""
        values = [v for row in self.counted if (v := measure.of(row)) is not None]
        return Range(min(values), median(values), max(values), len(values)) if values else None


def grouped(rows: Sequence[Row], *, substituted: bool = False) -> tuple[Group, ...]:
    """Groups the answers by model, in the order of the request.

    Failed answers are not counted. Answers of substitute models are counted only if *substituted*,
    because the comparison is about the models named. Rows that share one request count once.
    """
    requests: dict[int, Row] = {}
    for row in rows:
        requests.setdefault(row.row if row.shared_with is None else row.shared_with, row)
    groups: dict[tuple[str, str], list[Row]] = {}
    for row in requests.values():
        groups.setdefault((row.provider or "", row.request_model or row.asked), []).append(row)
    return tuple(_group(*name, answers, substituted) for name, answers in groups.items())


def ends(groups: Sequence[Group], measure: Measure) -> list[float]:
    """Returns the values that an axis for *measure* must include."""
    ranges = [s for group in groups if (s := group.range_of(measure)) is not None]
    return [value for span in ranges for value in (span.least, span.most)]


def facets(rows: Sequence[Row]) -> tuple[tuple[tuple[str, ...], tuple[Row, ...]], ...]:
    """Groups *rows* by grid point, which is described by one text for each parameter."""
    points: dict[tuple[str, ...], list[Row]] = {}
    for row in rows:
        words = {name: " ".join(safe_text(value).split()) for name, value in row.parameters.items()}
        point = tuple(f"{name} {clipped(text, 32)}" for name, text in words.items())
        points.setdefault(point, []).append(row)
    return tuple((point, tuple(answers)) for point, answers in points.items())


def note(groups: Sequence[Group]) -> str:
    """Returns the note below a figure: its marks, and the answers left out."""
    counts = {len(group.counted) for group in groups if group.counted}
    parts = []
    if counts == {1}:
        parts.append("Mark: the one answer of each model.")
    elif counts:
        each = f"{min(counts)}" if len(counts) == 1 else f"{min(counts)} to {max(counts)}"
        parts.append(f"Mark: median; line: minimum to maximum; {each} answers per model.")
    failures = sum(group.left_out.get("failed", 0) for group in groups)
    other = sum(group.left_out.get("substituted", 0) for group in groups)
    out = [f"{failures} failed"] if failures else []
    out += [f"{other} from substitute models ({SWITCH} includes them)"] if other else []
    parts += [f"Left out: {', '.join(out)}."] if out else []
    parts += ["†: substitute for the model named."] if any(g.substituted for g in groups) else []
    return " ".join(parts) or "No answers."


def aggregate_text(groups: Sequence[Group]) -> str:
    """Returns the numbers of a figure as a table for a terminal."""
    columns = (
        TableColumn("model"),
        TableColumn("answers", number=True),
        *(TableColumn(measure.label, number=True) for measure in MEASURES),
        TableColumn("left out", text=False),
    )
    lines = []
    for group in groups:
        name = group.name + (" †" if group.substituted else "")
        ranges = [_range_text(group.range_of(measure)) for measure in MEASURES]
        texts = (name, f"{len(group.counted)}", *ranges, group.remark)
        lines.append(Line(group.name, tuple(map(TableCell, texts))))
    text = note(groups)
    table = Table("median (minimum to maximum)", columns, tuple(lines), empty=text, note=text)
    return tables_text(table, width=UNCUT)


def _group(provider: str, model: str, rows: Sequence[Row], substituted: bool) -> Group:
    answers, omissions = [], Counter[str]()
    for row in rows:
        if row.completion.status not in COUNTED:
            omissions["failed"] += 1
        elif row.substituted and not substituted:
            omissions["substituted"] += 1
        else:
            answers.append(row)
    has_substitutes = any(row.substituted for row in answers)
    return Group(provider, model, tuple(answers), omissions, has_substitutes)


def _range_text(span: Range | None) -> str:
    if span is None:
        return "n/a"
    middle, least, most = (cell(v) for v in (span.middle, span.least, span.most))
    return middle if least == most else f"{middle} ({least} to {most})"
