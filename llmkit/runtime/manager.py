"""Runs coroutines for one kit, and opens, tracks and closes its sessions."""

from __future__ import annotations

import asyncio
import atexit
import logging
import sys
import weakref
from collections.abc import AsyncGenerator, Awaitable, Callable, Collection, Coroutine
from concurrent.futures import Future
from contextlib import AbstractContextManager, nullcontext
from datetime import UTC, datetime
from types import FrameType
from typing import Any, TypeVar

from ..cell import CURRENT, Cell
from ..errors import ConfigError
from ..settings import Settings, proxies_for
from ..telemetry.event import Event, EventKind
from ..telemetry.log import Telemetry
from . import introspection
from .aiohttp_internals import loop_of
from .closer import SessionCloser, closeable
from .fork import abandon_in_child, in_every_child
from .handle import SessionHandle
from .in_flight import InFlightCalls
from .loop import LoopRunner, LoopStatus
from .session import Session, SessionRow
from .session_registry import SessionRegistry
from .sweeper import SessionSweeper

T = TypeVar("T")

log = logging.getLogger(__name__)

NAME = "_provider_name"
# Packages with frames between the user's line and the session that it opens. They are matched by
# module, because any folder of a path may be called llmkit or asyncio.
BETWEEN = frozenset(
    {__name__.partition(".")[0], "asyncio", "concurrent", "contextlib", "nest_asyncio",
     "nest_asyncio2", "threading", "tornado"}
)  # fmt: skip


class EventLoopManager:
    """The event loop and every session of one kit.

    Attributes:
        telemetry: The events of sessions and requests.
        idle_s: A session without use for this many seconds is stale.
        max_age_s: An older session that is not in use is stale.
    """

    def __init__(
        self,
        registry: SessionRegistry | None = None,
        *,
        idle_s: float = 300.0,
        max_age_s: float = 1800.0,
        telemetry: Telemetry | None = None,
        check_s: float = 10.0,
    ) -> None:
        self.registry = registry or SessionRegistry()
        self.telemetry = telemetry or Telemetry()
        self.idle_s = idle_s
        self.max_age_s = max_age_s
        self._loops = LoopRunner()
        self._closer = SessionCloser(self.registry)
        self._sweeper = SessionSweeper(self.registry, self._closer, self._expire, every_s=check_s)
        self._in_flight = InFlightCalls()
        self._open_ids: set[str] = set()
        self.registry.watch(self._session_changed, uses=False)
        _KNOWN.add(self)

    def configure(self, settings: Settings) -> None:
        """Applies the limits and the telemetry of *settings*.

        A pooled session becomes stale if it uses proxies and should not, or the reverse; the next
        call opens another one. A session with a request in flight stays.
        """
        self.idle_s, self.max_age_s = settings.idle_s, settings.max_age_s
        telemetry = self.telemetry
        telemetry.with_text, telemetry.exported = settings.telemetry_text, settings.opentelemetry
        for session in self.registry.open_sessions():
            uses_proxies = getattr(session.resource, "trust_env", None)
            wished = (None, proxies_for(settings, session.base_url))
            if session.kind == "pool" and not session.in_flight and uses_proxies not in wished:
                self.registry.mark(session, "user")

    def run(
        self, coroutine: Coroutine[Any, Any, T], timeout: float | None = None, *, grace: float = 2
    ) -> T:
        """Waits for *coroutine* and returns its result, also inside a running event loop.

        Args:
            timeout: Seconds, None for no limit.
            grace: Seconds for the coroutine to end after an interrupt.

        Raises:
            KeyboardInterrupt: The cell was interrupted; the coroutine was cancelled.
            APITimeoutError: *timeout* passed.
        """
        return self._loops.run(coroutine, timeout, grace=grace)

    def spawn(
        self, coroutine: Coroutine[Any, Any, T], name: str | None = None
    ) -> Future[T] | asyncio.Task[T]:
        """Starts a background task; see `LoopRunner.spawn`."""
        return self._loops.spawn(coroutine, name)

    async def interruptible(self, awaitable: Awaitable[T]) -> T:
        """Awaits *awaitable*; see `LoopRunner.interruptible`."""
        return await self._loops.interruptible(awaitable)

    def status(self) -> LoopStatus:
        """Returns the way `run` would wait if called now."""
        return self._loops.status()

    def register_session(
        self, session: object, provider_name: str | None = None, *, keep: bool = False
    ) -> SessionHandle:
        """Holds *session* and closes it when its cell reruns or is deleted, or it is idle or old.

        Outside of a cell only idleness, age or the end of the process close it. If its event loop
        ends first, it is closed then and counts as leaked. llmkit sees the use of aiohttp sessions,
        httpx clients and SDKs based on them; other objects count as idle once registered.

        Args:
            session: Any object with close() or aclose().
            provider_name: The name in the session table; default: its `_provider_name`.
            keep: True disables the limits on idleness and age.

        Raises:
            ConfigError: *session* has no close method, or is already closed.
        """
        if not closeable(session) or isinstance(session, type):
            raise ConfigError(
                f"session must have close() or aclose(), got {type(session).__name__}; register "
                "the session or client itself"
            )
        if introspection.closed(session):
            raise ConfigError(
                f"session must be open, got a closed {type(session).__name__}; open a new one in "
                "the cell that registers it, because the cell's next run closes it"
            )
        name = provider_name or getattr(session, NAME, None) or type(session).__module__
        _label(session, name)
        loop = loop_of(session) or asyncio._get_running_loop()
        return SessionHandle(self, self._add(session, str(name), "registered", loop, keep=keep))

    def pool(
        self, provider: str, base_url: str, open_session: Callable[[], T]
    ) -> tuple[T, Session]:
        """Returns the pooled session for *base_url* on the running loop; opens one if needed."""
        loop = asyncio.get_running_loop()
        record = self.registry.pooled(provider, base_url, loop)
        if record is None:
            record = self._add(open_session(), provider, "pool", loop, base_url=base_url)
        else:
            self._note(EventKind.REUSE, record)
        session: T = record.resource
        return session, record

    def handed_out(self, record: Session, handle: object) -> None:
        """Closes the temporary session *record* once *handle* is garbage collected."""
        self._sweeper.follow(record, handle)

    def in_flight(self) -> AbstractContextManager[None]:
        """Returns a context for a call that the next run of this cell cancels."""
        return self._in_flight.call() if CURRENT.get() else nullcontext()

    def stream(self, parts: AsyncGenerator[T, None]) -> AsyncGenerator[T, None]:
        """Returns *parts*, which the next run of this cell closes."""
        return self._in_flight.stream(parts)

    def temporary(
        self, provider: str, base_url: str, open_session: Callable[[], T]
    ) -> tuple[T, Session]:
        """Opens a session that the next run of this cell closes at the latest."""
        loop = asyncio.get_running_loop()
        session = open_session()
        return session, self._add(session, provider, "temporary", loop, base_url=base_url)

    def watch(self, callback: Callable[[Session], None]) -> Callable[[], None]:
        """Calls *callback* after each change of a session; returns a function that removes it."""
        return self.registry.watch(callback)

    def sessions(self) -> tuple[SessionRow, ...]:
        """Returns the session table, newest last."""
        return self.registry.rows()

    async def aclose(self, what: str = "all") -> int:
        """Closes sessions and returns their number.

        Args:
            what: "all", "stale", a provider or a session id.

        Raises:
            ConfigError: The table has no such provider or session.
        """
        if what in ("stale", "all"):
            self._expire()
        sessions = self.registry.find(what)
        if not sessions and what not in ("stale", "all") and not self.registry.knows(what):
            raise ConfigError(
                f"unknown session {what!r}; pass stale, all, a provider or an id from sessions()"
            )
        return await self._closer.close(sessions, "user")

    def close_stale(self) -> int:
        """Closes stale sessions and returns their number."""
        self._expire()
        return self.run(self.aclose("stale")) if self.registry.find("stale") else 0

    def cell_started(self, cell: Cell) -> None:
        """Cancels calls and closes sessions of the previous run of *cell*, before it reruns."""
        self.registry.cell_started(cell)
        self._expire()
        self._end_now([cell.id])

    def cells_deleted(self, ids: Collection[str]) -> None:
        """Cancels calls and closes sessions of the deleted cells."""
        self.registry.cells_deleted(ids)
        self._end_now(ids)

    def close(self) -> None:
        """Closes every session and llmkit's own loops; may be called twice."""
        self._loops.cancel()  # before their sessions close, which would be an error of each call
        if asyncio._get_running_loop() is None:
            self._closer.close_without_loop(self.registry.find("all"), "exit")
        else:
            self.run(self._closer.close(self.registry.find("all"), "exit"))
        self._loops.close()

    def forget(self) -> None:
        """Drops all sessions and loops in a forked child; the parent still uses them."""
        for session in self.registry.forget():
            abandon_in_child(session)
        self._loops.forget()

    def _add(
        self,
        resource: object,
        provider: str,
        kind: Any,
        loop: Any,
        *,
        base_url: str = "",
        keep: bool = False,
    ) -> Session:
        here = asyncio._get_running_loop()
        if here is not None and loop is here:
            self._closer.guard(here)
            self._sweeper.begin(here)
        return self.registry.add(
            resource,
            provider=provider,
            kind=kind,
            # A pooled session outlives its cell, so that the next cell can reuse it.
            cell=None if kind == "pool" else CURRENT.get(),
            loop=loop,
            base_url=base_url,
            keep=keep,
            opened_at=_line_outside(),
        )

    def _expire(self) -> None:
        self.registry.expired(idle_s=self.idle_s, max_age_s=self.max_age_s)

    def _end_now(self, cells: Collection[str]) -> None:
        stale = self.registry.find("stale")
        if stale or self._in_flight.of(cells):
            self.run(self._end(cells, stale))

    async def _end(self, cells: Collection[str], stale: tuple[Session, ...]) -> None:
        await self._in_flight.end(cells)
        await self._closer.close(stale, "user")

    def _session_changed(self, session: Session) -> None:
        if session.closed_by is not None:
            self._open_ids.discard(session.id)
            _LIVING.discard(self)
            if not self.registry.is_empty:  # in this order: another thread may open one
                _LIVING.add(self)
            self._note(EventKind.LEAK if session.leaked else EventKind.CLOSE, session)
        elif session.id not in self._open_ids:
            self._open_ids.add(session.id)
            _LIVING.add(self)
            self._note(EventKind.OPENING, session)

    def _note(self, kind: EventKind, session: Session) -> None:
        cell = session.cell.id if session.cell else None
        self.telemetry.note(
            Event(
                kind, datetime.now(UTC), session.provider, session.id, cell, session.base_url,
                session.closed_by,
            )
        )  # fmt: skip


# Managers with open sessions live until these are closed, also across a reload of this module.
_LIVING: set[EventLoopManager] = globals().get("_LIVING") or set()
_KNOWN: weakref.WeakSet[EventLoopManager] = globals().get("_KNOWN") or weakref.WeakSet()


def living() -> tuple[EventLoopManager, ...]:
    """Returns the managers with open sessions."""
    return tuple(_LIVING)


def _forget_all() -> None:
    for manager in tuple(_KNOWN):
        manager.forget()
    _LIVING.clear()


in_every_child(_forget_all)


@atexit.register
def _close_all() -> None:
    for manager in tuple(_KNOWN):
        manager.close()


def _label(session: object, name: object) -> None:
    # aiohttp's session warns about new attributes, and a class with slots rejects them.
    if getattr(session, NAME, None) is None and not hasattr(type(session), "ATTRS"):
        try:
            setattr(session, NAME, name)
        except Exception:  # a pydantic model raises its own error
            log.debug("%s rejects the attribute %s", type(session).__name__, NAME)


def _line_outside() -> str:
    """Returns file and line of the nearest frame outside llmkit and event loops."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        if str(frame.f_globals.get("__name__")).partition(".")[0] not in BETWEEN:
            return f"{frame.f_code.co_filename}:{frame.f_lineno}"
        frame = frame.f_back
    return ""
