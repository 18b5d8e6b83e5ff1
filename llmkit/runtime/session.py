"""One session: what is open, who owns it, and where it is in its life."""

from __future__ import annotations

import weakref
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Literal

from ..cell import Cell

Kind = Literal["pool", "temporary", "registered"]


ClosedBy = Literal["rerun", "deleted", "idle", "age", "user", "collected", "loop_end", "exit"]


class SessionStatus(StrEnum):
    """Where a session is in its life."""

    OPEN = "open"
    IN_USE = "in_use"
    STALE = "stale"
    CLOSED = "closed"
    LEAKED = "leaked"


@dataclass(eq=False, slots=True)
class Session:
    """One resource and what is known of it; changed only by the registry.

    Attributes:
        resource: The thing itself; None once it is closed, so that nothing keeps it alive.
        loop: Where it must be closed; None for a resource that needs no loop.
        opened_at: File and line of the code that opened it.
        stale: Why it is to go, None while it may stay.
        handle: What a person may hold in the place of the session; None where they got none.
        seen: The activity of its connections when somebody last looked.
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
        """Where it is in its life."""
        if self.leaked:
            return SessionStatus.LEAKED
        if self.closed_by is not None:
            return SessionStatus.CLOSED
        if self.stale is not None:
            return SessionStatus.STALE
        return SessionStatus.IN_USE if self.in_flight else SessionStatus.OPEN


@dataclass(frozen=True, slots=True)
class SessionRow:
    """One line of the session table; seconds end in `_s`."""

    id: str
    provider: str
    kind: str
    status: str
    cell: str | None
    execution_count: int | None
    loop: str | None
    created: datetime
    age_s: float
    idle_s: float
    requests: int
    in_flight: int
    open_connections: int | None
    bytes_in: int | None
    closed_by: str | None
    opened_at: str = field(default="")
