"""The open sessions, their owners, and the time of their end."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import get_args

import pytest

from llmkit.cell import Cell
from llmkit.runtime.session import ClosedBy
from llmkit.runtime.session_registry import SessionRegistry

WALL = datetime(2026, 11, 24, tzinfo=UTC)
A1, A2, B1 = Cell("a", 1), Cell("a", 3), Cell("b", 2)


class Thing:
    """A resource with a close method."""


class Clock:
    """A clock that moves only when a test moves it."""

    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now


def registry(clock=None):
    return SessionRegistry(now=clock or Clock(), wall=lambda: WALL)


def ids(sessions):
    return [session.id for session in sessions]


def test_rerunning_a_cell_makes_stale_only_what_it_opened():
    """The second run of a cell takes the first run's sessions and no other cell's."""
    sessions = registry()
    mine = sessions.add(Thing(), provider="x", kind="temporary", cell=A1)
    sessions.add(Thing(), provider="x", kind="temporary", cell=B1)

    assert sessions.cell_started(A2) == (mine,)
    assert sessions.cell_started(A2) == ()


def test_a_pool_belongs_to_no_cell():
    """The persistent session is still warm when its first user's cell runs again."""
    sessions, loop = registry(), object()
    pool = sessions.add(Thing(), provider="x", kind="pool", loop=loop, base_url="u")

    assert sessions.cell_started(A1) == ()
    assert sessions.pooled("x", "u", loop) is pool
    assert sessions.pooled("x", "u", object()) is None
    assert sessions.pooled("x", "v", loop) is None


def test_deleted_cells_take_their_sessions_along():
    """A deleted cell cannot close anything by running again."""
    sessions = registry()
    gone = sessions.add(Thing(), provider="x", kind="registered", cell=A1)
    sessions.add(Thing(), provider="x", kind="registered", cell=B1)

    assert sessions.cells_deleted(["a", "c"]) == (gone,)


def test_idle_and_old_sessions_expire_but_none_in_use():
    """Idle time and age count only without requests in flight, and not for persistent sessions."""
    clock = Clock()
    sessions = registry(clock)
    idle = sessions.add(Thing(), provider="x", kind="pool")
    kept = sessions.add(Thing(), provider="x", kind="registered", keep=True)
    busy = sessions.add(Thing(), provider="x", kind="pool")

    with sessions.using(busy):
        clock.now = 301.0
        expired = sessions.expired(idle_s=300.0, max_age_s=1800.0)

    assert expired == (idle,)
    assert (idle.stale, kept.stale, busy.stale) == ("idle", None, None)
    clock.now = 1900.0
    with sessions.using(busy):
        pass
    assert sessions.expired(idle_s=300.0, max_age_s=1800.0) == (busy,)
    assert busy.stale == "age"


def test_registering_twice_is_one_row():
    """The same object has one line in the table."""
    sessions, thing = registry(), Thing()

    first = sessions.add(thing, provider="x", kind="registered")

    assert sessions.add(thing, provider="y", kind="registered") is first
    assert len(sessions.rows()) == 1


def test_a_closed_session_stays_in_the_table_and_lets_go():
    """A closed one is listed, does not age, and keeps nothing alive; closing twice is harmless."""
    clock = Clock()
    sessions = registry(clock)
    one = sessions.add(Thing(), provider="x", kind="temporary", cell=A1)

    sessions.cell_started(A2)
    clock.now = 2.0
    sessions.closed(one, "user")
    clock.now = 9.0
    sessions.closed(one, "exit")

    (row,) = sessions.rows()
    assert row.age_s == 2.0
    assert (row.status, row.closed_by, row.cell, row.execution_count) == ("closed", "rerun", "a", 1)
    assert one.resource is None
    assert repr(sessions) == "<SessionRegistry open=0 stale=0 closed=1>"


@pytest.mark.parametrize("kind", ["pool", "temporary", "registered"])
@pytest.mark.parametrize("reason", get_args(ClosedBy))
def test_what_was_left_open_has_leaked(kind, reason):
    """It was garbage-collected; a session that llmkit closed in time has not leaked."""
    sessions = registry()
    session = sessions.add(Thing(), provider="x", kind=kind)
    sessions.closed(session, reason)

    assert session.status == ("leaked" if reason == "collected" else "closed")


def test_a_request_is_counted_and_seen():
    """Requests, those in flight and idle time follow use."""
    clock = Clock()
    sessions = registry(clock)
    one = sessions.add(Thing(), provider="x", kind="pool")
    clock.now = 5.0

    with sessions.using(one):
        inside = sessions.rows()[0]
    clock.now = 7.0
    after = sessions.rows()[0]

    assert (inside.status, inside.in_flight, inside.idle_s) == ("in_use", 1, 0.0)
    assert (after.status, after.requests, after.idle_s, after.age_s) == ("open", 1, 2.0, 7.0)


def test_a_use_that_is_forgotten_has_ended():
    """A block whose task is gone does not keep a session in use."""
    sessions = registry()
    one = sessions.add(Thing(), provider="x", kind="temporary")
    use = sessions.using(one)
    use.__enter__()
    during = one.in_flight
    del use

    assert (during, one.in_flight) == (1, 0)


def test_watchers_hear_of_every_change_until_they_stop():
    """Opening, use, staleness and closing are reported."""
    sessions, heard = registry(), []
    stop = sessions.watch(lambda session: heard.append(str(session.status)))

    one = sessions.add(Thing(), provider="x", kind="temporary", cell=A1)
    with sessions.using(one):
        pass
    sessions.cell_started(A2)
    sessions.closed(one, "user")
    stop()
    sessions.add(Thing(), provider="x", kind="pool")

    assert heard == ["open", "open", "stale", "closed"]


def test_sessions_are_found_newest_first():
    """Sessions close in reverse order, so that a dependent one closes before its base."""
    sessions = registry()
    for provider in ("x", "y", "x"):
        sessions.add(Thing(), provider=provider, kind="pool")

    assert ids(sessions.find("all")) == ["s3", "s2", "s1"]
    assert ids(sessions.find("x")) == ["s3", "s1"]
    assert ids(sessions.find("s2")) == ["s2"]
    assert ids(sessions.find("stale")) == []


def test_only_the_last_closed_sessions_are_remembered():
    """A long notebook does not fill the memory."""
    sessions = registry()
    for _ in range(1100):
        sessions.closed(sessions.add(Thing(), provider="x", kind="temporary"), "user")

    assert len(sessions.rows()) == 1000
    assert repr(sessions) == "<SessionRegistry open=0 stale=0 closed=1100>"
