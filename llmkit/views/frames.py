"""Converts rows to DataFrames, CSV and Parquet. Only this module imports pandas."""

from __future__ import annotations

import csv
import json
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from numbers import Number
from typing import TYPE_CHECKING, Any

from ..cell import ready
from ..errors import ConfigError
from ..fields import Column
from ..secret import escape_controls, is_unseen, redact
from ..types import PARAMETERS
from ..wire.messages import fix_surrogates
from .columns import column_values, columns_of, dtypes
from .rows import Row

if TYPE_CHECKING:
    import pandas as pd

# Placed after `repeat`, before further parameters of the grid.
PARAMETER_COLUMNS = {
    name: Column(
        row.dtype, f"{row.help}, as asked", source="you", missing="you set none: see `sent`"
    )
    for name, row in PARAMETERS.items()
    if row.dtype != "object"
}
_ROW = tuple(columns_of(Row).items())
_GRID = 1 + [name for name, _ in _ROW].index("repeat")
BEFORE_GRID = {**dict(_ROW[:_GRID]), **PARAMETER_COLUMNS}
AFTER_GRID = dict(_ROW[_GRID:])
TEXTS = ("string", "object")  # dtypes of columns with text
# A spreadsheet may run a cell as a formula if it begins with one of these signs, also after blanks
# and in a full-width, small or raised form (OWASP's page on CSV injection, read 2026-11-30).
SIGNS = frozenset("=+-@\u2212")
SKIPPED = ("\t", "\r", "\n")  # at the beginning, an import may leave them out


def comparison_frame(rows: Sequence[Row]) -> pd.DataFrame:
    """Returns one row per answer, in the order of the request; a failed call has `error` set.

    Seconds and `cost_usd` are NaN if unknown, token counts <NA> if the provider did not report
    them. Further parameters come after `seed`; columns of the DataFrame of prompts come last, as
    prompt_NAME if the name is taken.
    """
    grid = {name: "object" for row in rows for name in row.parameters if name not in BEFORE_GRID}
    ours = {**dtypes(BEFORE_GRID), **grid, **dtypes(AFTER_GRID)}
    own, taken = dict.fromkeys((name for row in rows for name in row.extra), ""), set(ours)
    for name in sorted(own, key=lambda name: name in ours or name != fix_surrogates(name)):
        own[name] = _distinct(fix_surrogates(name), taken)  # the names that are free come first
    lines = [{**_line(row), **{own[name]: v for name, v in row.extra.items()}} for row in rows]
    frame = table_frame(lines, {**ours, **dict.fromkeys(own.values(), "object")})
    return frame.astype({name: frame[name].infer_objects().dtype for name in own.values()})


def table_frame(rows: Iterable[Mapping[str, object]], columns: Mapping[str, str]) -> pd.DataFrame:
    """Returns *rows* with exactly *columns* and their dtypes, even if there are no rows."""
    ready("pandas")
    import pandas as pd

    lines = list(rows)
    series = {}
    for name, dtype in columns.items():
        values = [line.get(name) for line in lines]
        if dtype in TEXTS:  # half an emoji cannot be stored
            values = [fix_surrogates(v) if isinstance(v, str) else v for v in values]
        kind = pd.StringDtype() if dtype == "string" else dtype
        series[name] = pd.Series(values, dtype=kind)
    return pd.DataFrame(series)


def csv_text(rows: Sequence[Row], about: Mapping[str, object]) -> str:
    """Returns the frame as CSV after a comment line with *about*, without formulas and API keys.

    `pandas.read_csv(path, skiprows=1)` reads it.
    """
    frame = comparison_frame(rows)
    for name in _texts(frame):
        frame[name] = frame[name].map(_harmless, na_action="ignore")
    frame.columns = [_harmless(name) for name in frame.columns]
    # LibreOffice also separates cells at semicolons and tabs that are not between quotes.
    table: str = frame.to_csv(index=False, lineterminator="\n", quoting=csv.QUOTE_NONNUMERIC)
    return f"# {_about_text(about)}\n{table}"


def parquet_bytes(rows: Sequence[Row], about: Mapping[str, object]) -> bytes:
    """Returns the frame as Parquet, with *about* in the file's metadata and keys redacted.

    Raises:
        ConfigError: pyarrow is not installed.
    """
    try:
        ready("pyarrow.parquet")
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ImportError:
        raise ConfigError('Parquet needs: pip install "llmkit[export]"') from None
    frame = comparison_frame(rows)
    for name in _texts(frame):
        frame[name] = frame[name].map(_storable, na_action="ignore").astype("string")
    taken: set[str] = set()  # keys in names are masked alike, and Parquet takes no name twice
    frame.columns = [_distinct(_storable(name), taken) for name in frame.columns]
    table = pa.Table.from_pandas(frame, preserve_index=False)
    metadata = {**(table.schema.metadata or {}), b"llmkit": _about_text(about).encode()}
    file = pa.BufferOutputStream()
    pq.write_table(table.replace_schema_metadata(metadata), file)
    content: bytes = file.getvalue().to_pybytes()
    return content


def _line(row: Row) -> dict[str, Any]:
    line = column_values(row)
    for name, value in row.parameters.items():
        if name in PARAMETER_COLUMNS or name not in line:
            line[name] = str(value) if isinstance(value, str) else value
    line["reasoning"] = line["reasoning"] or None
    return line


def _distinct(name: str, taken: set[str]) -> str:
    """Returns *name*, with a prefix as long as it is *taken*, and adds it there."""
    while name in taken:
        name = f"prompt_{name}"
    taken.add(name)
    return name


def _texts(frame: pd.DataFrame) -> list[str]:
    return [name for name in frame.columns if frame[name].dtype in TEXTS]


def _storable(value: object) -> str:
    return fix_surrogates(redact(str(value)))


def _about_text(about: Mapping[str, object]) -> str:
    # ASCII, so that no control character reaches a terminal or an editor that shows the file.
    return redact(json.dumps(about, default=str))


def _harmless(value: object) -> object:
    if isinstance(value, Number | datetime):
        return value
    text = redact(str(value))
    is_formula = text.startswith(SKIPPED) or _begins_with_sign(text)
    return f"'{escape_controls(text)}" if is_formula else escape_controls(text)


def _begins_with_sign(text: str) -> bool:
    first = next((c for c in text if not (c.isspace() or c < " " or is_unseen(c))), " ")
    is_dash = unicodedata.category(first) == "Pd"
    return is_dash or unicodedata.normalize("NFKC", first) in SIGNS
