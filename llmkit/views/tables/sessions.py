"""Builds the tables of sessions and of leaked sessions."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from .table import Line, Table, TableCell, TableColumn
from .units import age, size

Row = Mapping[str, object]

STATUSES = {
    "open": ("●", "good"),
    "in_use": ("▶", "good"),
    "stale": ("◌", "warn"),
    "closed": ("○", "soft"),
    "leaked": ("✗", "bad"),
}
REASONS = {
    "rerun": "its cell ran again",
    "deleted": "its cell was deleted",
    "idle": "idle for too long",
    "age": "open for too long",
    "user": "closed on request",
    "collected": "garbage-collected without being closed",
    "loop_end": "its event loop was closed",
    "exit": "the kernel was shut down",
}
CLOSED_SHOWN = 8  # the newest; `frame()` has the others
COLUMNS = (
    TableColumn("status", fixed=True),
    TableColumn("id", fixed=True),
    TableColumn("provider"),
    TableColumn("cell", fixed=True),
    TableColumn("kind", spare=2),
    TableColumn("age", number=True, fixed=True),
    TableColumn("idle", number=True, fixed=True, spare=1),
    TableColumn("requests", number=True, fixed=True, spare=1),
    TableColumn("requests under way", number=True, spare=1),
    TableColumn("open connections", number=True, spare=2),
    TableColumn("received", number=True, fixed=True, spare=2),
    TableColumn("closed because", spare=2),
)
LEAK_COLUMNS = (
    TableColumn("status", fixed=True),
    TableColumn("id", spare=1),
    TableColumn("provider"),
    TableColumn("opened by"),
    TableColumn("kind", spare=2),
    TableColumn("opened at", text=False),
    TableColumn("lifetime", number=True, fixed=True),
)
# The file name and line that a kernel gives the code of a cell.
CELL_FILE = re.compile(r"ipykernel_\d+[/\\]\d+\.py:(\d+)$|^<ipython-input-[^>]*>:(\d+)$")


def sessions_table(rows: Sequence[Row]) -> Table:
    """Returns the open sessions, newest first, then the last closed ones, without leaks."""
    sessions = [row for row in reversed(rows) if row["status"] != "leaked"]
    open_sessions = [row for row in sessions if row["status"] != "closed"]
    closed_sessions = [row for row in sessions if row["status"] == "closed"]
    more = len(closed_sessions) - CLOSED_SHOWN
    note = f"{more} more were closed earlier; sessions().frame() lists them." if more > 0 else ""
    lines = tuple(map(_line, [*open_sessions, *closed_sessions[:CLOSED_SHOWN]]))
    return Table("Sessions", COLUMNS, lines, "No session has been opened.", note)


def leaks_table(rows: Sequence[Row]) -> Table:
    """Returns the sessions that were never closed, with the cell and line that opened them."""
    lines = tuple(_leak(row) for row in reversed(rows) if row["status"] == "leaked")
    advice = "Open a session in a with block, or close it before its event loop is closed."
    return Table("Leaks", LEAK_COLUMNS, lines, "No session leaked.", advice if lines else "")


def _line(row: Row) -> Line:
    glyph, tone = STATUSES.get(str(row["status"]), ("?", "soft"))
    word = str(row["status"]).replace("_", " ")
    reason = str(row.get("closed_by") or "")
    connections = row.get("open_connections")
    cells = (
        TableCell(f"{glyph} {word}", tone),
        TableCell(str(row["id"])),
        TableCell(str(row["provider"])),
        _cell(row),
        TableCell(str(row["kind"])),
        TableCell(age(row["age_s"])),
        TableCell(age(row["idle_s"])),
        TableCell(f"{row['requests']:,}"),
        TableCell(f"{row['in_flight']:,}"),
        TableCell("–" if connections is None else f"{connections:,}"),
        TableCell(size(row["bytes_in"])),
        TableCell(REASONS.get(reason, reason)),
    )
    return Line(str(row["id"]), cells)


def _leak(row: Row) -> Line:
    glyph, tone = STATUSES["leaked"]
    place = str(row.get("opened_at") or "unknown")
    match = CELL_FILE.search(place)
    if match and row.get("cell") is not None:
        place = f"line {match[1] or match[2]} of its cell"
    cells = (
        TableCell(f"{glyph} leaked", tone),
        TableCell(str(row["id"])),
        TableCell(str(row["provider"])),
        _cell(row),
        TableCell(str(row["kind"])),
        TableCell(place),
        TableCell(age(row["age_s"])),
    )
    return Line(str(row["id"]), cells)


def _cell(row: Row) -> TableCell:
    count, cell = row.get("execution_count"), row.get("cell")
    if count is not None:
        return TableCell(f"In [{count}]", title=str(cell or ""))
    return TableCell("–" if cell is None else "a cell", title=str(cell or ""))
