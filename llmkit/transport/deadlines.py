"""How far a request has got, and until when, before the headers of its answer."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

from ..errors import APITimeoutError, CallError, Outcome
from .base import Timeouts


@dataclass(slots=True)
class RequestDeadline:
    """One request under way; it is told of each phase, and moves the time limit to that one's.

    Attributes:
        ends_at: When the time for the whole call is over, on the loop's clock.
        fresh: True where no kept connection will do.
        connected: Told how many seconds a connection took that had to be made.
        secure: True where the connection is to be encrypted.
        reused: True until a connection is made for it.
        scope: The time limit that is moved.
        written_at: When the phase began.
    """

    timeouts: Timeouts
    ends_at: float | None
    fresh: bool = False
    connected: Callable[[float], None] | None = None
    secure: bool = False
    phase: str = "first byte"
    reused: bool = True
    scope: Any = None
    written_at: float = 0.0

    def begin(self) -> float | None:
        """Begins a phase; when it has to be over, on the loop's clock."""
        self.written_at = asyncio.get_running_loop().time()
        limit = self.timeouts.connect_s if self.phase == "connect" else self.timeouts.first_byte_s
        if limit is None:
            return self.ends_at
        end = self.written_at + limit
        return end if self.ends_at is None else min(end, self.ends_at)

    def wait(self, phase: str) -> None:
        """Begins *phase*, "connect" or "first byte"."""
        self.phase = phase
        self.scope.reschedule(self.begin())

    def timed_out(self) -> CallError:
        """The error where the limit passed in this phase."""
        duration = f"{asyncio.get_running_loop().time() - self.written_at:.1f} s"
        if self.phase == "connect":
            hint = ", and whether the server speaks only http://" if self.secure else ""
            return APITimeoutError(
                f"no connection within {duration}; check the base URL, your network{hint}",
                outcome=Outcome.UNSENT,
            )
        return APITimeoutError(
            f"no answer began within {duration}; raise first_byte_timeout_s, or the timeout of the "
            "call, for a model that thinks long",
            possibly_billed=True,
        )


current_deadline: ContextVar[RequestDeadline | None] = ContextVar("llmkit_deadline", default=None)
