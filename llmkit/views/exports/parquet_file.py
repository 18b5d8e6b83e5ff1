"""Writes the frame of a comparison as Parquet. Only this module imports pyarrow."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from ...cell import ready
from ...errors import ConfigError
from ...secret import redact
from ..frames import comparison_frame
from ..rows import Row
from .cells import distinct, stored, text_columns

KEPT = "iufbMm"  # the kinds of dtypes that are stored as they are


def parquet_bytes(rows: Sequence[Row], about: Mapping[str, object]) -> bytes:
    """Returns the frame as Parquet, with *about* in the file's metadata and keys redacted.

    A column of numbers, booleans or dates stays one; any other is a column of texts.

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
    frame.columns = distinct(frame.columns, stored)  # Parquet takes no name twice
    for name in text_columns(frame, KEPT):
        dtype: Any = frame[name].dtype
        if str(dtype) != "str":  # the texts of pandas 3
            dtype = "string"
        frame[name] = frame[name].map(stored, na_action="ignore").astype(dtype)
    table = pa.Table.from_pandas(frame, preserve_index=False)
    # ASCII, so that no control character reaches a terminal or an editor that shows the file.
    made_by = {b"llmkit": redact(json.dumps(about, default=str)).encode()}
    table = table.replace_schema_metadata({**(table.schema.metadata or {}), **made_by})
    file = pa.BufferOutputStream()
    pq.write_table(table, file)
    content: bytes = file.getvalue().to_pybytes()
    return content
