"""Converts rows to DataFrames."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable, Mapping, Sequence
from contextlib import suppress
from math import nan
from typing import TYPE_CHECKING, Any

from ..cell import ready
from ..fields import Column
from ..types import PARAMETERS, Status
from ..wire.messages import fix_surrogates
from .answers.place import label_of
from .answers.summary import NO_KEY, summaries
from .columns import column_values, columns_of, dtypes
from .rows import Row, varied_parameters

if TYPE_CHECKING:
    import pandas as pd

PARAMETER_COLUMNS = {
    name: Column(
        row.dtype, f"{row.help}, as asked", group="parameters", source="you",
        missing="you set none: see `sent`",
    )
    for name, row in PARAMETERS.items()
    if row.dtype != "object"
}  # fmt: skip
_ROW = columns_of(Row)
_QUESTION = {name: column for name, column in _ROW.items() if column.group == "question"}
# Further parameters of the grid stand between these two, before `repeat`.
BEFORE_GRID = {**_QUESTION, **PARAMETER_COLUMNS}
AFTER_GRID = {name: column for name, column in _ROW.items() if name not in _QUESTION}
OTHER_ENDS = tuple(s for s in Status if s not in (Status.COMPLETE, Status.ERROR))
SUMMARY_COLUMNS = {
    "model": Column("string", "the model that was asked, as provider:id"),
    "answers": Column("Int64", "number of answers"),
    "ok": Column("Int64", "those that are complete, or ended at the token limit"),
    "failed": Column("Int64", "those with the status error, except for `no_key`"),
    "no_key": Column("Int64", "those that were not sent, because their API key is missing"),
    **{
        str(status): Column("Int64", f"those with the status {status}, a part of `ok`"
                            if status.is_ok else f"those with the status {status}")
        for status in OTHER_ENDS
    },
    "time_to_first_text_s": Column("float64", "median of the ok answers"),
    "duration_s": Column("float64", "median of the ok answers"),
    "output_tokens": Column("Int64", "sum of all answers; missing if a count is"),
    "cost_usd": Column("float64", "sum of all answers; missing if a cost is: see `known_cost_usd`"),
    "cost_known": Column("Int64", "number of the answers that were sent and have a known cost"),
    "cost_unknown": Column("Int64", "number of the answers that were sent and have none"),
    "known_cost_usd": Column("float64", "sum of the known costs"),
}  # fmt: skip
NULLABLE = {"integer": "Int64", "boolean": "boolean", "floating": "Float64"}
TEXTS = ("string", "object")  # dtypes of columns with text


def comparison_frame(rows: Sequence[Row]) -> pd.DataFrame:
    """Returns one row per answer, in the order of the request; a failed call has `error` set.

    Seconds and `cost_usd` are NaN if unknown, token counts <NA> if the provider did not report
    them. Further parameters come after `seed`; columns of the DataFrame of prompts come last, as
    prompt_NAME if the name is taken.
    """
    grid = {name: "object" for row in rows for name in row.parameters if name not in BEFORE_GRID}
    ours = {**dtypes(BEFORE_GRID), **grid, **dtypes(AFTER_GRID)}
    own = own_columns((name for row in rows for name in row.extra), grid)
    lines = [{**_line(row), **{own[name]: v for name, v in row.extra.items()}} for row in rows]
    frame = table_frame(lines, {**ours, **dict.fromkeys(own.values(), "object")})
    ids = _own_values(frame["prompt_id"])
    if ids.dtype.kind != "O":  # numbers and dates, not texts
        frame["prompt_id"] = ids
    for name in own.values():
        frame[name] = _own_values(frame[name])
    return frame


def summary_frame(rows: Sequence[Row]) -> pd.DataFrame:
    """Returns one row per model as asked; columns and dtypes are the same even without rows."""
    lines: list[dict[str, object]] = []
    for one in summaries(rows):
        ends = {str(status): one.statuses.get(status, 0) for status in OTHER_ENDS}
        failed, no_key = (one.statuses.get(status, 0) for status in (Status.ERROR, NO_KEY))
        values = {name: getattr(one, name, None) for name in SUMMARY_COLUMNS}
        lines.append({**values, "model": one.label, "failed": failed, "no_key": no_key, **ends})
    return table_frame(lines, dtypes(SUMMARY_COLUMNS))


def texts_frame(rows: Sequence[Row]) -> pd.DataFrame:
    """Returns the texts, one line for each prompt and point of the grid, one column for each model.

    The index has the prompt, each parameter that varies, and `repeat` if there are repeats. A text
    is missing if the model has no such answer, or if the answer failed before any text came.
    """
    ready("pandas")
    import pandas as pd

    varied = varied_parameters(rows)
    levels = ["prompt", *varied, *(["repeat"] if any(row.repeat for row in rows) else [])]
    lines: dict[object, dict[str, object]] = {}
    index, counts = [], Counter[object]()
    for row in rows:
        label = label_of(row)
        values = [row.parameters.get(name) for name in varied]
        key = (str(row.prompt_id), row.prompt, *map(repr, values), row.repeat)
        # A model that was asked under two names has two answers; the second one gets a line.
        counts[key, label] += 1
        line = key, counts[key, label]
        if line not in lines:
            lines[line] = {}
            hashable = (v if isinstance(v, Hashable) else str(v) for v in values)
            index.append((fix_surrogates(row.prompt), *hashable, row.repeat)[: len(levels)])
        text = row.completion.text
        lines[line][label] = text if text or row.completion.status.is_ok else None
    labels = dict.fromkeys(label_of(row) for row in rows)
    frame = table_frame(lines.values(), dict.fromkeys(labels, "string"))
    frame.index = (
        pd.MultiIndex.from_tuples(index, names=levels)
        if len(levels) > 1
        else pd.Index([prompt for prompt, *_ in index], name="prompt", dtype="object")
    )
    return frame


def _own_values(values: pd.Series[Any]) -> pd.Series[Any]:
    """Returns a column of the user with the dtype of its values, also beside missing ones."""
    from pandas.api.types import infer_dtype

    inferred = values
    with suppress(OverflowError):  # an older pandas and an integer beyond the floats
        inferred = values.infer_objects()
    if not values.isna().any():
        return inferred
    if inferred.dtype == "object" and values.isna().all():
        return values.map(lambda _: nan).astype("float64")
    kind = infer_dtype(values, skipna=True)
    if kind in NULLABLE and (kind != "floating" or inferred.dtype == "object"):
        with suppress(OverflowError, TypeError):  # an integer beyond 64 bits
            return values.astype(NULLABLE[kind])  # type: ignore[call-overload,no-any-return]
    return inferred


def own_columns(names: Iterable[str], parameters: Iterable[str]) -> dict[str, str]:
    """Returns the column of each of *names*, columns of the user, beside those for *parameters*."""
    ours = {*BEFORE_GRID, *AFTER_GRID, *parameters}
    own, taken = dict.fromkeys(names, ""), set(ours)
    for name in sorted(own, key=lambda name: name in ours or name != fix_surrogates(name)):
        own[name] = free_name(fix_surrogates(name), taken)  # the names that are free come first
    return own


def table_frame(rows: Iterable[Mapping[str, object]], columns: Mapping[str, str]) -> pd.DataFrame:
    """Returns *rows* with exactly *columns* and their dtypes, even if there are no rows."""
    ready("pandas")
    import pandas as pd

    from .exports.excel_frame import DataFrame

    lines = list(rows)
    series = {}
    for name, dtype in columns.items():
        values = [line.get(name) for line in lines]
        if dtype in TEXTS:  # half an emoji cannot be stored
            values = [fix_surrogates(v) if isinstance(v, str) else v for v in values]
        kind = pd.StringDtype() if dtype == "string" else dtype
        series[name] = pd.Series(values, dtype=kind)
    return DataFrame(series)


def pandas_version() -> tuple[int, ...]:
    """Returns the first two numbers of the version of pandas."""
    ready("pandas")
    import pandas as pd

    return tuple(map(int, pd.__version__.split(".")[:2]))


def _line(row: Row) -> dict[str, Any]:
    line = column_values(row)
    for name, value in row.parameters.items():
        if name in PARAMETER_COLUMNS or name not in line:
            line[name] = str(value) if isinstance(value, str) else value
    line["reasoning"] = line["reasoning"] or None
    return line


def free_name(name: str, taken: set[str]) -> str:
    """Returns *name*, with a prefix as long as it is *taken*, and adds it there."""
    while name in taken:
        name = f"prompt_{name}"
    taken.add(name)
    return name
