"""Builds the table of sign-in states, with advice for each provider."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from .table import Line, Table, TableCell, TableColumn
from .units import seconds

# Symbol and tone of each state; the table shows the state's name beside the symbol.
STATES = {
    "not_checked": ("?", "soft"),
    "checking": ("…", "soft"),
    "ready": ("✓", "good"),
    "no_key": ("–", "soft"),
    "malformed": ("✗", "bad"),
    "rejected": ("✗", "bad"),
    "no_permission": ("✗", "bad"),
    "no_credit": ("!", "warn"),
    "rate_limited": ("!", "warn"),
    "unreachable": ("!", "warn"),
    "timed_out": ("!", "warn"),
    "tls_error": ("✗", "bad"),
    "wrong_address": ("✗", "bad"),
    "server_error": ("!", "warn"),
    "not_running": ("○", "soft"),
}
COLUMNS = (
    TableColumn("state", fixed=True),
    TableColumn("provider"),
    TableColumn("key", spare=1),
    TableColumn("what to do", text=False),
    TableColumn("took", number=True, fixed=True, spare=2),
    TableColumn("attempts", number=True, fixed=True, spare=2),
    TableColumn("checked", spare=2),
)


def auth_table(rows: Sequence[Mapping[str, object]]) -> Table:
    """Returns one line for each provider, from the rows of an `AuthReport`."""
    return Table("Sign-in", COLUMNS, tuple(map(_line, rows)), "no providers")


def _line(row: Mapping[str, object]) -> Line:
    glyph, tone = STATES.get(str(row["state"]), ("!", "warn"))
    word = str(row["state"]).replace("_", " ")
    source, tail = str(row.get("key_source") or "none"), str(row.get("key_tail") or "")
    key = f"{source} …{tail}" if tail else source
    moment = row.get("checked_at")
    clock = moment.astimezone().strftime("%H:%M:%S") if isinstance(moment, datetime) else "–"
    cells = (
        TableCell(f"{glyph} {word}", tone, str(row.get("error") or "")),
        TableCell(str(row["provider"]), title=str(row.get("base_url") or "")),
        TableCell("–" if source == "none" else key),
        TableCell(str(row.get("advice") or "")),
        TableCell(seconds(row.get("latency_s"))),
        TableCell(str(row.get("attempts") or "–")),
        TableCell(clock),
    )
    return Line(str(row["provider"]), cells)
