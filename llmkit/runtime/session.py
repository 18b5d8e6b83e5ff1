"""Describes one session: its resource, its owner and its status."""

from __future__ import annotations

import weakref
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Literal, get_args

from ..cell import Cell
from ..fields import COLUMN, WHEN, Column, column

Kind = Literal["pool", "temporary", "registered"]
ClosedBy = Literal["rerun", "deleted", "idle", "age", "user", "collected", "loop_end", "exit"]
REASONS = f"why it was closed: {', '.join(get_args(ClosedBy))}"


class SessionStatus(StrEnum):
    """The stages of a session's life."""

    OPEN = "open"
    IN_USE = "in_use"
    STALE = "stale"
    CLOSED = "closed"
    LEAKED = "leaked"


@dataclass(eq=False, slots=True)
class Session:
    """One resource and its record; changed only by the registry.

    Attributes:
        resource: The client or session; None once closed, so that nothing keeps it alive.
        loop: The loop that must close it; None if it needs none.
        opened_at: File and line of the code that opened it.
        stale: Why it is to be closed, None while it may stay open.
        handle: The context manager of a temporary session; None for any other.
        seen: The activity of its connections at the last sweep.
    """

    id: str
    resource: Any
    provider: str
    kind: Kind
    cell: Cell | None
    loop: object | None
    base_url: str
    keep: bool
    opened_at: str
    created: datetime
    opened_s: float
    used_s: float
    requests: int = 0
    in_flight: int = 0
    bytes_in: int | None = None
    closed_s: float | None = None
    stale: ClosedBy | None = None
    closed_by: ClosedBy | None = None
    leaked: bool = False
    handle: weakref.ref[Any] | None = None
    seen: object = None

    @property
    def status(self) -> SessionStatus:
        """The stage of its life."""
        if self.leaked:
            return SessionStatus.LEAKED
        if self.closed_by is not None:
            return SessionStatus.CLOSED
        if self.stale is not None:
            return SessionStatus.STALE
        return SessionStatus.IN_USE if self.in_flight else SessionStatus.OPEN


@dataclass(frozen=True, slots=True)
class SessionRow:
    """One line of the session table."""

    id: str = field(metadata={COLUMN: Column("string", "name of the session in this process")})
    provider: str = field(metadata={COLUMN: Column("string", "the provider it is connected to")})
    kind: str = field(metadata={COLUMN: Column("string", "pool, temporary, or registered by you")})
    status: str = field(metadata={COLUMN: Column("string", ", ".join(SessionStatus))})
    cell: str | None = field(metadata={COLUMN: Column("string", "the cell that owns it")})
    execution_count: int | None = field(metadata={COLUMN: Column("Int64", "number of that cell")})
    loop: str | None = field(metadata={COLUMN: Column("string", "the event loop it belongs to")})
    created: datetime = field(metadata={COLUMN: Column(WHEN, "when it was opened")})
    age_s: float = field(metadata={COLUMN: Column("float64", "seconds since it was opened")})
    idle_s: float = field(metadata={COLUMN: Column("float64", "seconds since its last use")})
    requests: int = field(metadata={COLUMN: Column("Int64", "requests that it has sent")})
    in_flight: int = field(metadata={COLUMN: Column("Int64", "requests under way")})
    open_connections: int | None = field(metadata={COLUMN: Column("Int64", "those open now")})
    bytes_in: int | None = field(metadata={COLUMN: Column("Int64", "bytes that it has received")})
    closed_by: str | None = field(metadata={COLUMN: Column("string", REASONS)})
    opened_at: str = column("string", "the file and line that opened it", default="")
