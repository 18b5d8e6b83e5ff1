"""Limits how long a request may wait for its headers and for each piece of its body.

aiohttp's timeouts are not used: its read timeout never fires if the server sends single bytes or
heartbeats, nor after a malformed chunk (measured, 3.12.15 to 3.14.5).
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

MORE_TIME = "timeout= or deadline_s"  # what raises the time of a whole call
IDLE_CHECK_S = 1.0  # seconds; no server limit can pass while the caller is not reading


@dataclass(frozen=True, slots=True)
class Timeouts:
    """The limits on time and size of one request; None means no limit.

    Attributes:
        connect_s: Time to connect.
        first_byte_s: Time to first byte, from the end of the request.
        idle_s: Time between two network reads.
        idle_content_s: Time between two reads with text; pings and comments do not count.
        deadline_s: Time for the whole request.
        call_s: Time for the whole call, of which `deadline_s` is left; for messages.
        body_bytes: Size of the decompressed answer.
    """

    connect_s: float | None = 10.0
    first_byte_s: float | None = 600.0
    idle_s: float | None = 300.0
    idle_content_s: float | None = 600.0
    deadline_s: float | None = 1800.0
    call_s: float | None = None
    body_bytes: int = 32 * 1024 * 1024

    @property
    def of_the_call(self) -> str:
        """The time of the whole call, as messages name it."""
        limit = self.deadline_s if self.call_s is None else self.call_s
        return f"the call's {limit or 0:g} s"


def timeouts_for(settings: Settings, timeout_s: float | None = None) -> Timeouts:
    """Returns the limits of one request.

    *timeout_s* is the caller's time for the whole call. It replaces all limits in *settings*, so
    that no shorter one ends the call before; only the limit for connecting may stay shorter.
    """
    return _timeouts(
        settings.connect_timeout_s, settings.first_byte_timeout_s, settings.idle_timeout_s,
        settings.idle_content_timeout_s, settings.deadline_s, timeout_s,
    )  # fmt: skip


@lru_cache(maxsize=64)  # the calls of a run share a few values
def _timeouts(
    connect_s: float | None, first_byte_s: float | None, idle_s: float | None,
    idle_content_s: float | None, deadline_s: float | None, timeout_s: float | None,
) -> Timeouts:  # fmt: skip
    if timeout_s is None:
        return Timeouts(connect_s, first_byte_s, idle_s, idle_content_s, deadline_s, deadline_s)
    connect_s = timeout_s if connect_s is None else min(connect_s, timeout_s)
    return Timeouts(connect_s, timeout_s, timeout_s, timeout_s, timeout_s, timeout_s)


@dataclass(slots=True)
class RequestDeadline:
    """The time limit of one request up to its headers, moved as each phase begins.

    Attributes:
        ends_at: The deadline of the whole call, on the loop's clock.
        fresh: True if the request needs a new connection.
        connected: Called with the seconds that a new connection took.
        secure: True for https.
        reused: False once a connection was made for this request.
        scope: The `asyncio.timeout` that is rescheduled.
        written_at: The start of the phase, on the loop's clock.
        is_last: True if the call ends before the limit of the phase.
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
    is_last: bool = False

    def begin(self) -> float | None:
        """Starts the current phase and returns its end, on the loop's clock."""
        self.written_at = asyncio.get_running_loop().time()
        limit = self.timeouts.connect_s if self.phase == "connect" else self.timeouts.first_byte_s
        end = None if limit is None else self.written_at + limit
        self.is_last = self.ends_at is not None and (end is None or self.ends_at <= end)
        return self.ends_at if self.is_last else end

    def wait(self, phase: str) -> None:
        """Switches to *phase*, "connect" or "first byte"."""
        self.phase = phase
        self.scope.reschedule(self.begin())

    def timed_out(self, *, is_paid: bool, proxy: str = "") -> CallError:
        """Returns the error for the phase that took too long.

        *proxy* is what the environment's proxy has to do with it.
        """
        duration = f"{asyncio.get_running_loop().time() - self.written_at:.1f} s"
        setting = "connect_timeout_s" if self.phase == "connect" else "first_byte_timeout_s"
        if self.is_last:
            duration, setting = self.timeouts.of_the_call, MORE_TIME
        if self.phase == "connect":
            hint = ", and whether the server speaks only http://" if self.secure else ""
            what = proxy or f"check the base URL, your network{hint}"
            message = f"no connection within {duration}; {what}, or increase {setting}"
            return APITimeoutError(message, outcome=Outcome.UNSENT)
        message = f"no answer began within {duration}; increase {setting} if the model reasons"
        return APITimeoutError(f"{message} for long", possibly_billed=is_paid)


current_deadline: ContextVar[RequestDeadline | None] = ContextVar("llmkit_deadline", default=None)


class SoftEndError(Exception):
    """The answer is complete, but the server did not end the body."""


class Watchdog:
    """Ends a wait for the next read of one answer when a time limit passes.

    *give_up* makes the current wait raise the given error. *ends_at* is the deadline of the
    whole call, on the loop's clock.
    """

    def __init__(
        self, timeouts: Timeouts, ends_at: float | None, give_up: Callable[[Exception], None]
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
        """Marks the start of a read."""
        now = self._loop.time()
        # The time that the caller spent on the last piece does not count.
        self._content_at += now - self._read_at
        self._read_at = now

    def waiting(self) -> None:
        """Marks the start of a wait for the server."""
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
        """Marks the end of the wait."""
        self._is_waiting = False
        self._read_at = self._loop.time()

    def content_received(self) -> None:
        """Marks the last read as content, which restarts `idle_content_s`."""
        self._content_at = self._read_at

    def finish_within(self, within_s: float | None) -> None:
        """Marks the answer as complete, or takes it back; see `StreamingResponse`."""
        self.soft_end = None if within_s is None else self._loop.time() + within_s
        self.stop()  # the next wait, if any, sets a timer for this limit

    def stop(self) -> None:
        """Cancels the timer."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _check_limits(self) -> None:
        # A read only moves two timestamps, so the limits may lie later than this timer.
        when, what = min(self._due())
        if not self._is_waiting:  # the caller is slow, not the server
            self._timer = self._loop.call_later(IDLE_CHECK_S, self._check_limits)
        elif when > self._loop.time():
            self._timer = self._loop.call_at(when, self._check_limits)
        elif not what:
            self._give_up(SoftEndError())
        else:
            message = f"the server {what}"
            self._give_up(APITimeoutError(message, outcome=Outcome.STREAMED, possibly_billed=True))

    def _due(self) -> Iterator[tuple[float, str]]:
        """Yields when each limit passes and its message, "" for the soft end."""
        timeouts = self._timeouts
        if timeouts.idle_s is not None:
            what = f"sent no data for {timeouts.idle_s:g} s; increase idle_timeout_s or try again"
            yield self._read_at + timeouts.idle_s, what
        if timeouts.idle_content_s is not None:
            what = f"sent only pings for {timeouts.idle_content_s:g} s"
            what += "; increase idle_content_timeout_s or try again"
            yield self._content_at + timeouts.idle_content_s, what
        if self._ends_at is not None:
            what = f"did not finish within {timeouts.of_the_call}; increase {MORE_TIME}"
            yield self._ends_at, what
        if self.soft_end is not None:
            yield self.soft_end, ""
