"""A table as a plain value, and how it looks: as HTML, as text, and as data for a script."""

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
        text: What stands in it; a sign is never without its word.
        tone: good, warn, bad or soft; never the only bearer of a meaning.
        title: The whole of it, where the text is short.
    """

    text: str
    tone: str = ""
    title: str = ""


@dataclass(frozen=True, slots=True)
class TableColumn:
    """One column.

    Attributes:
        number: True for figures, which stand at the right.
        fixed: True for one whose few words stay on one line.
        spare: 1 for one that a narrow page leaves out, 2 and 3 for those that only a
            wide and a very wide page has.
        text: False for one of sentences, which a terminal and a narrow page show below the line.
    """

    name: str
    number: bool = False
    fixed: bool = False
    spare: int = 0
    text: bool = True


@dataclass(frozen=True, slots=True)
class Line:
    """One line; *id* tells it from the others, whatever is in it."""

    id: str
    cells: tuple[TableCell, ...]


@dataclass(frozen=True, slots=True)
class Table:
    """Columns, lines, and what is said above and below them."""

    caption: str
    columns: tuple[TableColumn, ...]
    lines: tuple[Line, ...]
    empty: str = "nothing here"
    note: str = ""


def plain(table: Table) -> dict[str, object]:
    """The table as JSON for a script, which paints what changed; no key is in it."""
    return {
        "caption": safe_text(table.caption),
        "columns": [
            {
                "name": safe_text(c.name),
                "number": c.number,
                "fixed": c.fixed,
                "spare": c.spare,
                "long": not c.text,
            }
            for c in table.columns
        ],
        "lines": [
            {"id": line.id, "cells": [_plain(cell) for cell in line.cells]} for line in table.lines
        ],
        "empty": table.empty,
        "note": safe_text(table.note),
    }


def tables_html(*tables: Table) -> str:
    """The tables one below the other; they read as such where their style is taken away."""
    return framed("".join(map(_html, tables)))


def tables_text(*tables: Table, width: int | None = None) -> str:
    """The tables for a terminal."""
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
    # Inline, because a notebook that is not trusted drops the style sheet.
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
    lines = [
        safe_text(table.caption),
        _joined(heads, widths, right),
        GAP.join("-" * w for w in widths),
    ]
    for line, row in zip(table.lines, rows, strict=True):
        lines.append(_joined(row, widths, right))
        below = [c.text for c, col in zip(line.cells, table.columns, strict=True) if not col.text]
        lines += [
            f"    {piece}"
            for text in below
            if text
            for piece in wrapped(safe_text(text), width - 4)
        ]
    if table.note:
        lines += wrapped(safe_text(table.note), width)
    return "\n".join(clipped(piece, width) for piece in lines)


def _joined(cells: Sequence[str], widths: Sequence[int], right: Sequence[bool]) -> str:
    parts = [
        " " * (width - width_of(cell)) + cell if at_right else padded(cell, width)
        for cell, width, at_right in zip(cells, widths, right, strict=True)
    ]
    return GAP.join(parts).rstrip()
