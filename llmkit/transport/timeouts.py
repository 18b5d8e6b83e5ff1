"""The time limits of one request: until its headers are here, and while its body comes.

aiohttp's own read timeout never fires on a peer that drips or sends heartbeats, nor after a
malformed chunk (measured, 3.12.15 to 3.14.5), so none of its timeouts are used.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from ..errors import APITimeoutError, CallError, Outcome
from ..settings import Settings

IDLE_CHECK_S = 1.0  # while nobody reads, no limit of the server's can pass


@dataclass(frozen=True, slots=True)
class Timeouts:
    """How long one request may take and how much it may bring; None for no limit.

    Attributes:
        connect_s: Until a connection is made.
        first_byte_s: From the request's end to the answer's first byte.
        idle_s: Between two network reads.
        idle_content_s: Between two reads that brought text; pings and comments do not count.
        deadline_s: For the whole request.
        body_bytes: Of an answer, decoded.
    """

    connect_s: float | None = 10.0
    first_byte_s: float | None = 120.0
    idle_s: float | None = 60.0
    idle_content_s: float | None = 120.0
    deadline_s: float | None = None
    body_bytes: int = 32 * 1024 * 1024


def timeouts_for(settings: Settings, deadline_s: float | None = None) -> Timeouts:
    """The limits of one request, with its own deadline if it has one."""
    return _timeouts(
        settings.connect_timeout_s,
        settings.first_byte_timeout_s,
        settings.idle_timeout_s,
        settings.idle_content_timeout_s,
        deadline_s or settings.deadline_s,
    )


_timeouts = lru_cache(maxsize=64)(Timeouts)  # the same few values for every call of a run


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


class SoftEndError(Exception):
    """The body was not ended by the server, but the answer in it was whole."""


class Watchdog:
    """Ends a wait for the next read when a limit passes; lives as long as one answer.

    *give_up* has the wait that is under way end in an error. *ends_at* is when the time for the
    whole call is over, on the loop's clock.
    """

    def __init__(
        self,
        timeouts: Timeouts,
        ends_at: float | None,
        give_up: Callable[[Exception], None],
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._timeouts = timeouts
        self._ends_at = ends_at
        self._give_up = give_up
        self.soft_end: float | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._is_waiting = False
        self._read_at = self._content_at = self._loop.time()

    def reading(self) -> None:
        """Says that the next read begins."""
        now = self._loop.time()
        # What our own reader took for the last piece counts against no limit of the server's.
        self._content_at += now - self._read_at
        self._read_at = now

    def waiting(self) -> None:
        """Says that the read has to wait for the server."""
        self._is_waiting = True
        if self._timer is not None:
            return
        timeouts, when = self._timeouts, self.soft_end
        if timeouts.idle_s is not None:
            due = self._read_at + timeouts.idle_s
            when = due if when is None else min(when, due)
        if timeouts.idle_content_s is not None:
            due = self._content_at + timeouts.idle_content_s
            when = due if when is None else min(when, due)
        if self._ends_at is not None:
            when = self._ends_at if when is None else min(when, self._ends_at)
        if when is not None:
            self._timer = self._loop.call_at(when, self._check_limits)

    def woken(self) -> None:
        """Says that the wait is over."""
        self._is_waiting = False
        self._read_at = self._loop.time()

    def content_received(self) -> None:
        """Says that the last read brought something worth waiting for."""
        self._content_at = self._read_at

    def finish_within(self, within_s: float) -> None:
        """Says that the answer is there: what follows is read for so long at most."""
        self.soft_end = self._loop.time() + within_s
        self.stop()  # the next wait, if there is one, begins with this limit

    def stop(self) -> None:
        """Lets go of the timer."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _check_limits(self) -> None:
        # Reads only move two timestamps, so a timer that is due may have been overtaken by them.
        when, what = min(self._due())
        if not self._is_waiting:  # it is our reader that is slow, not the server
            self._timer = self._loop.call_later(IDLE_CHECK_S, self._check_limits)
        elif when > self._loop.time():
            self._timer = self._loop.call_at(when, self._check_limits)
        elif not what:
            self._give_up(SoftEndError())
        else:
            self._give_up(
                APITimeoutError(
                    f"the server {what}; ask again, or allow more time",
                    outcome=Outcome.STREAMED,
                    possibly_billed=True,
                )
            )

    def _due(self) -> Iterator[tuple[float, str]]:
        """When each limit passes, and what is said then; "" for the end of what matters."""
        timeouts = self._timeouts
        if timeouts.idle_s is not None:
            yield self._read_at + timeouts.idle_s, f"sent nothing for {timeouts.idle_s:g} s"
        if timeouts.idle_content_s is not None:
            what = f"sent nothing but pings for {timeouts.idle_content_s:g} s"
            yield self._content_at + timeouts.idle_content_s, what
        if self._ends_at is not None:
            yield self._ends_at, "had not finished when the time for the whole call was over"
        if self.soft_end is not None:
            yield self.soft_end, ""
