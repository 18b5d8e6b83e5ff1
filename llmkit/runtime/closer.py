"""Closes sessions of any kind: newest first, each on its own loop, none lost for another."""

from __future__ import annotations

import asyncio
import inspect
import logging
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable
from contextlib import suppress
from typing import Any

from . import introspection
from .session import ClosedBy, Session
from .session_registry import SessionRegistry

log = logging.getLogger(__name__)

PATIENCE_S = 1.0  # for one session's own farewell
ELSEWHERE_S = 1.0  # for a loop on another thread to do it
EXIT_S = 1.5  # for all of them at the end of the process; a kernel is killed after 2.5 s
LEAST_S = 0.05


class SessionCloser:
    """Closes what a registry holds, and tells it."""

    def __init__(self, registry: SessionRegistry) -> None:
        self._registry = registry
        self._guards: dict[int, AsyncGenerator[None, None]] = {}
        self._deadline: float | None = None
        self.at_loop_end: Callable[[asyncio.AbstractEventLoop], None] = lambda loop: None

    async def close(self, sessions: Iterable[Session], by: ClosedBy) -> int:
        """Closes *sessions*, given newest first; says how many."""
        here = asyncio.get_running_loop()
        count = 0
        for session in sessions:
            loop: Any = session.loop
            if session.resource is None:
                continue
            if loop is None or loop is here:
                await self._one(session, by)
            elif loop.is_closed():
                self._too_late(session, by)
            elif loop.is_running():
                closing = asyncio.run_coroutine_threadsafe(self._one(session, by), loop)
                finished_tasks, _ = await asyncio.wait(
                    {asyncio.wrap_future(closing)}, timeout=ELSEWHERE_S
                )
                if not finished_tasks:
                    log.warning("a session on another thread did not close in time")
            else:
                # An idle loop may be run, but not from a thread on which another one runs.
                await asyncio.to_thread(loop.run_until_complete, self._one(session, by))
            count += 1
        return count

    def close_without_loop(self, sessions: Iterable[Session], by: ClosedBy) -> None:
        """As `close`, where no loop runs on this thread, for the end of the process."""
        self._deadline = time.monotonic() + EXIT_S
        for session in sessions:
            loop: Any = session.loop
            if session.resource is None:
                continue
            if loop is None:  # it is not expected to wait for anything
                runner = asyncio.new_event_loop()
                try:
                    runner.run_until_complete(self._one(session, by))
                finally:
                    runner.close()
            elif loop.is_closed() or self._left() <= LEAST_S:
                self._too_late(session, by)
            elif loop.is_running():
                future = asyncio.run_coroutine_threadsafe(self._one(session, by), loop)
                try:
                    future.result(self._left())
                except TimeoutError:
                    # A busy machine may take longer than the process has; its sockets end with it.
                    log.warning("%s did not close in time", session.provider)
                    introspection.abandon(session.resource)
                    self._registry.closed(session, by, leaked=True)
            else:
                task = loop.create_task(self._one(session, by))
                while not task.done() and self._left() > LEAST_S:
                    # A kernel that ends has told its loop to stop, which breaks the first run off.
                    with suppress(RuntimeError):
                        loop.run_until_complete(task)
                if not task.done():
                    task.cancel()
                    self._too_late(session, by)
                elif (error := task.exception()) is not None:
                    log.warning("closing a %s session failed", session.provider, exc_info=error)
        self._deadline = None

    def _left(self) -> float:
        if self._deadline is None:
            return PATIENCE_S
        return max(LEAST_S, min(PATIENCE_S, self._deadline - time.monotonic()))

    def guard(self, loop: asyncio.AbstractEventLoop) -> None:
        """Has the sessions on *loop*, which is running, closed when it ends.

        asyncio.run and every Runner finish suspended generators before they close their loop;
        a loop that is closed by hand is told apart by its own close().
        """
        if id(loop) in self._guards:
            return
        guard = self._until_the_end(loop)
        self._guards[id(loop)] = guard
        try:
            # Its first step, up to the yield; from here on the loop knows it.
            guard.__anext__().send(None)
        except StopIteration:
            pass
        close = loop.close

        def close_by_hand() -> None:
            open_guard = self._guards.get(id(loop))
            if open_guard is not None and not loop.is_closed() and not loop.is_running():
                loop.run_until_complete(open_guard.aclose())
            close()

        try:
            loop.close = close_by_hand  # type: ignore[method-assign]  # this loop's alone
        except AttributeError:  # a loop written in C; asyncio.run and uvloop.run end the guard
            pass

    async def _until_the_end(self, loop: asyncio.AbstractEventLoop) -> AsyncGenerator[None, None]:
        try:
            yield
        finally:
            self._guards.pop(id(loop), None)
            self.at_loop_end(loop)
            own_sessions = [s for s in reversed(self._registry.open_sessions()) if s.loop is loop]
            await self.close(own_sessions, "loop_end")

    async def _one(self, session: Session, by: ClosedBy) -> None:
        resource = session.resource
        if resource is None:
            return
        is_open = introspection.closed(resource) is False
        self._registry.mark(session, by)  # it is not given to a call from here on
        transports = introspection.transports(resource)
        introspection.end_answers(resource)
        try:
            async with asyncio.timeout(self._left()):
                await close_resource(resource)
        except Exception:
            if introspection.closed(resource):
                log.debug("a %s session closed with an error", session.provider, exc_info=True)
            else:
                log.warning("closing a %s session failed", session.provider, exc_info=True)
        finally:
            await _end_connections(transports)
        # Some resources do not say whether their owner has closed them: that is no leak.
        is_forgotten = session.stale == "loop_end" and session.kind != "pool"
        self._registry.closed(session, by, leaked=is_forgotten and is_open)

    def _too_late(self, session: Session, by: ClosedBy) -> None:
        # Its loop is gone, so nothing can be closed in an orderly way; the sockets are freed.
        for transport in introspection.transports(session.resource):
            introspection.kill(transport)
        introspection.abandon(session.resource)
        loop: Any = session.loop
        is_loop_closed = loop is not None and loop.is_closed()
        self._registry.closed(session, "loop_end" if is_loop_closed else by, leaked=True)


async def _end_connections(transports: Iterable[Any]) -> None:
    """Ends what closing has left: an orderly TLS goodbye could outlive the loop."""
    alive = []
    for transport in transports:
        loop: Any = getattr(transport, "_loop", None)
        if loop is not None and loop.is_closed():
            introspection.kill(transport)
        elif transport is not None:
            alive.append(transport)
    for transport in alive:
        transport.abort()
    if alive:
        # Its end is told by callbacks that the loop must still run.
        for _ in range(2):
            await asyncio.sleep(0)


async def close_resource(resource: Any) -> None:
    """Calls the aclose() or close() of *resource*, whichever it has, and waits for it."""
    close: Callable[[], Awaitable[None] | None] | None = getattr(resource, "aclose", None)
    close = close or getattr(resource, "close", None)
    if close is not None:
        outcome = close()
        if inspect.isawaitable(outcome):
            await outcome
        return
    # Some SDK clients have no close() and are freed only as context managers.
    leave = getattr(resource, "__aexit__", None)
    if leave is not None:
        await leave(None, None, None)
    leave = getattr(resource, "__exit__", None)
    if leave is not None:
        leave(None, None, None)


def closeable(resource: object) -> bool:
    """True where there is a way to close *resource*."""
    return any(hasattr(resource, name) for name in ("aclose", "close", "__aexit__", "__exit__"))
