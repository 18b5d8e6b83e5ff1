"""Checks the sessions of each event loop periodically, and closes the stale ones there."""

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
    """Runs one timer on each loop that has open sessions, every *every_s* seconds."""

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
        """Starts the timer of *loop*, on its own thread; a second call does nothing."""
        if loop not in self._timers:
            empty = contextvars.Context()  # because what the timer closes belongs to no cell
            self._timers[loop] = loop.call_later(self.every_s, self.look, loop, context=empty)

    def forget(self, loop: asyncio.AbstractEventLoop) -> None:
        """Cancels the timer of *loop*."""
        self._due.discard(loop)
        timer = self._timers.pop(loop, None)
        if timer is not None:
            timer.cancel()

    def follow(self, session: Session, handle: object) -> None:
        """Checks the sessions soon after the last reference to *handle* is dropped."""
        loop: Any = session.loop

        def callback(_: object) -> None:
            # The garbage collector may call this on any thread, so it only wakes the loop. One
            # check serves all handles that are dropped before it.
            if loop not in self._due and not loop.is_closed():
                self._due.add(loop)
                # Not at once: the collector may still hold what the session needs to close.
                arguments = loop.call_later, SOON_S, self.look, loop
                loop.call_soon_threadsafe(*arguments, context=contextvars.Context())

        session.handle = weakref.ref(handle, callback)

    def look(self, loop: asyncio.AbstractEventLoop) -> None:
        """Closes the stale sessions that can be closed on *loop*, which is running."""
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
