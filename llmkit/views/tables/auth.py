"""Sign-in states as a table: what is known of each key, and what to do about it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from .table import Line, Table, TableCell, TableColumn
from .units import seconds

# A sign and a tone for each state; the state's own word stands beside the sign.
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
    """One line for each provider, from the rows of an `AuthReport`."""
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
