"""Limits how many requests one API key has in flight, and pauses all of them after a 429."""

from __future__ import annotations

import asyncio
import logging
import random
import threading
import time
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial

from ..errors import APITimeoutError, CallError, Outcome, RateLimitError
from ..secret import Secret

log = logging.getLogger(__name__)

AT_ONCE = 8
LONGEST_S = 60.0  # the longest wait of a call for a pause to end
SHORTEST_WINDOW_S = 1.0  # the shortest window for measuring a rate
SLACK = 0.9  # of the accepted rate
# The rate grows by FASTER after each 10 s without a 429; after 60 s the limit on it ends.
FASTER_AFTER_S = 10.0
FASTER = 1.5
FORGOTTEN_AFTER_S = 60.0
REMEMBERED = 1024  # accepted requests; more than a window holds at relevant rates

# The figures of the retry budget are those of AWS's SDKs (botocore 1.44.5, read 2026-11-22).
FULL = 500
COST = 14
COST_THROTTLED = 5
SHARE = 0.2  # retries per call
RESERVE = 10  # retries that are allowed even after few calls
QUIET_S = 60.0

Sleep = Callable[[float], Awaitable[None]]
TimeLeft = Callable[[], float | None]


class RetryBudget:
    """Limits the retries at one provider by a token bucket and by a share of the calls.

    A retry takes tokens and an accepted request returns one; retries are at most a fifth of
    the calls. Both limits reset after a minute without a retry.

    Attributes:
        calls: The number of calls, without their retries.
        credit: The tokens in the bucket.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._last_request_at = clock()
        self._renew()

    def spend(self, *, throttled: bool) -> bool:
        """Returns True if another retry is allowed, and counts it."""
        now = self._clock()
        if now - self._last_request_at > QUIET_S:
            self._renew()
        self._last_request_at = now
        cost = COST_THROTTLED if throttled else COST
        if self.credit < cost or self._retries >= max(RESERVE, SHARE * self.calls):
            return False
        self.credit -= cost
        self._retries += 1
        return True

    def _renew(self) -> None:
        self.credit, self.calls, self._retries = FULL, 0, 0


@dataclass(slots=True, eq=False)
class _Waiter:
    cap: int
    loop: asyncio.AbstractEventLoop
    turn: asyncio.Future[None]


class RateLimiter:
    """Limits concurrent calls; a 429 of one call pauses all of them.

    After the pause, calls start at no more than 0.9 times the rate that the server accepted
    before. Thread-safe; one instance serves several loops.

    Attributes:
        budget: The retry budget of these calls.
        sleep: Awaited for every wait.
        rand: Returns a number from 0 to 1, for jitter.
    """

    def __init__(
        self,
        name: str = "the provider",
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Sleep = asyncio.sleep,
        rand: Callable[[], float] = random.random,
    ) -> None:
        self.budget = RetryBudget(clock)
        self.sleep = sleep
        self.rand = rand
        self._name = name
        self._clock = clock
        self._lock = threading.Lock()
        self._running_count = 0
        self._queues: dict[object, deque[_Waiter]] = {}  # by group; the first group is served next
        self._acceptance_times: deque[float] = deque(maxlen=REMEMBERED)
        self._is_calm = True  # no pause and no rate limit, so no look at the clock
        self._opens_at = 0.0
        self._pause_end_at = 0.0  # as the server asked, without the cap of 60 s
        self._refused_at = 0.0
        self._rate: float | None = None  # requests per second
        self._next_at = 0.0

    def acquire_now(self, cap: int) -> bool:
        """Takes a slot and returns True if one is free at once."""
        with self._lock:
            if not self._is_calm or self._running_count >= cap:
                return False
            self._running_count += 1
            return True

    async def acquire(
        self,
        cap: int,
        *,
        time_left: TimeLeft = lambda: None,
        again: bool = False,
        group: object = None,
    ) -> None:
        """Waits for one of *cap* slots; the caller must `release` it.

        A retry (*again*) goes to the head of its *group*. Groups are served in turn, so that a
        comparison does not delay a single question.

        Raises:
            RateLimitError: The wait would exceed the call's timeout or a minute; nothing was sent.
            APITimeoutError: The call's timeout passed in the queue; nothing was sent.
        """
        await self._free_place(cap, time_left(), again, group)
        try:
            while wait := self._seconds_until_open(time_left()):
                await self.sleep(wait)
        except BaseException:
            self.release()
            raise

    def release(self) -> None:
        """Passes a slot to the longest waiting call of the next group."""
        with self._lock:
            self._running_count -= 1
            while self._queues and (waiter := self._next_waiter()):
                try:
                    waiter.loop.call_soon_threadsafe(_grant, waiter.turn)
                except RuntimeError:  # the loop of the waiting call was closed
                    continue
                self._running_count += 1

    def _next_waiter(self) -> _Waiter | None:
        for group, queue in self._queues.items():
            if self._running_count < queue[0].cap:
                waiter = queue.popleft()
                del self._queues[group]
                if queue:
                    self._queues[group] = queue  # behind the other groups
                return waiter
        return None

    def accepted(self) -> None:
        """Counts a request that the server accepted."""
        self._acceptance_times.append(self._clock())
        self.budget.credit = min(FULL, self.budget.credit + 1)

    def pause(self, seconds: float) -> None:
        """Starts no calls for *seconds*, at most a minute, as the server asked."""
        with self._lock:
            now = self._clock()
            rate = self._accepted_rate(now, seconds) or self._rate
            if rate is not None and self._rate is not None and now >= self._opens_at:
                rate = min(rate, SLACK * self._rate)  # the last rate was too high
            self._is_calm, self._rate, self._refused_at = False, rate, now
            self._pause_end_at = max(self._pause_end_at, now + seconds)
            self._opens_at = max(self._opens_at, now + min(seconds, LONGEST_S))

    async def _free_place(
        self, cap: int, remaining_s: float | None, is_retry: bool, group: object
    ) -> None:
        with self._lock:
            if self._running_count < cap:  # a waiting call has a smaller cap
                self._running_count += 1
                return
            is_first = not self._queues
            loop = asyncio.get_running_loop()
            waiter = _Waiter(cap, loop, loop.create_future())
            queue = self._queues.setdefault(group, deque())
            (queue.appendleft if is_retry else queue.append)(waiter)
        if is_first:
            log.info("waiting for one of %d calls to %s to end", self._running_count, self._name)
        try:
            async with asyncio.timeout(remaining_s):
                await waiter.turn
        except BaseException as error:
            with self._lock:
                queue = self._queues.get(group) or deque()
                is_waiting = waiter in queue
                if is_waiting:
                    queue.remove(waiter)
                if not queue:
                    self._queues.pop(group, None)
            if not is_waiting:  # it already has a slot that it cannot use
                self.release()
            if not isinstance(error, TimeoutError):
                raise
            timeout_error = APITimeoutError(
                f"{self._name} had no free slot within {remaining_s or 0:g} s; increase "
                "limit_per_provider, timeout= or deadline_s",
                outcome=Outcome.UNSENT,
            )
            timeout_error.attempts = 0
            raise timeout_error from None

    def _seconds_until_open(self, remaining_s: float | None) -> float:
        """Returns the seconds to wait before the next check; 0 if the slot may be used."""
        with self._lock:
            now = self._clock()
            longest = LONGEST_S if remaining_s is None else min(LONGEST_S, remaining_s)
            if now < self._opens_at:
                if self._pause_end_at - now > longest:
                    raise _closed(self._name, self._pause_end_at - now)
                return self._opens_at - now
            quiet_s = now - max(self._refused_at, self._opens_at)
            interval = 0.0
            if self._rate is None or quiet_s > FORGOTTEN_AFTER_S:
                self._is_calm, self._rate = True, None
            else:
                interval = float(1 / (self._rate * FASTER ** (quiet_s // FASTER_AFTER_S)))
            if now < self._next_at:
                if self._next_at - now > longest:
                    raise _closed(self._name, self._next_at - now)
                return self._next_at - now
            self._next_at = now + interval
            return 0.0

    def _accepted_rate(self, now: float, seconds: float) -> float | None:
        """Returns 0.9 times the highest recent rate, measured over windows as long as the pause."""
        window = min(max(seconds, SHORTEST_WINDOW_S), LONGEST_S)
        recent = [at for at in self._acceptance_times if at > now - LONGEST_S]
        most = start = 0
        for end, at in enumerate(recent):
            while recent[start] <= at - window:
                start += 1
            most = max(most, end - start + 1)
        return SLACK * most / window if most else None

    def __repr__(self) -> str:
        waiter_count = sum(map(len, self._queues.values()))
        return f"<RateLimiter {self._name} running={self._running_count} waiting={waiter_count}>"


class RateLimiters:
    """The rate limiters of one kit, each created at its first call."""

    def __init__(
        self,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Sleep = asyncio.sleep,
        rand: Callable[[], float] = random.random,
    ) -> None:
        self._limiter_factory = partial(RateLimiter, clock=clock, sleep=sleep, rand=rand)
        self._limiters: dict[tuple[str, str, Secret | None], RateLimiter] = {}

    def of(self, name: str, base_url: str, key: Secret | None) -> RateLimiter:
        """Returns the limiter of provider *name* at *base_url* with *key*."""
        place = (name, base_url, key)
        limiter = self._limiters.get(place)
        if limiter is None:  # `setdefault`: two threads at once must get the same one
            limiter = self._limiters.setdefault(place, self._limiter_factory(name))
        return limiter


def _grant(turn: asyncio.Future[None]) -> None:
    if not turn.done():
        turn.set_result(None)


def _closed(name: str, seconds: float) -> CallError:
    error = RateLimitError(
        f"{name} asked for a pause of another {seconds:.0f} s, nothing was sent; wait, "
        "or ask another provider",
        retry_after=seconds,
    )
    error.attempts = 0
    return error
