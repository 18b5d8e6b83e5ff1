"""Limits how many requests one API key has in flight and how fast they start, and pauses them.

Called by `chat.exchange` (acquire, release, accepted, refused, overloaded). Receives seconds and
gives slots; must not know HTTP. Its rate comes from `pace`.
"""

from __future__ import annotations

import asyncio
import logging
import math
import random
import threading
import time
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial

from ..errors import APITimeoutError, Outcome, RateLimitError
from ..secret import Secret
from ..telemetry.listeners import Listeners
from .budget import FULL, RetryBudget
from .pace import Pace
from .pauses import Pause, duration, when

log = logging.getLogger(__name__)

AT_ONCE = 8  # concurrent calls at the start, if the caller sets no limit
MOST_AT_ONCE = 64  # after growing
SHRUNK = 0.7  # after the refusal of too many concurrent calls
LONGEST_S = 60.0  # the longest wait of a single question for a pause to end
SHORTEST_S = 0.01  # of a sleep, after which a limit has certainly passed
FIRST_PAUSES = 4
LONGEST_NAP_S = 1.0  # an answer to another call may move the time of the next request
BELIEVED_S = 900.0  # a longer pause is believed for a minute; then one call tries again
TOLD_S = 3.0  # a view tells of pauses from this length on

Sleep = Callable[[float], Awaitable[None]]
TimeLeft = Callable[[], float | None]


@dataclass(slots=True, eq=False)
class _Waiter:
    cap: int | None
    loop: asyncio.AbstractEventLoop
    turn: asyncio.Future[None]
    is_timed: bool = False


class RateLimiter:
    """Limits concurrent calls and their rate; a refusal of one call slows or pauses all of them.

    Without a refusal it is only a counter. Thread-safe; one instance serves several loops.

    Attributes:
        budget: The retry budget of these calls.
        pace: The rate that the server accepts.
        clock: Returns seconds.
        sleep: Awaited for every wait.
        rand: Returns a number from 0 to 1, for jitter.
        accepted_count: The number of calls that the server has accepted.
    """

    def __init__(
        self,
        name: str = "the provider",
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Sleep = asyncio.sleep,
        rand: Callable[[], float] = random.random,
        tell: Callable[[Pause], None] = lambda pause: None,
    ) -> None:
        self.budget = RetryBudget(clock)
        self.pace = Pace()
        self.clock = clock
        self.sleep = sleep
        self.rand = rand
        self._name = name
        self._tell = tell
        self._lock = threading.Lock()
        self._running_count = 0
        self._queues: dict[object, deque[_Waiter]] = {}  # by group; the first group is served next
        self._is_calm = True  # no pause and no rate, so no look at the clock before a call
        self._is_timed = False  # one call at a time waits for the clock
        self._at_once = float(AT_ONCE)  # of calls without a limit of their own
        self._accepted_at_once = math.inf  # of all calls, after the server refused more
        self._opens_at = 0.0
        self._pause_end_at = 0.0  # as the server asked
        self.accepted_count = 0
        self._refused_since = math.inf  # since the last accepted call
        self._longest_pause_s = 0.0  # since the last accepted call
        self._reason = ""  # of the last refusal

    def acquire_now(self, cap: int | None = None) -> bool:
        """Takes a slot and returns True if one is free at once."""
        with self._lock:
            most = min(self._at_once if cap is None else cap, self._accepted_at_once)
            if not self._is_calm or self._running_count + 1 > most:
                return False
            self._running_count += 1
            self.pace.sent_at.append(self.clock())
            return True

    async def acquire(
        self,
        cap: int | None = None,
        *,
        time_left: TimeLeft = lambda: None,
        again: bool = False,
        group: object = None,
        longest_s: float = LONGEST_S,
        since: float | None = None,
    ) -> None:
        """Waits for one of *cap* slots and for the rate; the caller must `release` the slot.

        A refused call (*again*) goes to the head of its *group*. Groups are served in turn, so that
        a comparison does not delay a single question.

        Args:
            cap: None for as many as the server accepts, 8 at first and 64 at most.
            longest_s: The longest pause that the call waits for.
            since: When it first waited, None for now.

        Raises:
            RateLimitError: The pause exceeds *longest_s* or the call's timeout; nothing was sent.
            APITimeoutError: The call's timeout passed in the queue; nothing was sent.
        """
        with self._lock:
            now = self.clock()
            start = now if since is None else since
            self._check(now, start, longest_s, time_left())
            is_timed = not self._is_calm
            has_slot = self._has_room(cap) and not (is_timed and self._is_timed)
            if has_slot:
                self._running_count += 1
                self._is_timed = self._is_timed or is_timed
        if not has_slot:
            is_timed = await self._turn(cap, time_left(), again, group)
        try:
            while wait_s := self._seconds_until_open(start, longest_s, time_left()):
                await self.sleep(wait_s)
        except BaseException:
            self._leave_clock(is_timed)
            self.release()
            raise
        self._leave_clock(is_timed)

    def release(self) -> None:
        """Passes a slot to the longest waiting call of the next group."""
        with self._lock:
            self._running_count -= 1
            if self._queues:
                self._serve()

    def accepted(self) -> None:
        """Counts a request that the server accepted; the limits that it reached grow."""
        self.budget.credit = min(FULL, self.budget.credit + 1)
        self.accepted_count += 1
        closed_s = 0.0 if self._is_calm else self._closed_s()
        self._refused_since, self._longest_pause_s = math.inf, 0.0
        if self._is_calm and self._running_count < min(self._at_once, self._accepted_at_once) - 1:
            return
        with self._lock:
            self.pace.accepted(self.clock(), closed_s)
            if self._running_count + 1 > self._at_once < MOST_AT_ONCE:
                self._at_once += 1 / self._at_once
            if self._running_count + 1 > self._accepted_at_once:
                self._accepted_at_once += 1 / self._accepted_at_once
                if self._accepted_at_once > MOST_AT_ONCE:
                    self._accepted_at_once = math.inf
            self._serve()

    def refused(
        self, *, epoch: int | None = None, limit: float | None = None, reason: str = ""
    ) -> None:
        """Lowers the rate of all calls after a server refused one, for that *reason*.

        Args:
            epoch: That of `pace` when the refused request was sent; None for the current one.
            limit: Requests per second that the server's headers name, None if they name none.
        """
        with self._lock:
            now = self.clock()
            self._is_calm, self._reason = False, reason
            self._refused_since = min(self._refused_since, now)
            sent_in = self.pace.epoch if epoch is None else epoch
            self.pace.refused(now, sent_in, limit, self._closed_s())

    def refused_for(self, start: float, longest_s: float) -> float:
        """Returns for how long every call since *start* was refused; 0 if it is worth to go on.

        That ends after *longest_s*. A server that has never accepted a call gets a minute, or a few
        of the pauses that it names.
        """
        since = max(start, self._refused_since + self._longest_pause_s)
        return 0.0 if self._patience_s(start, longest_s) > 0 else self.clock() - since

    def _patience_s(self, start: float, longest_s: float) -> float:
        now, most = self.clock(), longest_s
        if not self.accepted_count:
            most = min(longest_s, max(LONGEST_S, FIRST_PAUSES * self._longest_pause_s))
        since = max(start, self._refused_since + self._longest_pause_s)
        return since + most - now if now >= self._opens_at else math.inf

    def _closed_s(self) -> float:
        """Returns for how long the server has accepted nothing, without the longest pause."""
        return max(0.0, self.clock() - self._refused_since - self._longest_pause_s)

    def overloaded(self, *, epoch: int | None = None, reason: str = "") -> bool:
        """Lowers the number of concurrent calls after a server refused one of too many.

        Returns False if the refused call was the only one.
        """
        with self._lock:
            self._reason = reason
            self._refused_since = min(self._refused_since, self.clock())
            if epoch is not None and epoch < self.pace.epoch:
                return True  # it was sent before the number was lowered
            most = min(self._accepted_at_once, self._running_count + 1)
            if most > 1:
                self._accepted_at_once = max(1.0, SHRUNK * most)
                self.pace.begin(self.clock())
            return most > 1

    def pause(self, seconds: float, longest_s: float = LONGEST_S) -> None:
        """Starts no calls for *seconds*, as the server asked, if a call waits for *longest_s*."""
        with self._lock:
            now = self.clock()
            longer_s = now + seconds - max(self._pause_end_at, now)
            is_believed = seconds <= max(BELIEVED_S, longest_s)
            opens_at = max(self._opens_at, now + (seconds if is_believed else LONGEST_S))
            pause_s = opens_at - max(self._opens_at, now)
            self._longest_pause_s = max(self._longest_pause_s, pause_s)
            self.pace.paused(pause_s, opens_at)
            self._is_calm, self._opens_at = False, opens_at
            self._pause_end_at = max(self._pause_end_at, now + seconds)
        if longer_s > 1.0 and is_believed:
            self.tell_pause(self._tell)

    def tell_pause(self, function: Callable[[Pause], None]) -> None:
        """Calls *function* with the pause of now, if it lasts for a few seconds."""
        seconds = self._opens_at - self.clock()
        if seconds >= TOLD_S:
            function(Pause(self._name, seconds))

    def _has_room(self, cap: int | None) -> bool:
        most = min(self._at_once if cap is None else cap, self._accepted_at_once)
        return self._running_count + 1 <= most or self._running_count == 0

    def _serve(self) -> None:
        """Gives free slots to waiting calls, with a rate to one at a time."""
        while self._queues and (self._is_calm or not self._is_timed):
            waiter = self._next_waiter()
            if waiter is None:
                return
            waiter.is_timed = not self._is_calm
            try:
                waiter.loop.call_soon_threadsafe(_grant, waiter.turn)
            except RuntimeError:  # the loop of the waiting call was closed
                continue
            self._running_count += 1
            self._is_timed = self._is_timed or waiter.is_timed

    def _next_waiter(self) -> _Waiter | None:
        for group, queue in self._queues.items():
            if self._has_room(queue[0].cap):
                waiter = queue.popleft()
                del self._queues[group]
                if queue:
                    self._queues[group] = queue  # behind the other groups
                return waiter
        return None

    async def _turn(
        self, cap: int | None, remaining_s: float | None, is_retry: bool, group: object
    ) -> bool:
        """Waits for a slot; returns True if the call is the one that waits for the clock."""
        loop = asyncio.get_running_loop()
        waiter = _Waiter(cap, loop, loop.create_future())
        with self._lock:
            is_first = not self._queues
            queue = self._queues.setdefault(group, deque())
            (queue.appendleft if is_retry else queue.append)(waiter)
            self._serve()  # a slot may have become free since
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
                self._leave_clock(waiter.is_timed)
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
        return waiter.is_timed

    def _seconds_until_open(
        self, start: float, longest_s: float, remaining_s: float | None
    ) -> float:
        """Returns the seconds to wait before the next check; 0 if the slot may be used."""
        with self._lock:
            now = self.clock()
            self._check(now, start, longest_s, remaining_s)
            opens_at = self._opens_at
            if self.pace.forget(now):
                self._is_calm = now >= opens_at
            else:
                opens_at = max(opens_at, self.pace.next_at)
            if now < opens_at:
                most_s = self._patience_s(start, longest_s) + SHORTEST_S
                return min(opens_at - now, most_s, max(self._opens_at - now, LONGEST_NAP_S))
            self.pace.sent(now)
            return 0.0

    def _check(self, now: float, start: float, longest_s: float, remaining_s: float | None) -> None:
        """Raises the error of a call since *start* that does not wait any longer."""
        if remaining_s is not None:
            longest_s = min(longest_s, remaining_s)
        seconds = max(self._pause_end_at if now < self._opens_at else 0.0, self.pace.next_at) - now
        refused_s = self.refused_for(start, longest_s)
        if refused_s:
            words = f"has refused every request for {duration(refused_s)}: {self._reason}"
        elif seconds > longest_s:
            verb = "asks to wait" if now < self._opens_at else "accepts no request"
            words = f"{verb} until {when(seconds)}, longer than this call waits; nothing was sent; "
            words += "wait, or ask another provider"
        else:
            return
        error = RateLimitError(
            f"{self._name} {words}", retry_after=max(seconds, 0.0), outcome=Outcome.FINAL
        )
        error.attempts = 0
        raise error

    def _leave_clock(self, is_timed: bool) -> None:
        """Lets the next call wait for the clock."""
        with self._lock:
            if is_timed:
                self._is_timed = False
            self._serve()

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
        self._listeners: Listeners[Pause] = Listeners("pauses")
        self._limiter_factory = partial(
            RateLimiter, clock=clock, sleep=sleep, rand=rand, tell=self._listeners.tell
        )
        self._limiters: dict[tuple[str, str, Secret | None], RateLimiter] = {}

    def of(self, name: str, base_url: str, key: Secret | None) -> RateLimiter:
        """Returns the limiter of provider *name* at *base_url* with *key*."""
        place = (name, base_url, key)
        limiter = self._limiters.get(place)
        if limiter is None:  # `setdefault`: two threads at once must get the same one
            limiter = self._limiters.setdefault(place, self._limiter_factory(name))
        return limiter

    def watch(self, function: Callable[[Pause], None]) -> Callable[[], None]:
        """Calls *function* with each pause that a provider asks for, also those of now.

        Returns a function that ends this.
        """
        for limiter in tuple(self._limiters.values()):
            limiter.tell_pause(function)
        return self._listeners.add(function)


def _grant(turn: asyncio.Future[None]) -> None:
    if not turn.done():
        turn.set_result(None)
