"""Rows of a comparison wait for a rate limit, and none of them is lost; in virtual time."""

from __future__ import annotations

import asyncio
import re

import pytest

from llmkit.chat.arguments import chat_arguments
from llmkit.comparison.arguments import comparison_arguments
from llmkit.errors import RateLimitError
from llmkit.kit import Kit
from llmkit.retries.rate_limit import RateLimiters
from llmkit.types import Status
from tests.fakes.limited import Closed, LimitedTransport, TokenBucket, run

MODEL = "openai:gpt-6-luna"


class Watching:
    """A watcher that records the texts about pauses."""

    def __init__(self):
        self.told = []

    def begun(self, plan, stop):
        """Does nothing."""

    def grew(self, row, delta):
        """Does nothing."""

    def finished(self, row):
        """Does nothing."""

    def ended(self):
        """Does nothing."""

    def paused(self, text):
        self.told.append((round(asyncio.get_running_loop().time() - 1000), text))


def compare(
    transport, count, *, models=MODEL, view=None, before=None, limit=None, settings=(), **options
):
    """Returns the rows of a comparison of *count* prompts, and the virtual seconds it took."""
    arguments = comparison_arguments([f"question {n}" for n in range(count)], models, **options)

    async def compared():
        loop = asyncio.get_running_loop()
        kit = Kit(
            environ={"OPENAI_API_KEY": "sk-1234567890abcdef"}, transports={"openai": transport},
            rate_limiters=RateLimiters(clock=loop.time, sleep=asyncio.sleep),
            notify=lambda text: None, progress_after_s=1e6, **dict(settings),
        )  # fmt: skip
        if before is not None:
            await before(kit)
        start = loop.time()
        found = await kit.compare(arguments.requests, arguments.options, max_calls=10_000,
                                  view=view or Watching(), limit=limit)  # fmt: skip
        return found.rows, loop.time() - start

    return run(compared())


def statuses(rows):
    return {row.completion.status for row in rows}


@pytest.mark.parametrize("form", [None, "exact", "whole"])
@pytest.mark.parametrize("options", [{}, {"retries": 0}, {"timeout": 5.0}])
def test_no_row_is_lost_to_a_rate_limit(form, options):
    """Refusals use up neither retries nor the timeout of a row."""
    transport = LimitedTransport(TokenBucket(5, 1), form=form)

    rows, _ = compare(transport, 60, limit=16, **options)

    assert statuses(rows) == {Status.COMPLETE}
    assert sum(row.completion.attempts for row in rows) == 60 + len(transport.sent.refused)


def test_all_rows_wait_for_a_pause_that_the_provider_names():
    """One `Retry-After: 90` among 200 rows delays them, the view says so, and no row is lost."""
    transport, view = LimitedTransport(latency=1.0), Watching()
    transport.pauses[40] = 90.0

    rows, seconds = compare(transport, 200, view=view, timeout=30.0)

    assert statuses(rows) == {Status.COMPLETE}
    assert 90 < seconds < 130
    assert not [at for at in transport.sent.accepted if 1006 < at < 1094]
    (start, text), (end, after) = view.told
    assert re.fullmatch(r"openai asks for 90 s, until (\S+ )?\d\d:\d\d", text)
    assert (end - start, after) == (90, "")
    waited = [row.completion.waited_s for row in rows]
    assert waited[0] == 0.0
    assert max(waited) > 90.0
    assert max(row.completion.duration_s for row in rows if row.completion.attempts == 1) < 10.0


@pytest.mark.parametrize("status", [429, 503, 529])
@pytest.mark.parametrize(("seconds", "until"), [(90.0, 80.0), (90.0, 250.0), (5.0, 20.0)])
@pytest.mark.parametrize("first_at", [0.0, 3.0])
def test_rows_wait_for_several_pauses(status, seconds, until, first_at):
    """No row is lost to a server that names a pause, in whichever status and however often."""
    transport = LimitedTransport(latency=1.0)
    transport.closed = Closed(status, seconds, 1000.0 + first_at, 1000.0 + first_at + until)

    rows, took_s = compare(transport, 60, timeout=30.0, limit=8)

    assert statuses(rows) == {Status.COMPLETE}
    assert took_s < first_at + until + seconds + 40.0


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize("first_at", [0.0, 3.0])
@pytest.mark.parametrize("seconds", [1.0, 30.0, 300.0])
def test_a_server_that_only_names_pauses_is_given_up(status, first_at, seconds):
    """The rows end together: soon at a server that never answered, else after max_pause_s."""
    transport = LimitedTransport(latency=1.0)
    transport.closed = Closed(status, seconds, 1000.0 + first_at, 1e9)

    rows, took_s = compare(transport, 60, limit=8)

    lost = [row for row in rows if row.completion.status is Status.ERROR]
    most_s = 900.0 if first_at else max(60.0, 4 * seconds)
    assert most_s <= took_s <= most_s + 2 * seconds + 30.0
    assert all("has refused every request for" in row.error for row in lost)


def test_a_longer_pause_makes_error_rows_that_say_until_when():
    """A pause above max_pause_s is not waited for; what was in flight is answered."""
    transport = LimitedTransport(latency=1.0)
    transport.pauses[20] = 7800.0

    rows, seconds = compare(transport, 50, limit=8)

    lost = [row for row in rows if row.completion.status is Status.ERROR]
    assert seconds < 10
    assert len(rows) - len(lost) == len(transport.sent.accepted) >= 20
    assert {row.error_type for row in lost} == {"RateLimitError"}
    for row in lost:
        assert re.search(r"asks to wait until (\S+ )?\d\d:\d\d \(2 h 10 min\)", row.error)
        assert ("nothing was sent" in row.error) == (row.completion.attempts == 0)
    assert sum(row.completion.attempts for row in lost) == len(transport.sent.refused)


def test_without_patience_rows_are_sent_again_as_often_as_other_calls():
    """max_pause_s=0 restores the limits of `ask`."""
    transport = LimitedTransport()
    transport.pauses = dict.fromkeys((0, 1), 61.0)

    rows, _ = compare(transport, 1, settings={"max_pause_s": 0.0})

    assert statuses(rows) == {Status.ERROR}


def test_a_row_is_not_sent_forever():
    """A server that accepts nothing for a minute loses the rows, after few requests."""
    rows, seconds = compare(LimitedTransport(TokenBucket(1e-9, 0)), 20)

    assert statuses(rows) == {Status.ERROR}
    assert 60 < seconds < 180
    assert sum(row.completion.attempts for row in rows) < 60
    assert all("slow down" in row.error for row in rows)


def test_a_refusal_inside_a_stream_is_no_accepted_request():
    """Gateways send a status of 200, and the refusal as the first event of the stream.

    (https://github.com/QuantumNous/new-api/issues/6643, read 2026-11-30)
    """
    transport = LimitedTransport(TokenBucket(5, 1))
    transport.refuses_in_stream = True

    rows, seconds = compare(transport, 60, limit=16)

    assert statuses(rows) == {Status.COMPLETE}
    assert seconds < 1.3 * 12
    assert len(transport.sent.refused) <= 40


def test_a_server_that_has_answered_before_gets_more_time():
    """If it accepts nothing more for max_pause_s, the rest is lost."""
    rows, seconds = compare(LimitedTransport(TokenBucket(1e-9, 4)), 20)

    assert [row.completion.status for row in rows].count(Status.COMPLETE) == 4
    assert 900 < seconds < 2100
    assert sum(row.completion.attempts for row in rows) < 80


def test_a_model_that_is_always_refused_does_not_stop_the_others():
    """The rows of the other model are answered in the meantime."""
    transport = LimitedTransport(latency=1.0)
    transport.refused_models = {"gpt-6-sol"}

    rows, _ = compare(transport, 20, models=["openai:gpt-6-luna", "openai:gpt-6-sol"])

    by_model = {name: {row.completion.status for row in rows if row.asked == name}
                for name in ("openai:gpt-6-luna", "openai:gpt-6-sol")}  # fmt: skip
    assert by_model["openai:gpt-6-luna"] == {Status.COMPLETE}
    assert by_model["openai:gpt-6-sol"] == {Status.ERROR}
    assert max(transport.sent.accepted) < 1600


def test_a_question_does_not_wait_for_long():
    """During a pause that rows wait for, `ask` raises at once and says until when."""
    transport, raised = LimitedTransport(), []
    transport.pauses[0] = 90.0

    async def ask(kit):
        arguments = comparison_arguments("first", MODEL)
        task = asyncio.create_task(kit.compare(arguments.requests, arguments.options))
        await asyncio.sleep(1.0)
        with pytest.raises(RateLimitError, match="asks to wait until") as caught:
            await kit.answer(*chat_arguments("hi", MODEL))
        raised.append((caught.value.attempts, asyncio.get_running_loop().time()))
        await task

    rows, _ = compare(transport, 1, before=ask)

    assert raised == [(0, 1001.0)]
    assert statuses(rows) == {Status.COMPLETE}


def test_rows_show_a_pause_that_a_question_met():
    """The pause holds for all calls, so the view of a running comparison says it."""
    transport, view = LimitedTransport(latency=1.0), Watching()
    transport.pauses[10] = 90.0

    async def ask(kit):
        async def later():
            await asyncio.sleep(1.5)
            transport.closed = Closed(429, 90.0, 0.0, asyncio.get_running_loop().time() + 0.01)
            transport.pauses.clear()
            with pytest.raises(RateLimitError):
                await kit.answer(*chat_arguments("hi", MODEL, retries=0))

        tasks.append(asyncio.create_task(later()))

    tasks: list[object] = []
    rows, seconds = compare(transport, 60, view=view, before=ask, limit=8)

    assert statuses(rows) == {Status.COMPLETE}
    assert seconds > 90
    assert "openai asks for 90 s" in view.told[0][1]
    assert view.told[-1][1] == ""


def test_a_stopped_run_shows_no_pause():
    """The view drops it with the end of the run, not at the end of the pause."""

    class Stopping(Watching):
        def begun(self, plan, stop):
            asyncio.get_running_loop().call_later(20.0, stop)

    transport, view = LimitedTransport(latency=1.0), Stopping()
    transport.pauses[10] = 90.0

    rows, seconds = compare(transport, 40, view=view, limit=8)

    assert (seconds, [bool(text) for _, text in view.told]) == (20.0, [True, False])
    assert statuses(rows) == {Status.COMPLETE, Status.CANCELLED}
    waiting = [row.completion for row in rows if row.completion.attempts == 0]
    assert {round(one.waited_s) for one in waiting} == {20}
