"""Which sessions are open, which cell opened them, and when they go.

Knows neither a loop nor aiohttp nor IPython: a resource is any object, a loop is any object, a
cell is a value that someone else supplies. Nothing is closed here; whoever closes says so.
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
    """A request on a session, which is neither idle nor too old during it.

    A use that is dropped before its end has ended. A class and no generator: every call has one.
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
    """The sessions of one kit, open ones and the last closed ones; may be used by any thread."""

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
        """The record of *resource*; the same one when it is added twice."""
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
            self._by_resource[id(resource)] = session  # which holds it, so that no other has its id
        self._changed(session)
        return session

    @property
    def is_empty(self) -> bool:
        """True if no session is open."""
        return not self._open_sessions

    def open_sessions(self) -> tuple[Session, ...]:
        """Returns all open ones, the oldest first, after noting those that their owner closed."""
        with self._lock:
            sessions = tuple(self._open_sessions.values())
        for session in sessions:
            if introspection.closed(session.resource):
                self.closed(session, "user")
        return tuple(session for session in sessions if session.closed_by is None)

    def pooled(self, provider: str, base_url: str, loop: object) -> Session | None:
        """The pool's session for that place on that loop, None where there is none."""
        with self._lock:
            for session in self._open_sessions.values():
                place = (session.provider, session.base_url)
                if (
                    session.kind == "pool"
                    and session.loop is loop
                    and place == (provider, base_url)
                ):
                    return None if session.stale else session
        return None

    def keep(self, session: Session, base_url: str) -> None:
        """Makes a temporary *session* the persistent one for that place; no cell owns it then."""
        with self._lock:
            session.kind, session.cell, session.base_url = "pool", None, base_url
        self._changed(session)

    def using(self, session: Session) -> SessionUse:
        """Returns a context that counts as one request on *session*."""
        return SessionUse(self, session)

    def count(self, session: Session, change: int) -> None:
        """Counts a request that begins (1) or ends (-1)."""
        with self._lock:
            session.requests += change > 0
            session.in_flight += change
            session.used_s = self._now()
        if change < 0 and self._listeners.functions:
            self._listeners.tell(session)

    def cell_started(self, cell: Cell) -> tuple[Session, ...]:
        """The sessions that an earlier run of *cell* left, now stale."""
        return self._stale_where(lambda s: s.cell is not None and s.cell.id == cell.id, "rerun")

    def cells_deleted(self, ids: Collection[str]) -> tuple[Session, ...]:
        """The sessions of cells that are gone, now stale."""
        return self._stale_where(lambda s: s.cell is not None and s.cell.id in ids, "deleted")

    def expired(self, *, idle_s: float, max_age_s: float) -> tuple[Session, ...]:
        """The sessions that have outlived their use, now stale; see `stale`."""
        now = self._now()
        stale_sessions = []
        for session in self.open_sessions():
            # Use that was not told to us but can be seen.
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
        """Makes *session* stale; the first reason stays."""
        with self._lock:
            session.stale = session.stale or why
        self._changed(session)

    def closed(self, session: Session, by: ClosedBy, *, leaked: bool = False) -> None:
        """Notes that *session* is closed; twice is harmless.

        It counts as leaked if it was dropped without being closed, and with *leaked*.
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
        """Takes all open ones out of the table without a word; gives them."""
        sessions, self._open_sessions = tuple(self._open_sessions.values()), {}
        self._by_resource = {}
        self._lock = threading.RLock()  # somebody else's thread may have held it
        return sessions

    def find(self, what: str) -> tuple[Session, ...]:
        """Open sessions by "all", "stale", an id or a provider's name; newest first."""
        with self._lock:
            session = self._open_sessions.get(what)
        if session is not None:  # a block that ends must not look at every other session
            return (session,)
        return tuple(
            s
            for s in reversed(self.open_sessions())
            if what in ("all", s.provider) or (what == "stale" and s.stale)
        )

    def knows(self, what: str) -> bool:
        """True where *what* is the id or the provider of a session in the table."""
        with self._lock:
            sessions = [*self._open_sessions.values(), *self._closed_sessions]
        return any(what in (session.id, session.provider) for session in sessions)

    def rows(self) -> tuple[SessionRow, ...]:
        """The session table: the remembered closed ones, then the open ones."""
        self.open_sessions()  # notes what its owner has closed
        with self._lock:
            sessions = [*self._closed_sessions, *self._open_sessions.values()]
        return tuple(self._row(session) for session in sessions)

    def watch(
        self, callback: Callable[[Session], None], *, uses: bool = True
    ) -> Callable[[], None]:
        """Calls *callback* at every change, on the thread that made it; returns what stops that.

        Args:
            uses: False leaves out the ends of requests.
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
            id=s.id,
            provider=s.provider,
            kind=s.kind,
            status=SessionStatus.IN_USE if is_in_use else s.status,
            cell=s.cell.id if s.cell else None,
            execution_count=s.cell.execution_count if s.cell else None,
            loop=None if s.loop is None else f"{type(s.loop).__name__}-{id(s.loop) & 0xFFFF:04x}",
            created=s.created,
            age_s=now - s.opened_s,
            idle_s=0.0 if s.in_flight else now - s.used_s,
            requests=requests,
            in_flight=busy,
            open_connections=introspection.open_connections(s.resource),
            bytes_in=bytes_in,
            closed_by=s.closed_by,
            opened_at=s.opened_at,
        )

    def __repr__(self) -> str:
        stale_count = len(self.find("stale"))
        open_count = len(self._open_sessions) - stale_count
        return (
            f"<SessionRegistry open={open_count} stale={stale_count} closed={self._closed_count}>"
        )


def _counted(session: Session) -> tuple[int, int | None]:
    """Requests and bytes: what the session itself has counted, else what was told."""
    return introspection.tally(session.resource) or (session.requests, session.bytes_in)
