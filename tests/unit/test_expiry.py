"""The rules by which open sessions are closed."""

from __future__ import annotations

import gc
import weakref

import aiohttp  # noqa: F401  # whose version says what its connectors hold
import pytest

from llmkit.cell import RUNNING, Cell
from llmkit.runtime.session_registry import SessionRegistry

LIMITS = {"idle_s": 300.0, "max_age_s": 1800.0}


class Thing:
    """A resource with a close method."""

    closed = False


class Handle:
    """A resource of the user."""


class Loop:
    """An event loop that may be closed."""

    def __init__(self, *, ended=False):
        self.ended = ended

    def is_closed(self):
        return self.ended


class Connector:
    """Like aiohttp's connector: connections in use, and idle ones with their last use."""

    __module__ = "aiohttp.connector"
    _closed = _factory = _loop = None

    def __init__(self):
        self._acquired = set()
        self._conns = {}


class Http(Thing):
    """Like a user's own aiohttp session, whose requests llmkit does not see."""

    def __init__(self):
        self.connector = Connector()


class Clock:
    """A clock that moves only when a test moves it."""

    now = 0.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def sessions(clock):
    return SessionRegistry(now=clock)


def add(sessions, thing=None, **more):
    return sessions.add(thing or Thing(), provider="x", kind="registered", **more)


def reasons(sessions):
    return [session.stale for session in sessions.expired(**LIMITS)]


def test_a_temporary_session_is_collected_once_its_context_manager_was_dropped(sessions):
    """The task of its block is gone, so it is reported as a leak."""
    handle = Handle()
    record = sessions.add(Thing(), provider="x", kind="temporary")
    record.handle = weakref.ref(handle)
    before = reasons(sessions)
    del handle

    assert before == []
    assert reasons(sessions) == ["collected"]
    sessions.closed(record, "user")
    assert (record.status, record.closed_by) == ("leaked", "collected")


def test_a_registered_session_stays_although_nothing_else_refers_to_it(sessions, clock):
    """`register_session(aiohttp.ClientSession())` as the only line of a cell is usual."""
    add(sessions, Thing(), cell=Cell("a", 1))
    gc.collect()
    clock.now = 299.0

    assert reasons(sessions) == []


def test_a_dropped_session_with_a_request_in_flight_is_not_collected(sessions):
    """An answer is read to its end."""
    http = Http()
    http.connector._acquired.add("a connection")
    record = sessions.add(http, provider="x", kind="temporary")
    record.handle = weakref.ref(Handle())

    assert reasons(sessions) == []
    http.connector._acquired.clear()
    assert reasons(sessions) == ["collected"]


def test_a_foreign_session_in_flight_is_neither_idle_nor_too_old(sessions, clock):
    """The state of aiohttp's connector counts as use."""
    http = Http()
    add(sessions, http)
    http.connector._acquired.add("a connection")
    clock.now = 5000.0
    (row,) = sessions.rows()

    assert reasons(sessions) == []
    assert (row.status, row.in_flight, row.open_connections) == ("in_use", 1, 1)


def test_use_of_a_foreign_session_is_seen_between_two_looks(sessions, clock):
    """A connection released since the last check was used since then."""
    http = Http()
    add(sessions, http)
    reasons(sessions)
    for clock.now in (200.0, 400.0, 600.0):
        http.connector._conns = {"host": [("a connection", clock.now)]}
        assert reasons(sessions) == []
    clock.now = 901.0

    assert reasons(sessions) == ["idle"]


def test_what_has_outlived_its_loop_goes(sessions):
    """It is unusable, whether it is persistent or not."""
    add(sessions, loop=Loop())
    add(sessions, loop=Loop(ended=True), keep=True)

    assert reasons(sessions) == ["loop_end"]


def test_the_sessions_of_a_running_cell_are_spared(sessions, clock):
    """A cell that computes for an hour still finds its session; afterwards it is idle."""
    cell = Cell("a", 1)
    add(sessions, cell=cell)
    clock.now = 5000.0
    RUNNING.add(cell)
    while_running = reasons(sessions)
    RUNNING.discard(cell)

    assert while_running == []
    assert reasons(sessions) == ["idle"]


def test_a_session_that_its_owner_has_closed_is_closed_in_the_table(sessions):
    """The user need not report it."""
    thing = Thing()
    add(sessions, thing)
    thing.closed = True

    assert [(row.status, row.closed_by) for row in sessions.rows()] == [("closed", "user")]
    assert reasons(sessions) == []


def test_a_session_that_its_owner_closed_is_not_taken_by_its_cell(sessions):
    """The next run of the cell finds it closed, with the reason."""
    thing, cell = Thing(), Cell("a", 1)
    record = add(sessions, thing, cell=cell)
    thing.closed = True

    assert sessions.cell_started(cell) == ()
    assert record.closed_by == "user"


def test_keep_spares_a_session_from_idle_and_age_only(sessions, clock):
    """The next run of its cell and the deletion of its cell close it as usual."""
    again, gone = Cell("again", 1), Cell("gone", 2)
    kept = [add(sessions, cell=cell, keep=True) for cell in (again, gone)]
    clock.now = 5000.0
    idle = reasons(sessions)
    sessions.cell_started(Cell("again", 3))
    sessions.cells_deleted({"gone"})

    assert idle == []
    assert [session.stale for session in kept] == ["rerun", "deleted"]
