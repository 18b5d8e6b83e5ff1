"""Decides whether a failed request is sent again, and after which wait."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from ..errors import CallError, Outcome, RateLimitError, shorten
from ..transport.base import DROPPED
from .rate_limit import RetryBudget

if TYPE_CHECKING:
    from tenacity import RetryCallState

T = TypeVar("T")

LONGEST_S = 20.0  # of our own delays; a server may ask for up to the policy's cap
SHORTEST_S = 0.05
REPEATABLE = frozenset({Outcome.UNSENT, Outcome.REFUSED})
SHOWN = 160  # characters of each attempt's error in the list of them


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

    async def call(self, attempt: Callable[[int], Awaitable[T]], **how: Any) -> T:
        """What *attempt* gives, called with 1, 2, ... until one succeeds; *how* as in `after`.

        Raises:
            CallError: The last attempt's own error, with all attempts noted in `attempt_log`.
        """
        try:
            return await attempt(1)
        except CallError as error:
            return await self.after(error, attempt, **how)

    async def after(
        self,
        first: CallError,
        attempt: Callable[[int], Awaitable[T]],
        *,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        on_retry: Callable[[CallError, int, float], None] | None = None,
        time_left: Callable[[], float | None] = lambda: None,
        rand: Callable[[], float] = random.random,
        idempotent: bool = False,
        budget: RetryBudget | None = None,
    ) -> T:
        """What *attempt* gives, called with 2, 3, ... once the first one ended in *first*.

        So an answer at the first attempt, the usual case, pays for none of this.

        Args:
            on_retry: Told of the error, the number of the attempt to come, and the wait.
            time_left: Seconds until the caller's deadline; no wait outlives it.
            idempotent: True where sending twice costs nothing, so that even a request of
                which nobody knows whether it was answered may be sent again.
            budget: Whether one more retry does not make the provider's trouble worse.

        Raises:
            CallError: The last attempt's own error, with all attempts noted in `attempt_log`.
        """
        attempts = _Attempts(
            self, time_left=time_left, rand=rand, idempotent=idempotent, budget=budget
        )
        if not attempts.another_after(first):
            attempts.note_on(first)
            raise first

        async def later(number: int) -> T:
            if number == 1:
                raise first
            return await attempt(number)

        def report_retry(state: RetryCallState) -> None:
            error = state.outcome.exception() if state.outcome else None
            assert isinstance(error, CallError)
            if on_retry is not None:
                on_retry(error, state.attempt_number + 1, state.upcoming_sleep)

        return await _repeat(later, attempts, report_retry, sleep)


class _Attempts:
    """The attempts of one call so far, and whether there is to be one more."""

    def __init__(
        self,
        policy: RetryPolicy,
        *,
        time_left: Callable[[], float | None],
        rand: Callable[[], float],
        idempotent: bool,
        budget: RetryBudget | None,
    ) -> None:
        self.wait = 0.0
        self._policy = policy
        self._time_left = time_left
        self._rand = rand
        self._idempotent = idempotent
        self._budget = budget
        self._last: CallError | None = None
        self._lines: list[str] = []
        self._stop_reason = ""

    def another_after(self, error: BaseException) -> bool:
        """True where the request may be sent again, after `wait` seconds."""
        if not isinstance(error, CallError):
            return False
        if error is self._last:  # tenacity asks once more about the first attempt
            return True
        self._last = error
        suffix = " (possibly billed)" if error.possibly_billed else ""
        line = f"{type(error).__name__}: {shorten(str(error), SHOWN)}{suffix}"
        has_next = len(self._lines) + 1 < self._policy.attempts and self._may_repeat(error)
        self._lines.append(f"{line} (waited {self.wait:.2f} s)" if has_next else line)
        return has_next

    def note_on(self, error: CallError) -> None:
        """Leaves the list of attempts on *error*, which is the last one's."""
        error.attempt_log = tuple(self._lines)
        error.attempts = max(error.attempts, len(self._lines))
        if self._stop_reason:
            error.add_note(f"not tried again: {self._stop_reason}")
        if len(self._lines) > 1:
            entries = (f"{n}. {line}" for n, line in enumerate(self._lines, 1))
            error.add_note("\n".join([f"gave up after {len(self._lines)} attempts:", *entries]))

    def _may_repeat(self, error: CallError) -> bool:
        is_unknown = self._idempotent and error.outcome is Outcome.AMBIGUOUS
        if error.outcome not in REPEATABLE and not is_unknown:
            return False
        self.wait = self._wait_after(error)
        if error.code != DROPPED:
            self._stop_reason = self._objection(error)
        return not self._stop_reason

    def _wait_after(self, error: CallError) -> float:
        """Returns seconds: the server's `Retry-After`, the policy's delay, or a growing one."""
        if error.code == DROPPED:  # a new connection is there at once, and no server is overloaded
            return 0.0
        if error.retry_after is not None:
            # Never less than the server said; the rest keeps many callers apart.
            return error.retry_after + self._rand() * (0.1 * error.retry_after + 0.1)
        if self._policy.delay is not None:
            return self._policy.delay
        backoff_s = 0.5 * 2.0 ** (len(self._lines) + 1)
        return max(SHORTEST_S, self._rand() * min(LONGEST_S, backoff_s))

    def _objection(self, error: CallError) -> str:
        cap, remaining_s = self._policy.cap, self._time_left()
        if error.retry_after is not None and error.retry_after > cap:
            return f"it asks for a wait of {error.retry_after:.0f} s, more than {cap:g} s"
        if remaining_s is not None and self.wait >= remaining_s:
            return "the wait would outlast the time for the whole call"
        is_throttled = isinstance(error, RateLimitError)
        if self._budget is not None and not self._budget.spend(throttled=is_throttled):
            return "too many calls to it have failed within the last minutes"
        return ""


async def _repeat(
    attempt: Callable[[int], Awaitable[T]],
    attempts: _Attempts,
    callback: Callable[[RetryCallState], None],
    sleep: Callable[[float], Awaitable[None]],
) -> T:
    import tenacity

    retry_loop = tenacity.AsyncRetrying(
        retry=tenacity.retry_if_exception(attempts.another_after),
        wait=lambda state: attempts.wait,
        before_sleep=callback,
        sleep=sleep,
        reraise=True,
    )
    try:
        async for step in retry_loop:
            with step:
                return await attempt(step.retry_state.attempt_number)
    except CallError as error:
        attempts.note_on(error)
        raise
    raise AssertionError("tenacity ends by a return or a raise")
