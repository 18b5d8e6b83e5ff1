"""Rows as DataFrames with fixed columns, and as CSV and Parquet (keeper of pandas)."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from numbers import Number
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import ConfigError
from ..secret import redact
from ..text import escape_controls
from ..types import Row
from .answers.card import tokens_per_second

if TYPE_CHECKING:
    import pandas as pd

WHEN = "datetime64[us, UTC]"
BEFORE_GRID = {
    "run_id": "string", "row": "Int64", "prompt_id": "object", "prompt": "string",
    "system": "string", "repeat": "Int64", "temperature": "Float64", "top_p": "Float64",
    "max_tokens": "Int64", "seed": "Int64",
}  # fmt: skip
AFTER_GRID = {
    "asked": "string", "provider": "string", "request_model": "string",
    "response_model": "string", "how": "string", "lifecycle": "string", "substituted": "boolean",
    "text": "string", "reasoning": "string", "status": "string", "finish_reason": "string",
    "input_tokens": "Int64", "output_tokens": "Int64", "cached_tokens": "Int64",
    "reasoning_tokens": "Int64", "cost_usd": "float64", "time_to_first_chunk_s": "float64",
    "duration_s": "float64", "output_tokens_per_s": "float64", "started_at": WHEN,
    "attempts": "Int64", "possibly_billed": "boolean", "request_id": "string",
    "upstream_provider": "string", "rerouted": "boolean", "ignored_parameters": "string",
    "fallback": "string", "warnings": "string", "error_type": "string", "error": "string",
    "cell": "string",
}  # fmt: skip
# A spreadsheet runs a cell that begins with one of these as a formula.
FORMULA = ("=", "+", "-", "@", "\t", "\r")


def comparison_frame(rows: Sequence[Row]) -> pd.DataFrame:
    """One row per answer, in the order asked; a failed call is a row with `error` set.

    `duration_s` and `time_to_first_chunk_s` are float64 seconds, NaN where nothing came; token
    counts are Int64, <NA> where the provider did not report them; `output_tokens_per_s` comes
    from `tokens_per_second`; `cost_usd` is NaN where no price is known. Further grid parameters
    come after `seed`, the columns of the user's own DataFrame of prompts last.
    """
    grid = {name: "object" for row in rows for name in row.parameters if name not in BEFORE_GRID}
    ours = {**BEFORE_GRID, **grid, **AFTER_GRID}
    extra = {_free(name, ours): "object" for row in rows for name in row.extra}
    lines = [{**_line(row), **{_free(n, ours): v for n, v in row.extra.items()}} for row in rows]
    frame = table_frame(lines, {**ours, **extra})
    return frame.astype({name: frame[name].infer_objects().dtype for name in extra})


def table_frame(rows: Iterable[Mapping[str, object]], columns: Mapping[str, str]) -> pd.DataFrame:
    """*rows* with exactly *columns* in their dtypes, also when there are none."""
    import pandas as pd

    lines = list(rows)
    return pd.DataFrame(
        {
            name: pd.Series(
                [line.get(name) for line in lines],
                dtype=pd.StringDtype() if dtype == "string" else dtype,
            )
            for name, dtype in columns.items()
        }
    )


def csv_text(rows: Sequence[Row], about: Mapping[str, object]) -> str:
    """The table as CSV, after one comment line with *about*; no cell can act, no key is in it.

    `pandas.read_csv(path, skiprows=1)` reads it back.
    """
    frame = comparison_frame(rows)
    for name in _texts(frame):
        frame[name] = frame[name].map(_harmless, na_action="ignore")
    frame.columns = [_harmless(name) for name in frame.columns]
    table: str = frame.to_csv(index=False, lineterminator="\n")
    return f"# {_about_text(about)}\n{table}"


def write_parquet(rows: Sequence[Row], about: Mapping[str, object], path: Path) -> None:
    """The table as Parquet, with *about* in the file's metadata; no key is in it.

    Raises:
        ConfigError: pyarrow is not installed.
    """
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ImportError:
        raise ConfigError('Parquet needs: pip install "llmkit[export]"') from None
    frame = comparison_frame(rows)
    for name in _texts(frame):
        texts = frame[name].map(lambda value: redact(str(value)), na_action="ignore")
        frame[name] = texts.astype("string")
    table = pa.Table.from_pandas(frame, preserve_index=False)
    metadata = {**(table.schema.metadata or {}), b"llmkit": _about_text(about).encode()}
    pq.write_table(table.replace_schema_metadata(metadata), path)


def _line(row: Row) -> dict[str, Any]:
    answer, parameters = row.completion, row.parameters
    line: dict[str, Any] = {
        name: getattr(row, name)
        for name in ("run_id", "row", "prompt_id", "prompt", "system", "repeat", "asked",
                     "provider", "request_model", "how", "lifecycle", "substituted",
                     "error_type", "error", "cell")
    }  # fmt: skip
    line |= {name: value for name, value in parameters.items() if name != "system"}
    line |= {
        name: getattr(answer, name)
        for name in ("response_model", "text", "status", "finish_reason", "cost_usd",
                     "time_to_first_chunk_s", "duration_s", "started_at", "attempts",
                     "possibly_billed", "request_id", "upstream_provider", "rerouted")
    }  # fmt: skip
    for name in ("input_tokens", "output_tokens", "cached_tokens", "reasoning_tokens"):
        line[name] = getattr(answer.usage, name)
    line["reasoning"] = answer.reasoning or None
    line["output_tokens_per_s"] = tokens_per_second(answer)
    line["ignored_parameters"] = ", ".join(answer.ignored_parameters)
    line["fallback"] = " | ".join(map(str, answer.fallback))
    line["warnings"] = "; ".join(answer.warnings)
    # A StrEnum is a str, but its repr would show in an object column.
    return {n: str(value) if isinstance(value, str) else value for n, value in line.items()}


def _free(name: str, columns: Mapping[str, str]) -> str:
    return f"prompt_{name}" if name in columns else name


def _texts(frame: pd.DataFrame) -> list[str]:
    return [name for name in frame.columns if frame[name].dtype in ("string", "object")]


def _about_text(about: Mapping[str, object]) -> str:
    # ASCII, so that nothing in it can act on the terminal or the editor that shows the file.
    return redact(json.dumps(about, default=str))


def _harmless(value: object) -> object:
    if isinstance(value, Number | datetime):
        return value
    text = redact(str(value))
    return f"'{escape_controls(text)}" if text.startswith(FORMULA) else escape_controls(text)
