"""Defines tables as plain values, and renders them as HTML, text and JSON."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass

from ..markup import clipped, escape, framed, padded, safe_text, width_of, wrapped

GAP = "  "
WIDEST = 48  # of a column of text in a terminal


@dataclass(frozen=True, slots=True)
class TableCell:
    """One cell.

    Attributes:
        text: The content; a symbol is always followed by its word.
        tone: good, warn, bad or soft; never the only sign of a meaning.
        title: The tooltip, such as the full form of an abbreviated text.
    """

    text: str
    tone: str = ""
    title: str = ""


@dataclass(frozen=True, slots=True)
class TableColumn:
    """One column.

    Attributes:
        number: True for numbers, which are aligned to the right.
        fixed: True for short texts that do not wrap.
        spare: 1 hides the column on a narrow page; 2 and 3 show it on a wide and a very wide one.
        text: False for sentences, which a terminal and a narrow page show below the line.
    """

    name: str
    number: bool = False
    fixed: bool = False
    spare: int = 0
    text: bool = True


@dataclass(frozen=True, slots=True)
class Line:
    """One line; *id* identifies it among the lines of the table."""

    id: str
    cells: tuple[TableCell, ...]


@dataclass(frozen=True, slots=True)
class Table:
    """Columns and lines, with a caption above and a note below; *empty* replaces no lines."""

    caption: str
    columns: tuple[TableColumn, ...]
    lines: tuple[Line, ...]
    empty: str = "no rows"
    note: str = ""


def plain(table: Table) -> dict[str, object]:
    """Returns the table as JSON values for `static/table.js`, with API keys redacted."""
    columns = [
        {"name": safe_text(column.name), "number": column.number, "fixed": column.fixed,
         "spare": column.spare, "long": not column.text}
        for column in table.columns
    ]  # fmt: skip
    lines = [{"id": line.id, "cells": list(map(_plain, line.cells))} for line in table.lines]
    texts = {"caption": safe_text(table.caption), "note": safe_text(table.note)}
    return {**texts, "columns": columns, "lines": lines, "empty": table.empty}


def tables_html(*tables: Table) -> str:
    """Returns the tables one below the other, as HTML that is readable without its styles."""
    return framed("".join(map(_html, tables)))


def tables_text(*tables: Table, width: int | None = None) -> str:
    """Returns the tables for a terminal."""
    columns = width or shutil.get_terminal_size((120, 24)).columns
    return "\n\n".join(_text(table, columns) for table in tables)


def _plain(cell: TableCell) -> list[str]:
    values = [safe_text(cell.text), cell.tone, safe_text(cell.title)]
    while len(values) > 1 and not values[-1]:
        values.pop()
    return values


def _html(table: Table) -> str:
    parts = [f"<caption>{escape(table.caption)}</caption>"]
    if table.lines:
        parts += [f"<thead><tr>{''.join(map(_head, table.columns))}</tr></thead>"]
        body = "".join(_line(table, line) for line in table.lines)
    else:
        body = f"<tr><td>{escape(table.empty)}</td></tr>"
    note = f'<p class="lk-note">{escape(table.note)}</p>' if table.note else ""
    return f'<table class="lk-table">{"".join(parts)}<tbody>{body}</tbody></table>{note}'


def _head(column: TableColumn) -> str:
    return f'<th scope="col"{_class(column)}{_align(column)}>{escape(column.name)}</th>'


def _line(table: Table, line: Line) -> str:
    parts = []
    for column, cell in zip(table.columns, line.cells, strict=True):
        title = f' title="{escape(cell.title)}"' if cell.title else ""
        parts.append(f"<td{_class(column, cell)}{_align(column)}{title}>{escape(cell.text)}</td>")
    return f"<tr>{''.join(parts)}</tr>"


def _class(column: TableColumn, cell: TableCell | None = None) -> str:
    names = ["lk-fixed"] if column.fixed else []
    names += [f"lk-spare-{column.spare}"] if column.spare else []
    names += [f"lk-{cell.tone}"] if cell is not None and cell.tone else []
    return f' class="{" ".join(names)}"' if names else ""


def _align(column: TableColumn) -> str:
    # Inline, because an untrusted notebook drops the style sheet.
    return f' style="text-align:{"right" if column.number else "left"}"'


def _text(table: Table, width: int) -> str:
    if not table.lines:
        return "\n".join([safe_text(table.caption), *wrapped(table.empty, width)])
    indices = [i for i, column in enumerate(table.columns) if column.text]
    rows = [
        [clipped(" ".join(safe_text(line.cells[i].text).split()), WIDEST) for i in indices]
        for line in table.lines
    ]
    heads = [table.columns[i].name for i in indices]
    widths = [max(map(width_of, column)) for column in zip(heads, *rows, strict=True)]
    right = [table.columns[i].number for i in indices]
    rule = GAP.join("-" * width for width in widths)
    lines = [safe_text(table.caption), _joined(heads, widths, right), rule]
    for line, row in zip(table.lines, rows, strict=True):
        lines.append(_joined(row, widths, right))
        for cell, column in zip(line.cells, table.columns, strict=True):
            if not column.text and cell.text:
                lines += [f"    {piece}" for piece in wrapped(safe_text(cell.text), width - 4)]
    if table.note:
        lines += wrapped(safe_text(table.note), width)
    return "\n".join(clipped(piece, width) for piece in lines)


def _joined(cells: Sequence[str], widths: Sequence[int], right: Sequence[bool]) -> str:
    parts = [
        " " * (width - width_of(cell)) + cell if at_right else padded(cell, width)
        for cell, width, at_right in zip(cells, widths, right, strict=True)
    ]
    return GAP.join(parts).rstrip()
