"""Writes the frame of a comparison as an Excel workbook. Only this module imports openpyxl."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from ...cell import ready
from ...errors import ConfigError
from ..frames import comparison_frame
from ..rows import Row
from .cells import begins_with_sign, distinct, stored
from .excel_values import LARGEST, excel_text, without_zone

# Excel's own limits (Microsoft's page "Excel specifications and limits", read 2026-11-30).
MOST_ROWS, MOST_COLUMNS, MOST_CHARACTERS = 1_048_576, 16_384, 32_767
EXACT = 10**15  # Excel has 15 digits; a larger integer becomes a text
FIRST_YEAR = 1901  # Excel's 1900 has a day that never was; an earlier time becomes a text
TIME = "yyyy-mm-dd hh:mm:ss.000"


def excel_bytes(rows: Sequence[Row], about: Mapping[str, object]) -> bytes:
    """Returns a workbook: the frame in the sheet `answers`, and *about* in the sheet `about`.

    Texts are never formulas. Times are in UTC, without a zone. A text that is too long for a cell
    is cut, and the sheet `about` says so.

    Raises:
        ConfigError: openpyxl is not installed, or the frame is larger than a sheet.
    """
    try:
        ready("openpyxl")
        from openpyxl import Workbook
    except ImportError:
        raise ConfigError('Excel needs: pip install "llmkit[excel]"') from None
    frame = comparison_frame(rows)
    for what, count, most in (
        ("answers", len(frame), MOST_ROWS - 1), ("columns", frame.shape[1], MOST_COLUMNS),
    ):  # fmt: skip
        if count > most:
            raise ConfigError(
                f"an Excel sheet has at most {most:,} {what}, got {count:,}; use to_parquet or "
                "to_csv"
            )
    book = Workbook(write_only=True)
    answers, cut = book.create_sheet("answers"), list[str]()
    answers.freeze_panes = "A2"
    names = distinct(frame.columns, stored)
    answers.append(_cells(answers, names, names, []))
    lines = frame.astype(object).where(frame.notna(), None).to_numpy()
    for row, values in zip(rows, lines, strict=True):
        places = [f"row {row.row}, {name}" for name in names]
        answers.append(_cells(answers, places, values, cut))
    notes = book.create_sheet("about")
    for pair in {**about, "cut": cut or None}.items():
        notes.append(_cells(notes, pair, pair, []))
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def _cells(
    sheet: Any, places: Iterable[Any], values: Iterable[Any], cut: list[str]
) -> Iterator[Any]:
    """Yields the cells of one row, and adds to *cut* the places whose texts do not fit."""
    from openpyxl.cell import WriteOnlyCell

    for place, value in zip(places, values, strict=True):
        most = LARGEST if isinstance(value, float) else EXACT
        is_number = isinstance(value, int | float) and abs(value) <= most  # not NaN, not infinite
        if value is None or is_number:
            yield value
        elif isinstance(value, datetime) and value.year >= FIRST_YEAR:
            cell = WriteOnlyCell(sheet, without_zone(value))
            cell.number_format = TIME
            yield cell
        else:
            text = excel_text(stored(value))
            units = text.encode("utf-16-le")  # which Excel counts
            if len(units) > 2 * MOST_CHARACTERS:
                text = units[: 2 * MOST_CHARACTERS].decode("utf-16-le", "ignore")
                cut.append(f"{place}: {len(units) // 2:,} characters")
            cell = WriteOnlyCell(sheet, text)
            cell.data_type = "s"  # openpyxl makes a formula of "=1", and an error of "#N/A"
            if begins_with_sign(text):
                cell.quotePrefix = True  # it stays a text when it is edited
            yield cell
