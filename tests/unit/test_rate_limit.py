"""One limiter for all calls to a provider: concurrency, pauses after refusals, and recovery."""

from __future__ import annotations

import asyncio
import re
import threading
from itertools import pairwise

import pytest

from llmkit.errors import APITimeoutError, RateLimitError
from llmkit.retries.rate_limit import RateLimiter, RateLimiters
from llmkit.secret import Secret


class Time:
    """A clock that only sleeping advances, so that no test waits."""

    def __init__(self):
        self.now = 100.0

    def clock(self):
        return self.now

    async def sleep(self, seconds):
        self.now += seconds
        await asyncio.sleep(0)


def gate_at(time):
    return RateLimiter("OpenAI", clock=time.clock, sleep=time.sleep)


async def settle():
    """Runs every task that can proceed."""
    for _ in range(10):
        await asyncio.sleep(0)


def test_no_more_than_the_cap_are_inside():
    """The ninth of nine waits until one of the eight leaves."""

    async def nine():
        limiter = RateLimiter()
        assert all(limiter.acquire_now(8) for _ in range(8))
        ninth = asyncio.create_task(limiter.acquire(8))
        await settle()
        waited = not ninth.done()
        limiter.release()
        await ninth
        return waited

    assert asyncio.run(nine())


def test_the_longest_wait_is_next_except_for_retries():
    """A retried call has waited before and goes first."""

    async def queue():
        limiter, order = RateLimiter(), []
        assert limiter.acquire_now(1)

        async def enter(name, again):
            await limiter.acquire(1, again=again)
            order.append(name)
            limiter.release()

        tasks = [asyncio.create_task(enter(n, n == "again")) for n in ("first", "second", "again")]
        await settle()
        limiter.release()
        await asyncio.gather(*tasks)
        return order

    assert asyncio.run(queue()) == ["again", "first", "second"]


def test_a_comparison_does_not_stand_before_a_question():
    """Groups are served in turn, and one with a smaller limit does not block the others."""

    async def served():
        limiter, order = RateLimiter(), []
        assert limiter.acquire_now(2)
        assert limiter.acquire_now(2)

        async def enter(name, cap, group):
            await limiter.acquire(cap, group=group)
            order.append(name)

        rows = [asyncio.create_task(enter(f"row {n}", 2, "run")) for n in range(3)]
        single = [asyncio.create_task(enter(f"one {n}", 1, "narrow")) for n in range(2)]
        await settle()
        question = asyncio.create_task(enter("question", 2, None))
        await settle()
        for _ in range(2):
            limiter.release()
            await settle()
        started = list(order)
        await asyncio.wait_for(limiter.acquire(8), 5)  # a higher limit proceeds at once
        for task in (*rows, *single, question):
            task.cancel()
        await asyncio.gather(*rows, *single, question, return_exceptions=True)
        return started, repr(limiter)

    started, shown = asyncio.run(served())

    assert started == ["row 0", "question"]
    assert "waiting=0" in shown


def test_one_refusal_pauses_all_requests():
    """No request is sent before the reset that the server named."""
    time = Time()

    async def closed():
        limiter = gate_at(time)
        limiter.pause(20.0)
        assert not limiter.acquire_now(8)
        await limiter.acquire(8)
        return time.now

    assert asyncio.run(closed()) == pytest.approx(120.0)


def refused_after(limiter, count):
    """Sends *count* calls at once, of which the last is refused."""
    for _ in range(count):
        assert limiter.acquire_now(1000)
    limiter.refused()
    for _ in range(count):
        limiter.release()


async def intervals(limiter, time, count):
    """Returns the seconds between the next *count* calls."""
    times = []
    for _ in range(count + 1):
        await limiter.acquire(1000)
        times.append(time.now)
    return [round(later - earlier, 3) for earlier, later in pairwise(times)]


def test_the_first_refusal_cuts_the_rate_to_seven_tenths_of_what_was_sent():
    """Ten were sent within the last second, so the next ones leave 1/7 s apart."""
    time = Time()

    async def paced():
        limiter = gate_at(time)
        refused_after(limiter, 10)
        return await intervals(limiter, time, 3)

    assert asyncio.run(paced()) == [0.143, 0.143, 0.143]


def test_a_limit_that_the_headers_name_bounds_the_first_cut():
    """Ten were sent within a second, and the server allows 120 per minute."""
    time = Time()

    async def paced():
        limiter = gate_at(time)
        for _ in range(10):
            assert limiter.acquire_now(1000)
        limiter.refused(limit=2.0)
        return await intervals(limiter, time, 1)

    assert asyncio.run(paced()) == [0.5]


def test_the_next_refusals_measure_the_rate():
    """Four of seven calls passed in the second between two refusals."""
    time = Time()

    async def paced():
        limiter = gate_at(time)
        refused_after(limiter, 10)
        for _ in range(7):
            await limiter.acquire(1000)
        limiter.refused()
        limiter.refused()
        time.now = 101.0
        limiter.refused()
        limiter.refused(epoch=0)  # in flight since before the first refusal: no news
        return await intervals(limiter, time, 1)

    assert asyncio.run(paced()) == [round(1 / (0.95 * 4.5), 3)]


def test_accepted_calls_raise_the_rate_and_a_quiet_minute_removes_it():
    """The rate grows with each accepted call; without a refusal it is forgotten."""
    time = Time()

    async def later(accepted, seconds):
        limiter = gate_at(time)
        refused_after(limiter, 10)
        for _ in range(accepted):
            limiter.accepted()
        time.now += seconds
        await limiter.acquire(8)
        before = time.now
        await limiter.acquire(8)
        return round(time.now - before, 3), limiter.acquire_now(8)

    assert asyncio.run(later(0, 5.0)) == (0.143, False)
    assert asyncio.run(later(3, 5.0)) == (round(1 / 13, 3), False)
    assert asyncio.run(later(0, 61.0)) == (0.0, True)


def test_one_call_at_a_time_waits_for_the_clock():
    """A hundred waiting calls do not wake up for each call that is sent."""
    time, sleeps = Time(), []

    async def sleep(seconds):
        sleeps.append(seconds)
        await time.sleep(seconds)

    async def paced():
        limiter = RateLimiter(clock=time.clock, sleep=sleep)
        refused_after(limiter, 10)
        await asyncio.gather(*(limiter.acquire(1000) for _ in range(100)))

    asyncio.run(paced())

    assert len(sleeps) == 100


def test_the_number_of_concurrent_calls_grows_while_it_is_accepted():
    """Without a limit of the caller it starts at 8, and ends at 64."""
    limiter, most = RateLimiter(), []
    for _ in range(5000):
        while limiter.acquire_now():
            pass
        most.append(int(repr(limiter).partition("running=")[2].partition(" ")[0]))
        limiter.accepted()
        for _ in range(most[-1]):
            limiter.release()

    assert (most[0], most[10], max(most)) == (8, 9, 64)


def test_a_refusal_of_too_many_at_once_shrinks_their_number():
    """All calls are limited, also those with a limit of their own; later the number grows again."""
    limiter = RateLimiter()
    for _ in range(10):
        assert limiter.acquire_now(50)
    limiter.release()
    limiter.overloaded(epoch=limiter.pace.epoch)
    limiter.overloaded(epoch=limiter.pace.epoch - 1)  # sent before: no news
    for _ in range(9):
        limiter.release()
    held = sum(limiter.acquire_now(50) for _ in range(50))
    for _ in range(10):
        limiter.accepted()

    assert held == 7
    assert limiter.acquire_now(50)


def test_a_single_call_that_is_refused_as_one_too_many_waits():
    """A server that refuses any concurrency is asked at longer and longer intervals."""
    time = Time()

    async def waits():
        limiter, times = gate_at(time), []
        for _ in range(20):
            await limiter.acquire(8)
            times.append(time.now)
            limiter.release()
            if not limiter.overloaded(epoch=limiter.pace.epoch):
                limiter.refused(epoch=limiter.pace.epoch)
        return [later - earlier for earlier, later in pairwise(times)]

    assert asyncio.run(waits())[-1] > 5.0


def test_a_pause_that_outlasts_the_call_is_an_error_at_once():
    """Nothing is sent and no task sleeps; the error names the remaining time."""
    time = Time()

    async def entered():
        limiter = gate_at(time)
        limiter.pause(30.0)
        await limiter.acquire(8, time_left=lambda: 5.0)

    with pytest.raises(
        RateLimitError, match=r"OpenAI asks to wait until .*\(30 s\).*; nothing was sent"
    ) as raised:
        asyncio.run(entered())

    assert (raised.value.retry_after, raised.value.attempts, time.now) == (30.0, 0, 100.0)


def test_calls_of_a_run_wait_for_a_longer_pause():
    """A question is refused during a pause of 90 s, and a row waits for it."""
    time = Time()

    async def entered():
        limiter = gate_at(time)
        limiter.pause(90.0, longest_s=900.0)
        with pytest.raises(RateLimitError):
            await limiter.acquire(8)
        await limiter.acquire(8, group="run", longest_s=900.0)

    asyncio.run(entered())

    assert time.now == 190.0


def test_a_pause_is_told_to_those_who_watch():
    """Once, however many calls hear of it, and also to a run that starts during it."""
    time, told, later = Time(), [], []
    limiters = RateLimiters(clock=time.clock, sleep=time.sleep)
    limiter = limiters.of("openai", "https://a", None)
    stop = limiters.watch(told.append)
    for _ in range(3):
        limiter.pause(90.0, longest_s=900.0)
    limiters.watch(later.append)
    stop()
    limiter.pause(300.0, longest_s=900.0)
    limiter.pause(1000.0, longest_s=900.0)  # no row waits for it

    assert told == [("openai", 90.0)]
    assert later == [("openai", 90.0), ("openai", 300.0)]
    assert re.fullmatch(r"openai asks for 90 s, until (\d{4}-\d\d-\d\d )?\d\d:\d\d", str(told[0]))


def test_after_a_minute_a_long_pause_is_tried_again():
    """A wait of an hour is limited to one minute."""
    time = Time()

    async def entered():
        limiter = gate_at(time)
        limiter.pause(3600.0)
        with pytest.raises(RateLimitError):
            await limiter.acquire(8)
        time.now += 60.0
        await limiter.acquire(8)

    asyncio.run(entered())

    assert time.now == 160.0


def test_a_call_whose_time_passes_in_the_queue_is_told_so():
    """A call's own deadline also applies to its wait for a slot."""

    async def entered():
        limiter = RateLimiter("OpenAI")
        assert limiter.acquire_now(1)
        await limiter.acquire(1, time_left=lambda: 0.01)

    with pytest.raises(APITimeoutError, match="OpenAI had no free slot") as raised:
        asyncio.run(entered())

    assert raised.value.attempts == 0


def test_a_cancelled_wait_keeps_no_place():
    """In the queue or in the pause, its slot goes to the next."""

    async def cancelled():
        limiter = RateLimiter()
        assert limiter.acquire_now(1)
        queued = [asyncio.create_task(limiter.acquire(1)) for _ in range(2)]
        await settle()
        queued[0].cancel()
        limiter.release()
        await queued[1]
        queued.append(asyncio.create_task(limiter.acquire(1)))
        await settle()
        limiter.release()
        queued[2].cancel()  # at the moment in which its turn came
        await settle()
        return limiter.acquire_now(1)

    assert asyncio.run(cancelled())


def test_a_closed_gate_gives_the_place_of_a_cancelled_call_back():
    """Sleeping through a pause holds a slot, and cancellation releases it."""

    async def cancelled():
        limiter = RateLimiter()
        limiter.pause(30.0)
        sleeping = asyncio.create_task(limiter.acquire(1))
        await settle()
        sleeping.cancel()
        await settle()
        return repr(limiter)

    assert asyncio.run(cancelled()) == "<RateLimiter the provider running=0 waiting=0>"


def test_two_loops_share_one_gate():
    """A call on another thread's loop waits for one on this loop, which wakes it."""
    limiter = RateLimiter()
    entered, ended = threading.Event(), threading.Event()

    async def elsewhere():
        entered.set()
        await limiter.acquire(1)
        limiter.release()
        ended.set()

    async def here():
        assert limiter.acquire_now(1)
        thread.start()
        await asyncio.to_thread(entered.wait)
        waited = not ended.is_set()
        limiter.release()
        return waited

    thread = threading.Thread(target=lambda: asyncio.run(elsewhere()))
    assert asyncio.run(here())
    thread.join()

    assert ended.is_set()


def test_a_loop_that_is_gone_does_not_keep_the_others_waiting():
    """A waiter on a closed loop is skipped."""
    limiter = RateLimiter()
    assert limiter.acquire_now(1)
    gone = asyncio.new_event_loop()
    task = gone.create_task(limiter.acquire(1))
    gone.run_until_complete(settle())
    gone.close()

    limiter.release()

    assert limiter.acquire_now(1)
    task._log_destroy_pending = False  # this test leaves it behind on purpose
    task.get_coro().close()


def test_each_provider_and_key_has_a_gate_of_its_own():
    """The same place and key share a limiter; any other pair has its own."""
    rate_limiters = RateLimiters()
    one = rate_limiters.of("openai", "https://a", Secret("k" * 20))

    assert rate_limiters.of("openai", "https://a", Secret("k" * 20)) is one
    assert rate_limiters.of("openai", "https://a", Secret("j" * 20)) is not one
    assert rate_limiters.of("mistral", "https://a", Secret("k" * 20)) is not one
