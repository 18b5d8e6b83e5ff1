"""One limiter for all calls to a provider: concurrency, pauses after refusals, and recovery."""

from __future__ import annotations

import asyncio
import threading

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


def test_it_opens_at_nine_tenths_of_the_rate_that_was_accepted():
    """Ten per second were accepted, so the next ones leave 0.111 s apart."""
    time = Time()

    async def paced():
        limiter, left = gate_at(time), []
        for _ in range(10):
            limiter.accepted()
        limiter.pause(1.0)
        for _ in range(4):
            await limiter.acquire(8)
            left.append(round(time.now - 101.0, 3))
        return left

    assert asyncio.run(paced()) == [0.0, 0.111, 0.222, 0.333]


def test_a_limit_by_the_minute_gives_a_pace_by_the_minute():
    """Ten within the minute that the server asks to wait: one every 6.7 seconds."""
    time = Time()

    async def paced():
        limiter = gate_at(time)
        for _ in range(10):
            limiter.accepted()
        limiter.pause(60.0)
        await limiter.acquire(8)
        await limiter.acquire(8)
        return round(time.now - 160.0, 1)

    assert asyncio.run(paced()) == 6.7


def test_a_second_refusal_makes_it_slower():
    """A refused pace is not kept, even if it was accepted before."""
    time = Time()

    async def paced():
        limiter = gate_at(time)
        for _ in range(10):
            limiter.accepted()
        limiter.pause(1.0)
        limiter.pause(1.0)  # a request already in flight gives no new information
        await limiter.acquire(8)
        limiter.pause(1.0)
        await limiter.acquire(8)
        before = time.now
        await limiter.acquire(8)
        return round(time.now - before, 3)

    assert asyncio.run(paced()) == round(1 / 8.1, 3)


def test_a_slow_machine_does_not_make_the_pace_slow():
    """The busiest second counts, not the one before the refusal."""
    time = Time()

    async def paced():
        limiter = gate_at(time)
        for _ in range(10):
            limiter.accepted()
        time.now += 3.0
        limiter.pause(1.0)
        await limiter.acquire(8)
        before = time.now
        await limiter.acquire(8)
        return round(time.now - before, 3)

    assert asyncio.run(paced()) == 0.111


def test_the_pace_grows_and_is_forgotten_after_a_minute_without_a_refusal():
    """Ten seconds later the pace is half as fast again, and after a minute there is no wait."""
    time = Time()

    async def later(seconds):
        limiter = gate_at(time)
        for _ in range(9):
            limiter.accepted()
        limiter.pause(1.0)
        await limiter.acquire(8)
        time.now += seconds
        await limiter.acquire(8)
        before = time.now
        await limiter.acquire(8)
        return round(time.now - before, 3), limiter.acquire_now(8)

    assert asyncio.run(later(5.0)) == (0.123, False)
    assert asyncio.run(later(11.0)) == (0.082, False)
    assert asyncio.run(later(61.0)) == (0.0, True)


def test_a_pause_that_outlasts_the_call_is_an_error_at_once():
    """Nothing is sent and no task sleeps; the error names the remaining time."""
    time = Time()

    async def entered():
        limiter = gate_at(time)
        limiter.pause(30.0)
        await limiter.acquire(8, time_left=lambda: 5.0)

    with pytest.raises(RateLimitError, match="pause of another 30 s, nothing was sent") as raised:
        asyncio.run(entered())

    assert (raised.value.retry_after, raised.value.attempts, time.now) == (30.0, 0, 100.0)


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
