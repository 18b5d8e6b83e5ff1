"""The list of events: bounded, forwarded, and free of prompts and keys."""

from __future__ import annotations

import logging
from datetime import UTC, datetime

import pytest

from llmkit.cell import Cell
from llmkit.reports import Events
from llmkit.runtime.manager import EventLoopManager
from llmkit.runtime.session_registry import SessionRegistry
from llmkit.telemetry.event import Event, EventKind
from llmkit.telemetry.log import Telemetry

WHEN = datetime(2026, 11, 25, tzinfo=UTC)


class Thing:
    """A resource with a close method."""


def happened(kind=EventKind.REUSE, **more):
    return Event(kind, WHEN, "openai", **more)


def test_an_event_cannot_be_changed():
    """All subscribers get the same events."""
    with pytest.raises(AttributeError):
        happened().provider = "another"


def test_the_list_is_bounded():
    """In a long-lived kernel only the last events are kept."""
    telemetry = Telemetry(exported=False, remembered=3)
    for number in range(10):
        telemetry.note(happened(attempts=number))

    assert [event.attempts for event in telemetry.events()] == [7, 8, 9]


def test_subscribers_are_told_until_they_stop():
    """`watch` forwards every event, and returns a function that ends it."""
    telemetry, heard = Telemetry(exported=False), []
    stop = telemetry.watch(heard.append)
    telemetry.note(happened())
    stop()
    stop()
    telemetry.note(happened())

    assert heard == [happened()]


def test_a_subscriber_that_fails_costs_nothing(caplog):
    """A listener's exception is logged, and the next listener is still called."""
    telemetry, heard = Telemetry(exported=False), []
    telemetry.watch(lambda event: 1 / 0)
    telemetry.watch(heard.append)
    with caplog.at_level(logging.ERROR, logger="llmkit"):
        telemetry.note(happened())

    assert heard == [happened()]
    assert "ZeroDivisionError" in caplog.text


def test_a_session_is_told_of_when_it_opens_and_when_it_ends():
    """Using it or marking it stale is neither; a lost session is a leak."""
    telemetry, registry = Telemetry(exported=False), SessionRegistry()
    EventLoopManager(registry, telemetry=telemetry)
    good, lost = (
        registry.add(Thing(), provider="x", kind="temporary", cell=Cell("a", 1), base_url="u")
        for _ in range(2)
    )
    with registry.using(good):
        pass
    registry.mark(good, "rerun")
    registry.closed(good, "user")
    registry.closed(lost, "loop_end", leaked=True)

    told = [(e.kind, e.session, e.closed_by, e.cell) for e in telemetry.events()]
    assert told == [
        (EventKind.OPENING, good.id, None, "a"),
        (EventKind.OPENING, lost.id, None, "a"),
        (EventKind.CLOSE, good.id, "rerun", "a"),
        (EventKind.LEAK, lost.id, "loop_end", "a"),
    ]


def test_the_table_has_fixed_columns_even_when_it_is_empty():
    """As in every other table: the same columns and dtypes in every case."""
    telemetry = Telemetry(exported=False)
    empty = Events.of(telemetry).frame()
    telemetry.note(happened(operation="chat", messages=(("user", "hi"),), text="ho"))
    full = Events.of(telemetry).frame()

    assert list(empty.columns) == list(full.columns)
    assert list(empty.dtypes) == list(full.dtypes)
    line = full.iloc[0]
    assert (line["kind"], line["prompt"], line["text"]) == ("reuse", "hi", "ho")


def test_the_table_shows_itself_as_text_and_as_html():
    """A cell that ends with it shows it, with or without a rich display."""
    telemetry = Telemetry(exported=False)
    telemetry.note(happened(session="s1"))
    shown = Events.of(telemetry)

    assert "s1" in str(shown)
    assert "<table" in shown._repr_html_()


def test_telemetry_says_how_much_it_holds():
    """Its repr is a count, not two thousand events."""
    telemetry = Telemetry(exported=False, remembered=5)
    telemetry.note(happened())

    assert repr(telemetry) == "<Telemetry events=1 of 5>"
