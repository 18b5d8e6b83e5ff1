"""Decides whether a failed request is retried, and after how many seconds."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from ..cell import ready_soon
from ..errors import CallError, Outcome, RateLimitError, shorten
from .budget import RetryBudget

if TYPE_CHECKING:
    from tenacity import RetryCallState

T = TypeVar("T")

LONGEST_S = 20.0  # limit of the backoff; a server may ask for up to the policy's cap
SHORTEST_S = 0.05
REPEATABLE = frozenset({Outcome.UNSENT, Outcome.REFUSED})
SHOWN = 160  # characters of each error in the attempt log


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """The number of attempts and the seconds between them.

    Attributes:
        attempts: The total, including the first.
        delay: Seconds between attempts if the server sends no `Retry-After`; None means
            exponential backoff with jitter over the whole range.
        cap: If the server asks for a longer wait, its error is raised at once.
    """

    attempts: int = 3
    delay: float | None = None
    cap: float = 60.0

    async def call(self, attempt: Callable[[int], Awaitable[T]], **how: Any) -> T:
        """Calls *attempt* with 1, 2, ... until it succeeds, and returns its result.

        Takes the options of `after` and raises the same errors.
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
        """Calls *attempt* with 2, 3, ... after the first failed with *first*; returns its result.

        Separate from `call` so that a success at the first attempt does not pay for it.

        Args:
            on_retry: Called with the error, the number of the next attempt, and the wait.
            time_left: Returns the seconds until the caller's deadline; no wait outlasts it.
            idempotent: True retries also a request that the server may have answered.
            budget: Limits the retries of all calls to this provider.

        Raises:
            CallError: The error of the last attempt, with all attempts in `attempt_log`.
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
    """Logs the attempts of one call, and decides whether another one follows."""

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
        """Returns True if the request may be retried, after `wait` seconds."""
        if not isinstance(error, CallError):
            return False
        if error is self._last:  # tenacity repeats the question for the first attempt
            return True
        self._last = error
        suffix = " (possibly billed)" if error.possibly_billed else ""
        line = f"{type(error).__name__}: {shorten(error.args[0], SHOWN)}{suffix}"
        has_next = len(self._lines) + 1 < self._policy.attempts and self._may_repeat(error)
        self._lines.append(f"{line} (waited {self.wait:.2f} s)" if has_next else line)
        return has_next

    def note_on(self, error: CallError) -> None:
        """Adds the log of all attempts to *error*, the last one."""
        error.attempt_log = tuple(self._lines)
        error.attempts = max(error.attempts, len(self._lines))
        if self._stop_reason:
            error.add_note(f"not retried: {self._stop_reason}")
        if len(self._lines) > 1:
            entries = (f"{n}. {line}" for n, line in enumerate(self._lines, 1))
            error.add_note("\n".join([f"gave up after {len(self._lines)} attempts:", *entries]))

    def _may_repeat(self, error: CallError) -> bool:
        is_unknown = self._idempotent and error.outcome is Outcome.AMBIGUOUS
        if error.outcome not in REPEATABLE and not is_unknown:
            return False
        self.wait = self._wait_after(error)
        self._stop_reason = self._objection(error)
        return not self._stop_reason

    def _wait_after(self, error: CallError) -> float:
        """Returns seconds: from `Retry-After`, the policy's delay, or exponential backoff."""
        if error.retry_after is not None:
            # Never less than `Retry-After`; the jitter spreads out many callers.
            return error.retry_after + self._rand() * (0.1 * error.retry_after + 0.1)
        if self._policy.delay is not None:
            return self._policy.delay
        backoff_s = 0.5 * 2.0 ** (len(self._lines) + 1)
        return max(SHORTEST_S, self._rand() * min(LONGEST_S, backoff_s))

    def _objection(self, error: CallError) -> str:
        cap, remaining_s = self._policy.cap, self._time_left()
        if error.retry_after is not None and error.retry_after > cap:
            return f"the server asks for a wait of {error.retry_after:.0f} s, more than {cap:g} s"
        if remaining_s is not None and self.wait >= remaining_s:
            return "the wait would exceed the call's timeout"
        # A refusal costs the server little, and the limiter slows the calls down.
        is_refusal = isinstance(error, RateLimitError) or error.retry_after is not None
        if self._budget is not None and not is_refusal and not self._budget.spend():
            return "the retry budget of this provider is used up; try again in a minute"
        return ""


async def _repeat(
    attempt: Callable[[int], Awaitable[T]],
    attempts: _Attempts,
    callback: Callable[[RetryCallState], None],
    sleep: Callable[[float], Awaitable[None]],
) -> T:
    await ready_soon("tenacity")
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
    raise AssertionError("unreachable: tenacity returns or raises")
