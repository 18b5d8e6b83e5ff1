"""Joins the loop and the sessions: what runs, what is open, and what is closed when."""

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
# Packages whose frames lie between a person's line and the session it opens. They are known by
# their modules: any folder on the way to a file may be called llmkit or asyncio.
BETWEEN = frozenset(
    {__name__.partition(".")[0], "asyncio", "concurrent", "contextlib", "nest_asyncio",
     "nest_asyncio2", "threading", "tornado"}
)  # fmt: skip


class EventLoopManager:
    """The event loop and every session of one kit.

    Attributes:
        registry: The sessions.
        telemetry: What happened to them, and to every request.
        idle_s: A session that was not used for so long is stale.
        max_age_s: A session that is older and not in use is stale.
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

    def run(
        self, coroutine: Coroutine[Any, Any, T], timeout: float | None = None, *, grace: float = 2
    ) -> T:
        """Waits for *coroutine* and gives its result, whatever loop is running here.

        Args:
            timeout: Seconds; None waits as long as it takes.
            grace: Seconds that the coroutine gets to end after an interrupt.

        Raises:
            KeyboardInterrupt: The cell was interrupted; the coroutine was cancelled and has ended.
            APITimeoutError: *timeout* passed.
        """
        return self._loops.run(coroutine, timeout, grace=grace)

    def spawn(
        self, coroutine: Coroutine[Any, Any, T], name: str | None = None
    ) -> Future[T] | asyncio.Task[T]:
        """A background task, held until it ends."""
        return self._loops.spawn(coroutine, name)

    async def interruptible(self, awaitable: Awaitable[T]) -> T:
        """The result of *awaitable*, with the stop button noticed at once."""
        return await self._loops.interruptible(awaitable)

    def status(self) -> LoopStatus:
        """How `run` would wait from here."""
        return self._loops.status()

    def register_session(
        self, session: object, provider_name: str | None = None, *, keep: bool = False
    ) -> SessionHandle:
        """Holds *session* until its cell runs again or is deleted, or it is idle or old.

        Outside of a cell it is held until it is idle or old, or the process ends. It needs no
        other reference. If its event loop ends first, it is closed then, and has leaked.
        Use is seen of aiohttp's sessions, of httpx clients and of SDKs over one; anything else
        counts as idle from the moment that it is registered, unless *keep* is True.

        Args:
            session: Anything with close() or aclose().
            provider_name: For the table; else the object's `_provider_name`.
            keep: True spares it from the limits on idleness and age only.

        Raises:
            ConfigError: There is no way to close *session*, or it is closed already.
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
        """The persistent session for that place on the running loop, opened when there is none."""
        loop = asyncio.get_running_loop()
        record = self.registry.pooled(provider, base_url, loop)
        if record is None:
            record = self._add(open_session(), provider, "pool", loop, base_url=base_url)
        else:
            self._note(EventKind.REUSE, record)
        session: T = record.resource
        return session, record

    def handed_out(self, record: Session, handle: object) -> None:
        """Notes that a temporary session is closed when the last reference to *handle* goes."""
        self._sweeper.follow(record, handle)

    def in_flight(self) -> AbstractContextManager[None]:
        """Returns a context for a call in this task, which the running cell's next run cancels."""
        return self._in_flight.call() if CURRENT.get() else nullcontext()

    def stream(self, parts: AsyncGenerator[T, None]) -> AsyncGenerator[T, None]:
        """*parts*, which the running cell's next run ends, be it between two of them."""
        return self._in_flight.stream(parts)

    def temporary(
        self, provider: str, base_url: str, open_session: Callable[[], T]
    ) -> tuple[T, Session]:
        """A new session that ends with its cell's next run at the latest."""
        loop = asyncio.get_running_loop()
        session = open_session()
        return session, self._add(session, provider, "temporary", loop, base_url=base_url)

    def watch(self, callback: Callable[[Session], None]) -> Callable[[], None]:
        """Calls *callback* at every change of a session; gives the way to stop."""
        return self.registry.watch(callback)

    def sessions(self) -> tuple[SessionRow, ...]:
        """The session table, the newest last."""
        return self.registry.rows()

    async def aclose(self, what: str = "all") -> int:
        """Closes "stale", "all", a provider's or one session by its id; says how many.

        Raises:
            ConfigError: *what* is none of these.
        """
        if what in ("stale", "all"):
            self._expire()
        sessions = self.registry.find(what)
        if not sessions and what not in ("stale", "all") and not self.registry.knows(what):
            raise ConfigError(
                f"there is no session {what!r}; close() takes stale, all, a provider or an id "
                "as in sessions()"
            )
        return await self._closer.close(sessions, "user")

    def close_stale(self) -> int:
        """Closes what is stale, and returns the number of sessions."""
        self._expire()
        return self.run(self.aclose("stale")) if self.registry.find("stale") else 0

    def cell_started(self, cell: Cell) -> None:
        """Ends and closes what an earlier run of *cell* left, before its code runs again."""
        self.registry.cell_started(cell)
        self._expire()
        self._end_now([cell.id])

    def cells_deleted(self, ids: Collection[str]) -> None:
        """Ends and closes what the cells with these ids left."""
        self.registry.cells_deleted(ids)
        self._end_now(ids)

    def close(self) -> None:
        """Closes every session and ends the loops made here; twice is harmless."""
        if asyncio._get_running_loop() is None:
            self._closer.close_without_loop(self.registry.find("all"), "exit")
        else:
            self.run(self._closer.close(self.registry.find("all"), "exit"))
        self._loops.close()

    def forget(self) -> None:
        """In a forked child: what was opened before is the parent's, and stays open there."""
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
            # A pool outlives its cell: the next one finds it warm.
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
            if self.registry.is_empty:
                _LIVING.discard(self)
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


# Those with an open session: they live until it is closed, whoever has forgotten them. A reload
# of this module must not lose them either.
_LIVING: set[EventLoopManager] = globals().get("_LIVING") or set()


_KNOWN: weakref.WeakSet[EventLoopManager] = globals().get("_KNOWN") or weakref.WeakSet()


def living() -> tuple[EventLoopManager, ...]:
    """The managers that have something open."""
    return tuple(_LIVING)


def _forget_all() -> None:
    for manager in tuple(_KNOWN):
        manager.forget()
    _LIVING.clear()


in_every_child(_forget_all)


@atexit.register
def _close_all() -> None:
    for manager in living():
        manager.close()


def _label(session: object, name: object) -> None:
    # aiohttp's own session warns of any new attribute, and slots refuse one: then leave it.
    if getattr(session, NAME, None) is None and not hasattr(type(session), "ATTRS"):
        try:
            setattr(session, NAME, name)
        except Exception:  # a model that checks its fields refuses it in a way of its own
            log.debug("%s takes no %s", type(session).__name__, NAME)


def _line_outside() -> str:
    """File and line of the nearest code that is neither llmkit's nor an event loop's."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        if str(frame.f_globals.get("__name__")).partition(".")[0] not in BETWEEN:
            return f"{frame.f_code.co_filename}:{frame.f_lineno}"
        frame = frame.f_back
    return ""
