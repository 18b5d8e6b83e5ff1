"""Aggregates the answers of a comparison by model, for a figure or a table."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from ...types import Status
from ..answers.matrix import parameter_text
from ..answers.place import label_of
from ..markup import cell, clipped, safe_text
from ..rows import Row, varied_parameters
from ..tables.table import Line, Table, TableCell, TableColumn, tables_text

SWITCH = "plot(substituted=True)"
SHARED, SUBSTITUTED, REROUTED = "shared", "substituted", "rerouted"
LONGEST = 34  # characters of a name in a figure
UNCUT = 1000  # columns, because a number that is cut off reads as another number


@dataclass(frozen=True, slots=True)
class Measure:
    """A quantity that is measured for every answer; *name* is its column in the frame."""

    name: str
    title: str
    unit: str
    of: Callable[[Row], float | None]

    @property
    def label(self) -> str:
        """The title and the unit."""
        return f"{self.title} ({self.unit})" if self.unit else self.title


MEASURES = (
    Measure("time_to_first_chunk_s", "first chunk", "s",
            lambda row: row.completion.time_to_first_chunk_s),
    Measure("duration_s", "duration", "s", lambda row: row.completion.duration_s),
    Measure("output_tokens", "output tokens", "",
            lambda row: row.completion.usage.output_tokens),
    Measure("cost_usd", "cost", "US$", lambda row: row.completion.cost_usd),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Range:
    """Minimum, median and maximum of *count* values."""

    least: float
    middle: float
    most: float
    count: int

    def times(self, factor: float) -> Range:
        """Returns the range in another unit."""
        return Range(self.least * factor, self.middle * factor, self.most * factor, self.count)


@dataclass(frozen=True, slots=True)
class Group:
    """The answers of one model.

    Attributes:
        name: The model that was asked, or that answered instead, as provider:id.
        counted: The answers that are aggregated.
        left_out: The number of other answers by reason, see `why_left_out`.
        substituted: True if one of the counted answers was asked of another model.
    """

    provider: str
    name: str
    counted: tuple[Row, ...]
    left_out: Mapping[str, int]
    substituted: bool

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

    Only answers that are ok and of the named model are counted, because the comparison is about
    it. *substituted* counts those of other models, too, under the model that answered.
    """
    groups: dict[tuple[str, str], tuple[list[Row], Counter[str]]] = {}
    for row in rows:
        name, provider, answer = label_of(row), row.provider or "", row.completion
        reason = why_left_out(row, substituted=substituted)
        if reason is None and _is_of_another(row):
            model = answer.response_model if answer.rerouted else row.request_model
            name = f"{provider}:{model or row.request_model}"
        answers, omissions = groups.setdefault((provider, safe_text(name)), ([], Counter()))
        if reason is None:
            answers.append(row)
        else:
            omissions[reason] += 1
    return tuple(
        Group(*name, tuple(answers), omissions, any(map(_is_of_another, answers)))
        for name, (answers, omissions) in groups.items()
    )


def why_left_out(row: Row, *, substituted: bool = False) -> str | None:
    """Returns why *row* does not count for its model, None if it does.

    The reasons are shared (another row holds the same answer), failed or another status, and
    substituted or rerouted (another model answered). *substituted* accepts the last two, if the
    provider names the model that answered.
    """
    answer = row.completion
    if row.shared_with is not None:
        return SHARED
    if not answer.status.is_ok:
        return "failed" if answer.status is Status.ERROR else str(answer.status)
    if row.substituted and not substituted:
        return SUBSTITUTED
    is_named = answer.response_model not in (None, "", answer.request_model)
    return REROUTED if answer.rerouted and not (substituted and is_named) else None


def _is_of_another(row: Row) -> bool:
    return row.substituted or row.completion.rerouted is True


def ends(groups: Sequence[Group], measure: Measure) -> list[float]:
    """Returns the values that an axis for *measure* must include."""
    ranges = [s for group in groups if (s := group.range_of(measure)) is not None]
    return [value for span in ranges for value in (span.least, span.most)]


def facets(rows: Sequence[Row]) -> tuple[tuple[tuple[str, ...], tuple[Row, ...]], ...]:
    """Groups *rows* by grid point, which is described by one text for each varied parameter."""
    points: dict[tuple[str, ...], list[Row]] = {}
    names = varied_parameters(rows)
    texts: dict[str, dict[str, str]] = {name: {} for name in names}
    for row in rows:
        for name in names:
            if name in row.parameters and repr(row.parameters[name]) not in texts[name]:
                value = row.parameters[name]
                texts[name][repr(value)] = parameter_text(name, value)
        key = tuple(repr(row.parameters[n]) if n in row.parameters else "" for n in names)
        points.setdefault(key, []).append(row)
    for found in texts.values():
        found.update(zip(found, short_names(list(found.values())), strict=True))
    return tuple(
        (tuple(texts[n][part] for n, part in zip(names, key, strict=True) if part), tuple(answers))
        for key, answers in points.items()
    )


def short_names(names: Sequence[str], length: int = LONGEST) -> list[str]:
    """Returns each name with at most *length* characters; different names stay different.

    The middle is left out, because the end of a model's id has its version. Where that makes two
    names alike, another part is left out.
    """
    taken: dict[str, str] = {}
    for name in dict.fromkeys(names):
        short = name
        provider = name.partition(":")[0] + ":"
        first = len(provider) if len(provider) <= 12 else 8
        for head in (first, *range(length - 2, 0, -1)) if len(name) > length else ():
            tail = name[len(name) - (length - 1 - head) :]
            id_start = tail.rfind("/") if head == first else 0
            short = f"{name[:head]}…{tail[max(id_start, 0) :]}"
            if short not in taken:
                break
        number = 2
        while short in taken:
            short = f"{short[: length - 4]} ({number})"
            number += 1
        taken[short] = name
    by_name = {name: short for short, name in taken.items()}
    return [by_name[name] for name in names]


def shared_parameters(rows: Sequence[Row]) -> str:
    """Returns the parameters that all *rows* share, such as "temperature 0 · max_tokens 24"."""
    varied = varied_parameters(rows)
    first = rows[0].parameters if rows else {}
    texts = (parameter_text(name, first[name]) for name in first if name not in varied)
    return " · ".join(clipped(text, 2 * LONGEST) for text in texts)


def note(groups: Sequence[Group]) -> str:
    """Returns the note below a figure: its marks, and the answers left out."""
    counts = {len(group.counted) for group in groups if group.counted}
    parts = []
    if counts == {1}:
        parts.append("Mark: the one answer of each line.")
    elif counts:
        each = f"{min(counts):,}" if len(counts) == 1 else f"{min(counts):,} to {max(counts):,}"
        parts.append(f"Mark: median; line: minimum to maximum; {each} answers per line.")
    omissions = sum((Counter(group.left_out) for group in groups), Counter[str]())
    if omissions:
        last = (SUBSTITUTED, REROUTED, SHARED)
        reasons = [*(why for why in omissions if why not in last), *filter(omissions.get, last)]
        parts.append(f"Left out: {', '.join(f'{omissions[why]:,} {why}' for why in reasons)}.")
    if omissions[SHARED]:
        parts.append("Shared: sent once, with another row.")
    if omissions[SUBSTITUTED] or omissions[REROUTED]:
        parts.append(f"{SWITCH} includes the answers of other models.")
    doubts = sum(row.completion.rerouted is None for group in groups for row in group.counted)
    if doubts:
        parts.append(f"Not known if the model named answered: {doubts:,}.")
    if any(group.substituted for group in groups):
        parts.append("†: answered in place of the model named.")
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


def _range_text(span: Range | None) -> str:
    if span is None:
        return "n/a"
    middle, least, most = (cell(v) for v in (span.middle, span.least, span.most))
    return middle if least == most else f"{middle} ({least} to {most})"
