"""Looks at the sessions of each loop from time to time, and closes there what is stale."""

from __future__ import annotations

import asyncio
import contextvars
import weakref
from collections.abc import Callable
from typing import Any

from .closer import SessionCloser
from .session import Session
from .session_registry import SessionRegistry

SOON_S = 0.02


class SessionSweeper:
    """One timer for each loop that has sessions; none is left where none is open.

    Attributes:
        every_s: How often it looks.
    """

    def __init__(
        self,
        registry: SessionRegistry,
        closer: SessionCloser,
        expire: Callable[[], None],
        *,
        every_s: float,
    ) -> None:
        self.every_s = every_s
        self._registry = registry
        self._closer = closer
        closer.at_loop_end = self.forget
        self._expire = expire
        self._timers: dict[asyncio.AbstractEventLoop, asyncio.TimerHandle] = {}
        self._closings: set[asyncio.Task[int]] = set()
        self._due: set[asyncio.AbstractEventLoop] = set()

    def begin(self, loop: asyncio.AbstractEventLoop) -> None:
        """Looks after *loop*, whose own thread this must be; a second time changes nothing."""
        if loop not in self._timers:
            # In a context of its own: what is closed here belongs to no cell.
            empty = contextvars.Context()
            self._timers[loop] = loop.call_later(self.every_s, self.look, loop, context=empty)

    def forget(self, loop: asyncio.AbstractEventLoop) -> None:
        """*loop* has come to its end."""
        self._due.discard(loop)
        timer = self._timers.pop(loop, None)
        if timer is not None:
            timer.cancel()

    def follow(self, session: Session, handle: object) -> None:
        """Looks soon after the last reference to *handle* is dropped."""
        loop: Any = session.loop

        def callback(_: object) -> None:
            # The garbage collector may call this on any thread, so it only wakes the loop: once
            # for all handles that are dropped before the look, which goes through all sessions.
            if loop not in self._due and not loop.is_closed():
                self._due.add(loop)
                # Not at once: the collector may still hold what the session needs to close.
                arguments = loop.call_later, SOON_S, self.look, loop
                loop.call_soon_threadsafe(*arguments, context=contextvars.Context())

        session.handle = weakref.ref(handle, callback)

    def look(self, loop: asyncio.AbstractEventLoop) -> None:
        """Closes what is stale and can be closed on *loop*, which is running."""
        self._due.discard(loop)
        self._expire()
        stale = []
        for session in self._registry.find("stale"):
            own: Any = session.loop
            if own is None or own is loop or own.is_closed():
                stale.append(session)
        if stale:
            task = loop.create_task(self._closer.close(stale, "user"))
            self._closings.add(task)
            task.add_done_callback(self._closings.discard)
        self.forget(loop)
        if any(s.loop is loop for s in self._registry.open_sessions()):
            self.begin(loop)
