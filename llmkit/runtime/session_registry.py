"""Records the open sessions, the cells that opened them, and when they become stale.

Used by `manager`, `closer` and `sweeper`, which close sessions and report it here. Must not know
event loops, aiohttp or IPython: a resource and a loop are any objects.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import UTC, datetime

from ..cell import RUNNING, Cell
from ..telemetry.listeners import Listeners
from . import expiry, introspection
from .session import ClosedBy, Kind, Session, SessionRow, SessionStatus

REMEMBERED = 1000  # closed sessions that stay in the table


@dataclass(slots=True, eq=False)
class SessionUse:
    """A request on a session, which cannot become stale during it; garbage collection ends it too.

    A class, because a generator would cost more and every call has one.
    """

    registry: SessionRegistry
    session: Session
    _is_open: bool = False

    def __enter__(self) -> Session:
        self._is_open = True
        self.registry.count(self.session, 1)
        return self.session

    def __exit__(self, *error: object) -> None:
        self._is_open = False
        self.registry.count(self.session, -1)

    def __del__(self) -> None:
        if self._is_open:
            self.__exit__()


class SessionRegistry:
    """The open sessions of one kit and the last closed ones; thread-safe."""

    def __init__(
        self,
        *,
        now: Callable[[], float] = time.monotonic,
        wall: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._now = now
        self._wall = wall
        self._open_sessions: dict[str, Session] = {}
        self._by_resource: dict[int, Session] = {}
        self._closed_sessions: deque[Session] = deque(maxlen=REMEMBERED)
        self._closed_count = 0
        self._number = 0
        self._listeners: Listeners[Session] = Listeners("the sessions")
        self._state_listeners: Listeners[Session] = Listeners("the state of sessions")
        self._lock = threading.RLock()

    def add(
        self,
        resource: object,
        *,
        provider: str,
        kind: Kind,
        cell: Cell | None = None,
        loop: object | None = None,
        base_url: str = "",
        keep: bool = False,
        opened_at: str = "",
    ) -> Session:
        """Returns the record of *resource*; creates it at the first call."""
        with self._lock:
            existing_session = self._by_resource.get(id(resource))
            if existing_session is not None:
                return existing_session
            self._number += 1
            now = self._now()
            session = Session(
                f"s{self._number}", resource, provider, kind, cell, loop, base_url, keep, opened_at,
                self._wall(), now, now, seen=introspection.activity(resource),
            )  # fmt: skip
            self._open_sessions[session.id] = session
            self._by_resource[id(resource)] = session  # it holds the object, so its id stays unique
        self._changed(session)
        return session

    @property
    def is_empty(self) -> bool:
        """True if no session is open."""
        return not self._open_sessions

    def open_sessions(self) -> tuple[Session, ...]:
        """Returns the open sessions, oldest first; records those that their owner has closed."""
        with self._lock:
            sessions = tuple(self._open_sessions.values())
        for session in sessions:
            if introspection.closed(session.resource):
                self.closed(session, "user")
        return tuple(session for session in sessions if session.closed_by is None)

    def pooled(self, provider: str, base_url: str, loop: object) -> Session | None:
        """Returns the pooled session for *base_url* on *loop*, None if there is none."""
        with self._lock:
            for session in self._open_sessions.values():
                is_pooled_here = session.kind == "pool" and session.loop is loop
                if is_pooled_here and (session.provider, session.base_url) == (provider, base_url):
                    return None if session.stale else session
        return None

    def keep(self, session: Session, base_url: str) -> None:
        """Turns a temporary *session* into the pooled one for *base_url*, owned by no cell."""
        with self._lock:
            session.kind, session.cell, session.base_url = "pool", None, base_url
        self._changed(session)

    def using(self, session: Session) -> SessionUse:
        """Returns a context that counts as one request on *session*."""
        return SessionUse(self, session)

    def count(self, session: Session, change: int) -> None:
        """Counts the start (1) or the end (-1) of a request."""
        with self._lock:
            session.requests += change > 0
            session.in_flight += change
            session.used_s = self._now()
        if change < 0 and self._listeners.functions:
            self._listeners.tell(session)

    def cell_started(self, cell: Cell) -> tuple[Session, ...]:
        """Marks and returns the sessions of the previous run of *cell*."""
        return self._stale_where(lambda s: s.cell is not None and s.cell.id == cell.id, "rerun")

    def cells_deleted(self, ids: Collection[str]) -> tuple[Session, ...]:
        """Marks and returns the sessions of deleted cells."""
        return self._stale_where(lambda s: s.cell is not None and s.cell.id in ids, "deleted")

    def expired(self, *, idle_s: float, max_age_s: float) -> tuple[Session, ...]:
        """Marks and returns the sessions that are idle or too old."""
        now = self._now()
        stale_sessions = []
        for session in self.open_sessions():
            # The user may use a registered session without telling the registry.
            activity = introspection.activity(session.resource)
            if activity != session.seen:
                session.seen, session.used_s = activity, now
            is_running = session.cell in RUNNING
            reason = expiry.why(
                session, now, idle_s=idle_s, max_age_s=max_age_s, running=is_running
            )
            if reason is not None and session.stale is None:
                self.mark(session, reason)
                stale_sessions.append(session)
        return tuple(stale_sessions)

    def mark(self, session: Session, why: ClosedBy) -> None:
        """Makes *session* stale; keeps the first reason."""
        with self._lock:
            session.stale = session.stale or why
        self._changed(session)

    def closed(self, session: Session, by: ClosedBy, *, leaked: bool = False) -> None:
        """Records that *session* is closed; may be called twice.

        It counts as leaked if it was garbage collected while open, or if *leaked* is True.
        """
        with self._lock:
            if self._open_sessions.pop(session.id, None) is None:
                return
            session.closed_by = session.stale or by
            session.closed_s = self._now()
            session.leaked = leaked or session.closed_by == "collected"
            session.requests, session.bytes_in = _counted(session)
            self._by_resource.pop(id(session.resource), None)
            session.resource = None
            self._closed_count += 1
            self._closed_sessions.append(session)
        self._changed(session)

    def forget(self) -> tuple[Session, ...]:
        """Removes all open sessions without notifying listeners, and returns them."""
        sessions, self._open_sessions = tuple(self._open_sessions.values()), {}
        self._by_resource = {}
        self._lock = threading.RLock()  # another thread may hold the old one
        return sessions

    def find(self, what: str) -> tuple[Session, ...]:
        """Returns open sessions by "all", "stale", id or provider; newest first."""
        with self._lock:
            session = self._open_sessions.get(what)
        if session is not None:  # faster than a check of every session
            return (session,)
        return tuple(
            s
            for s in reversed(self.open_sessions())
            if what in ("all", s.provider) or (what == "stale" and s.stale)
        )

    def knows(self, what: str) -> bool:
        """Returns True if *what* is the id or the provider of a session in the table."""
        with self._lock:
            sessions = [*self._open_sessions.values(), *self._closed_sessions]
        return any(what in (session.id, session.provider) for session in sessions)

    def rows(self) -> tuple[SessionRow, ...]:
        """Returns the session table: closed sessions, then open ones."""
        self.open_sessions()  # records those that their owner has closed
        with self._lock:
            sessions = [*self._closed_sessions, *self._open_sessions.values()]
        return tuple(self._row(session) for session in sessions)

    def watch(
        self, callback: Callable[[Session], None], *, uses: bool = True
    ) -> Callable[[], None]:
        """Calls *callback* on the thread of each change; returns a function that removes it.

        The end of a request counts as a change if *uses* is True.
        """
        return (self._listeners if uses else self._state_listeners).add(callback)

    def _changed(self, session: Session) -> None:
        self._state_listeners.tell(session)
        self._listeners.tell(session)

    def _stale_where(self, test: Callable[[Session], bool], why: ClosedBy) -> tuple[Session, ...]:
        sessions = tuple(s for s in self.open_sessions() if s.stale is None and test(s))
        for session in sessions:
            self.mark(session, why)
        return sessions

    def _row(self, s: Session) -> SessionRow:
        now = self._now() if s.closed_s is None else s.closed_s
        requests, bytes_in = _counted(s)
        busy = max(s.in_flight, introspection.open_connections(s.resource, busy=True) or 0)
        is_in_use = busy and s.status is SessionStatus.OPEN
        return SessionRow(
            id=s.id, provider=s.provider, kind=s.kind,
            status=SessionStatus.IN_USE if is_in_use else s.status,
            cell=s.cell.id if s.cell else None,
            execution_count=s.cell.execution_count if s.cell else None,
            loop=None if s.loop is None else f"{type(s.loop).__name__}-{id(s.loop) & 0xFFFF:04x}",
            created=s.created, age_s=now - s.opened_s,
            idle_s=0.0 if s.in_flight else now - s.used_s, requests=requests, in_flight=busy,
            open_connections=introspection.open_connections(s.resource), bytes_in=bytes_in,
            closed_by=s.closed_by, opened_at=s.opened_at,
        )  # fmt: skip

    def __repr__(self) -> str:
        stale_count = len(self.find("stale"))
        open_count = len(self._open_sessions) - stale_count
        return (
            f"<SessionRegistry open={open_count} stale={stale_count} closed={self._closed_count}>"
        )


def _counted(session: Session) -> tuple[int, int | None]:
    """Returns requests and bytes as counted by the resource, else by the registry."""
    return introspection.tally(session.resource) or (session.requests, session.bytes_in)
