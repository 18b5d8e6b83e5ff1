"""Closes sessions, newest first, each on its own event loop; one failure does not stop the rest."""

from __future__ import annotations

import asyncio
import inspect
import logging
import threading
import time
from collections.abc import AsyncGenerator, Callable, Iterable
from contextlib import closing, suppress
from typing import Any

from . import introspection
from .session import ClosedBy, Session
from .session_registry import SessionRegistry

log = logging.getLogger(__name__)

PATIENCE_S = 1.0  # for one session to close
ELSEWHERE_S = 1.0  # for a session on another thread's loop to close
EXIT_S = 1.5  # for all sessions at the end of the process; a kernel is killed after 2.5 s
LEAST_S = 0.05


class SessionCloser:
    """Closes the sessions of a registry, and records the result there."""

    def __init__(self, registry: SessionRegistry) -> None:
        self._registry = registry
        self._guards: dict[int, AsyncGenerator[None, None]] = {}
        self._deadline: float | None = None
        self.at_loop_end: Callable[[asyncio.AbstractEventLoop], None] = lambda loop: None

    async def close(self, sessions: Iterable[Session], by: ClosedBy) -> int:
        """Closes *sessions*, given newest first, and returns their number."""
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
                future = asyncio.run_coroutine_threadsafe(self._one(session, by), loop)
                done, _ = await asyncio.wait({asyncio.wrap_future(future)}, timeout=ELSEWHERE_S)
                if not done:
                    log.warning("a session on another thread did not close in time")
            else:
                # An idle loop can be run, but not on a thread that already runs another loop.
                await asyncio.to_thread(loop.run_until_complete, self._one(session, by))
            count += 1
        return count

    def close_without_loop(self, sessions: Iterable[Session], by: ClosedBy) -> None:
        """Closes *sessions* at the end of the process, when no loop runs on this thread."""
        self._deadline = time.monotonic() + EXIT_S
        for session in sessions:
            loop: Any = session.loop
            if session.resource is None:
                continue
            if loop is None:  # its close() is not expected to wait for anything
                with closing(asyncio.new_event_loop()) as runner:
                    runner.run_until_complete(self._one(session, by))
            elif loop.is_closed() or self._left() <= LEAST_S:
                self._too_late(session, by)
            elif loop.is_running():
                future = asyncio.run_coroutine_threadsafe(self._one_at_end(session, by), loop)
                try:
                    future.result(self._left())
                except TimeoutError:
                    # A busy machine may need longer than EXIT_S; the sockets end with the process.
                    log.warning("%s did not close in time", session.provider)
                    introspection.abandon(session.resource)
                    self._registry.closed(session, by, leaked=True)
            else:
                task = loop.create_task(self._one(session, by))
                while not task.done() and self._left() > LEAST_S:
                    # A kernel that ends has stopped its loop, which aborts the first run.
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
        """Ensures that the sessions on *loop*, which is running, are closed when it ends.

        asyncio.run and every Runner shut down suspended generators before they close their loop.
        If other code calls loop.close(), the replacement set here ends the generator.
        """
        if id(loop) in self._guards:
            return
        guard = self._until_the_end(loop)
        self._guards[id(loop)] = guard
        with suppress(StopIteration):  # runs to the yield, and so registers it with the loop
            guard.__anext__().send(None)
        close = loop.close

        def close_by_hand() -> None:
            open_guard = self._guards.get(id(loop))
            if open_guard is not None and not loop.is_closed() and not loop.is_running():
                loop.run_until_complete(open_guard.aclose())
            close()

        with suppress(AttributeError):  # a loop in C; asyncio.run and uvloop.run end the guard
            loop.close = close_by_hand  # type: ignore[method-assign]  # of this loop only

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
        self._registry.mark(session, by)  # no call gets it from here on
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
        # Some resources cannot tell whether their owner closed them; those do not count as leaks.
        is_forgotten = session.stale == "loop_end" and session.kind != "pool"
        self._registry.closed(session, by, leaked=is_forgotten and is_open)

    async def _one_at_end(self, session: Session, by: ClosedBy) -> None:
        # At the end of the process, a daemon thread would print the error of a call that it waits
        # for. Python stops such threads, and the system frees their sockets.
        if threading.main_thread().is_alive() or not session.in_flight:
            await self._one(session, by)

    def _too_late(self, session: Session, by: ClosedBy) -> None:
        # Without its loop nothing can be closed in an orderly way; only the sockets are freed.
        for transport in introspection.transports(session.resource):
            introspection.kill(transport)
        introspection.abandon(session.resource)
        loop: Any = session.loop
        is_loop_closed = loop is not None and loop.is_closed()
        self._registry.closed(session, "loop_end" if is_loop_closed else by, leaked=True)


async def _end_connections(transports: Iterable[Any]) -> None:
    """Aborts the connections that are left: an orderly TLS shutdown could outlive the loop."""
    is_any_aborted = False
    for transport in transports:
        loop: Any = getattr(transport, "_loop", None)
        if loop is not None and loop.is_closed():
            introspection.kill(transport)
        elif transport is not None:
            transport.abort()
            is_any_aborted = True
    if is_any_aborted:  # the loop must still run the callbacks of abort()
        for _ in range(2):
            await asyncio.sleep(0)


async def close_resource(resource: Any) -> None:
    """Calls the aclose() or close() of *resource*, whichever it has, and awaits it."""
    close = getattr(resource, "aclose", None) or getattr(resource, "close", None)
    if close is not None:
        outcome = close()
        if inspect.isawaitable(outcome):
            await outcome
        return
    # Some SDK clients have no close() and are freed only as context managers.
    if (leave := getattr(resource, "__aexit__", None)) is not None:
        await leave(None, None, None)
    if (leave := getattr(resource, "__exit__", None)) is not None:
        leave(None, None, None)


def closeable(resource: object) -> bool:
    """Returns True if *resource* has a method that closes it."""
    return any(hasattr(resource, name) for name in ("aclose", "close", "__aexit__", "__exit__"))
