"""Defines the class of every DataFrame that llmkit returns. Imported once pandas is."""

from __future__ import annotations

from copy import copy
from datetime import datetime
from typing import Any

import pandas as pd

from .excel_values import LARGEST, excel_text, without_zone


class _SameAsPandas(type):
    """Makes each DataFrame an instance: `pandas.testing.assert_frame_equal` compares classes."""

    def __instancecheck__(cls, instance: object) -> bool:
        return isinstance(instance, pd.DataFrame)


class DataFrame(pd.DataFrame, metaclass=_SameAsPandas):
    """A DataFrame whose `to_excel` writes times as UTC without a zone, and texts as texts.

    It is like one of pandas otherwise, and has its name, by which some editors recognise one. What
    is unpickled is one of pandas.
    """

    @property
    def _constructor(self) -> type[DataFrame]:
        return DataFrame

    def __reduce_ex__(self, protocol: Any) -> Any:
        plain = pd.DataFrame(self)
        plain.attrs = self.attrs
        return copy, (plain,)  # which is read where llmkit is not installed, too

    def to_excel(  # type: ignore[misc]  # final for type checkers; pandas calls it on any frame
        self, excel_writer: Any, **options: Any
    ) -> None:
        """Does what `pandas.DataFrame.to_excel` does, with its arguments."""
        if not isinstance(excel_writer, pd.ExcelWriter):
            opened = {
                name: options.pop(name) for name in ("engine", "engine_kwargs") if name in options
            }
            with pd.ExcelWriter(excel_writer, **opened) as writer:
                return self.to_excel(writer, **options)
        book, name = excel_writer.book, options.get("sheet_name", "Sheet1")
        if excel_writer.engine == "xlsxwriter":
            book.strings_to_formulas = book.strings_to_urls = False  # in the sheets made after this
        earlier = _not_texts(excel_writer, name)
        pd.DataFrame.to_excel(_for_excel(self), excel_writer, **options)
        for cell in _not_texts(excel_writer, name) - earlier:
            cell.data_type = "s"
        return None


def _not_texts(writer: Any, name: str) -> set[Any]:
    """Returns the cells of openpyxl's sheet *name* that are formulas ("=1") or errors ("#N/A")."""
    sheet = writer.sheets.get(name) if writer.engine == "openpyxl" else None
    return {cell for row in sheet or () for cell in row if cell.data_type in "fe"}


def _for_excel(frame: pd.DataFrame) -> pd.DataFrame:
    values = {place: _column_for_excel(frame.iloc[:, place]) for place in range(frame.shape[1])}
    made = pd.DataFrame(values, index=frame.index)
    made.index = _index_for_excel(frame.index)
    made.columns = frame.columns.map(_value_for_excel)
    return made


def _index_for_excel(index: pd.Index[Any]) -> pd.Index[Any]:
    parts = [index.get_level_values(n).to_series() for n in range(index.nlevels)]
    levels, names = map(_column_for_excel, parts), [_value_for_excel(name) for name in index.names]
    if isinstance(index, pd.MultiIndex):
        return pd.MultiIndex.from_arrays([*levels], names=names)
    made: pd.Index[Any] = pd.Index(next(levels), name=names[0])
    return made


def _column_for_excel(values: pd.Series[Any]) -> pd.Series[Any]:
    if isinstance(values.dtype, pd.DatetimeTZDtype):
        without: pd.Series[Any] = values.dt.tz_convert("UTC").dt.tz_localize(None)
        return without
    if values.dtype.kind == "f" and (values.abs() > LARGEST).any():
        return values.astype(object).map(_number_for_excel, na_action="ignore")
    if values.dtype.kind != "O":
        return values
    return values.astype(object).map(_value_for_excel, na_action="ignore")


def _number_for_excel(value: float) -> float | str:
    return str(value) if abs(value) > LARGEST else value


def _value_for_excel(value: object) -> object:
    if isinstance(value, str):
        return excel_text(value)
    return without_zone(value) if isinstance(value, datetime) else value
