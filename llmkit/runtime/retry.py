"""Sends a request again, only where the first one was provably not answered."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from ..errors import CallError, Outcome

if TYPE_CHECKING:
    from tenacity import RetryCallState

T = TypeVar("T")

LONGEST_S = 20.0  # of our own delays; a server may ask for up to the policy's cap
SHORTEST_S = 0.05
REPEATABLE = frozenset({Outcome.UNSENT, Outcome.REFUSED})


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How often and after how long.

    Attributes:
        attempts: In all, the first one included.
        delay: Seconds between attempts where the server does not say; None grows them, with
            jitter over the whole range so that many callers do not come back together.
        cap: A server that asks for a longer wait gets none: its error is raised at once.
    """

    attempts: int = 3
    delay: float | None = None
    cap: float = 60.0

    async def call(
        self,
        attempt: Callable[[int], Awaitable[T]],
        *,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        on_retry: Callable[[CallError, int, float], None] | None = None,
        time_left: Callable[[], float | None] = lambda: None,
        rand: Callable[[], float] = random.random,
        idempotent: bool = False,
    ) -> T:
        """What *attempt* gives, called with 1, 2, ... until one succeeds.

        Args:
            on_retry: Told of the error, the number of the attempt to come, and the wait.
            time_left: Seconds until the caller's deadline; no wait outlives it.
            idempotent: True where sending twice costs nothing, so that even a request of
                which nobody knows whether it was answered may be sent again.

        Raises:
            CallError: The last attempt's own error, with the number of attempts noted.
        """
        try:
            return await attempt(1)
        except CallError as error:
            if self.attempts == 1 or not self._may_repeat(error, idempotent, time_left()):
                raise
            first = error

        async def later(number: int) -> T:
            if number == 1:
                raise first
            return await attempt(number)

        def again(error: BaseException) -> bool:
            return isinstance(error, CallError) and self._may_repeat(error, idempotent, time_left())

        def told(error: CallError, number: int, wait: float) -> None:
            if on_retry is not None:
                on_retry(error, number, wait)

        # An answer at the first attempt, the usual case, pays for none of this.
        return await self._repeat(later, again, told, sleep=sleep, rand=rand)

    async def _repeat(
        self,
        attempt: Callable[[int], Awaitable[T]],
        again: Callable[[BaseException], bool],
        told: Callable[[CallError, int, float], None],
        *,
        sleep: Callable[[float], Awaitable[None]],
        rand: Callable[[], float],
    ) -> T:
        import tenacity

        retrying = tenacity.AsyncRetrying(
            stop=tenacity.stop_after_attempt(self.attempts),
            retry=tenacity.retry_if_exception(again),
            wait=lambda state: self._wait(_error(state), state.attempt_number, rand),
            before_sleep=lambda state: told(
                _error(state), state.attempt_number + 1, state.upcoming_sleep
            ),
            sleep=sleep,
            reraise=True,
        )
        number = 0
        try:
            async for step in retrying:
                with step:
                    number = step.retry_state.attempt_number
                    return await attempt(number)
        except CallError as error:
            error.attempts = number
            error.add_note(f"gave up after {number} attempt(s)")
            raise
        raise AssertionError("tenacity ends by a return or a raise")

    def _may_repeat(self, error: CallError, idempotent: bool, left: float | None) -> bool:
        known = error.outcome in REPEATABLE
        if not known and not (idempotent and error.outcome is Outcome.AMBIGUOUS):
            return False
        wished = error.retry_after or self.delay or 0.0
        return wished <= (self.cap if left is None else min(self.cap, left))

    def _wait(self, error: CallError, number: int, rand: Callable[[], float]) -> float:
        if error.retry_after is not None:
            wished = error.retry_after
            # Never less than the server said; the rest keeps many callers apart.
            return wished + rand() * (0.1 * wished + 0.1)
        if self.delay is not None:
            return self.delay
        return max(SHORTEST_S, rand() * min(LONGEST_S, 0.5 * 2.0**number))


def _error(state: RetryCallState) -> CallError:
    error = state.outcome.exception() if state.outcome else None
    assert isinstance(error, CallError)
    return error
