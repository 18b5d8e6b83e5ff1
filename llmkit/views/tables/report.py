"""Defines the base of tables that display themselves and convert to a DataFrame."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Self

from ...cell import InterruptGuard
from ..columns import column_values
from ..markup import cell
from .table import Line, Table, TableCell, TableColumn, tables_html, tables_text

if TYPE_CHECKING:
    import pandas as pd


class View:
    """A display with an HTML form for notebooks and a text form for terminals."""

    def __init__(self, html: str, text: str) -> None:
        self._html = html
        self._text = text

    def __repr__(self) -> str:
        return self._text

    def _repr_html_(self) -> str:
        return self._html


class Report:
    """Rows with fixed columns, which a subclass declares.

    Attributes:
        title: The caption of the table.
        columns: All columns and their dtypes, in order.
        shown: The columns of the display; `frame()` has all of them.
        rows: One mapping for each line.
    """

    title: ClassVar[str] = ""
    columns: ClassVar[Mapping[str, str]] = {}
    shown: ClassVar[tuple[str, ...]] = ()

    def __init__(self, rows: Sequence[Mapping[str, object]]) -> None:
        self.rows = tuple(rows)

    @classmethod
    def of(cls, items: Any) -> Self:
        """Returns one line for each of *items*, whose class declares the columns."""
        return cls([column_values(item) for item in items])

    @InterruptGuard()
    def frame(self) -> pd.DataFrame:
        """Returns all columns; the dtypes are the same even if there are no rows."""
        from ..frames import table_frame

        return table_frame(self.rows, self.columns)

    def tables(self) -> tuple[Table, ...]:
        """Returns the tables of the display, as plain values."""
        names = self.shown or tuple(self.columns)
        numbers = [self.columns.get(n, "").lower().startswith(("int", "float")) for n in names]
        columns = tuple(map(TableColumn, names, numbers))
        cells = [tuple(TableCell(cell(row.get(name))) for name in names) for row in self.rows]
        lines = tuple(Line(str(i), line) for i, line in enumerate(cells))
        return (Table(self.title, columns, lines),)

    def __len__(self) -> int:
        return len(self.rows)

    def __iter__(self) -> Iterator[Mapping[str, object]]:
        return iter(self.rows)

    @InterruptGuard()
    def __str__(self) -> str:
        return tables_text(*self.tables())

    __repr__ = __str__

    @InterruptGuard()
    def _repr_html_(self) -> str:
        return tables_html(*self.tables())
