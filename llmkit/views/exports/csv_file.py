"""Writes the frame of a comparison as CSV, with the options of `pandas.read_csv` that read it."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final

from ..frames import comparison_frame, pandas_version
from ..records import plain
from ..rows import Row
from .cells import distinct, guarded, stored, text_columns

if TYPE_CHECKING:
    import pandas as pd

SCHEMA, VERSION = "llmkit.csv", 1
HEAD = f'{{\n "schema": "{SCHEMA}"'.encode()  # how each description begins
MISSING = "<NA>"
# LibreOffice also separates cells at semicolons and tabs that are not between quotes, and Python
# before 3.11.9 leaves a text with a lone "\r" without quotes if it may.
QUOTED: Final = csv.QUOTE_NONNUMERIC


def csv_files(
    rows: Sequence[Row], about: Mapping[str, object], *, safe: bool = False
) -> tuple[bytes, bytes]:
    """Returns the frame as CSV, and its description as JSON.

    The description has what made the file (`about`), and `read_csv`: the options with which
    `pandas.read_csv` reads the frame back. `astype` has the dtypes that these options cannot
    restore. `texts` names the columns whose values, such as lists, became texts for good.

    Args:
        safe: True if no cell may run as a formula; characters that act or hide are shown as codes.
    """
    frame = comparison_frame(rows)
    written = guarded if safe else stored
    frame.columns = distinct(frame.columns, written)
    dtypes = {str(name): str(frame[name].dtype) for name in frame.columns}
    texts = text_columns(frame)
    changed = [name for name in texts if not _holds_texts(frame[name])]
    dtypes |= dict.fromkeys(changed, "object")
    for name in texts:
        frame[name] = frame[name].map(written, na_action="ignore").astype("object")
    marker = MISSING  # a text that no value is
    while any((frame[name] == marker).any() for name in texts):
        marker = f"<{marker}>"
    text = frame.to_csv(index=False, na_rep=marker, lineterminator="\n", quoting=QUOTED)
    table = text.encode()
    options, astype = _reading(frame, dtypes, has_nul=b"\0" in table)
    description = {
        "schema": SCHEMA, "version": VERSION, "sha256": sha256(table).hexdigest(), "safe": safe,
        "read_csv": {
            "encoding": "utf-8", "header": 0, "names": list(frame.columns),
            "keep_default_na": False, "na_values": [marker], **options,
        },
        "astype": astype, "texts": changed, "about": plain(about),
    }  # fmt: skip
    return table, json.dumps(description, indent=1).encode()


def _holds_texts(values: pd.Series[Any]) -> bool:
    return values.dtype in ("string", "object") and all(
        isinstance(value, str) for value in values.dropna()
    )


def _reading(
    frame: pd.DataFrame, dtypes: Mapping[str, str], *, has_nul: bool
) -> tuple[dict[str, object], dict[str, str]]:
    """Returns the options of `read_csv` for the dtypes of *frame*, and what is left for `astype`.

    `read_csv` gives dates one resolution, without a zone if all are missing. Before pandas 3.1, its
    fast engine ends a text at a NUL, the other one reads floats inexactly, and exact floats need an
    option (measured with 2.2.0, 3.0.0 and 3.1.1, 2026-11-30).
    """
    version = pandas_version()
    unit = "us" if version >= (3,) else "ns"
    parsed = (f"datetime64[{unit}]", f"datetime64[{unit}, UTC]")
    options: dict[str, object] = {"date_format": "ISO8601"}
    inexact: tuple[str, ...] = ()
    if version < (3, 1):
        options |= {"engine": "python"} if has_nul else {"float_precision": "round_trip"}
        inexact = ("float64",) if has_nul else ()
    dates, astype, read = [], {}, {}
    for name, dtype in dtypes.items():
        if dtype in parsed and frame[name].notna().any():
            dates.append(name)
        elif dtype.startswith("datetime64") or dtype in inexact:
            astype[name], read[name] = dtype, "object"
        else:
            read[name] = dtype
    return {**options, "parse_dates": dates, "dtype": read}, astype
