"""Watches over an answer that is still coming, with one timer and a few times of day.

aiohttp's own read timeout never fires on a peer that drips or sends heartbeats, nor after a
malformed chunk (measured, 3.12.15 to 3.14.5), so none of its timeouts are used.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator

from ..errors import APITimeoutError, Outcome
from .base import Timeouts

IDLE_CHECK_S = 1.0  # while nobody reads, no limit of the server's can pass


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
        self._soft_end: float | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._is_waiting = False
        self._read_at = self._content_at = self._loop.time()

    @property
    def ends_softly(self) -> bool:
        """True once the answer is there and only the rest of its body is waited for."""
        return self._soft_end is not None

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
        timeouts, when = self._timeouts, self._soft_end
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
        self._soft_end = self._loop.time() + within_s
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
        if self._soft_end is not None:
            yield self._soft_end, ""
