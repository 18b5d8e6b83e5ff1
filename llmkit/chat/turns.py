"""Lets one call wait for its turn, and decides what a refusal means for all calls with that key."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ..errors import CallError, Outcome, RateLimitError
from ..retries.pauses import when
from ..retries.policy import REPEATABLE
from ..retries.rate_limit import LONGEST_S, RateLimiter

OVERLOADED = (503, 529)  # defined as unanswered, unlike 500, 502 and 504
PATIENT_REFUSALS = 8  # of one call; if more follow for `max_pause_s`, it is not sent again
# A call that is refused this often while others are accepted has a limit of its own, such as that
# of its model. It waits for itself, and does not slow down the others.
OWN_REFUSALS = 2
LONGEST_OWN_S = 60.0


@dataclass(slots=True)
class CallTurns:
    """The turns of one call at the *limiter*, of whose calls *at_once* may run.

    A call of a *group*, such as a row of a comparison, waits for a turn without a limit. With
    *max_pause_s* it is sent again after each rate limit, and each other refusal that names a pause,
    if the pause is not longer.

    Attributes:
        epoch: That of the limiter's pace when the last attempt was sent.
        waited_s: Seconds of waiting so far, for turns and between attempts.
        since: When the call began to wait, None if it does not.
    """

    limiter: RateLimiter
    at_once: int | None
    group: object
    max_pause_s: float | None
    epoch: int = 0
    waited_s: float = 0.0
    since: float | None = None
    _first_at: float | None = None  # when it first waited
    _refusals: int = 0
    _refused_at: float = 0.0  # the first of them
    _own_refusals: int = 0  # with calls that were accepted between them
    _accepted_count: int = 0  # at the last refusal

    @property
    def longest_s(self) -> float:
        """The longest pause that the call waits for."""
        return LONGEST_S if self.max_pause_s is None else self.max_pause_s

    def begin(self) -> None:
        """Marks the start of a wait, if none has begun."""
        if self.since is None:
            self.since = self.limiter.clock()

    def end(self) -> None:
        """Adds the wait of now to `waited_s`."""
        self.waited_s, self.since = self.total_s(), None

    def total_s(self) -> float:
        """Returns the seconds of waiting, with those of now."""
        return self.waited_s + (0.0 if self.since is None else self.limiter.clock() - self.since)

    async def wait(self, time_left: Callable[[], float | None], *, again: bool) -> float:
        """Waits for a slot of the limiter; returns the seconds, which are not the provider's.

        A call without a group waits at most as long as *time_left*, and returns 0.

        Raises:
            RateLimitError, APITimeoutError: As `RateLimiter.acquire`.
        """
        limiter, start = self.limiter, self.limiter.clock()
        if self._first_at is None:
            self._first_at = start
        if self._own_refusals >= OWN_REFUSALS:
            most_s = min(LONGEST_OWN_S, 2.0**self._own_refusals)
            await limiter.sleep(most_s * (1 + limiter.rand()) / 2)
        # If it is refused twice, its model may have a limit of its own: others go first.
        is_again = self._refusals == 1 or (again and not self._refusals)
        if limiter.acquire_now(self.at_once):
            pass
        elif self.group is None:
            await limiter.acquire(self.at_once, time_left=time_left, again=is_again)
        else:
            await limiter.acquire(
                self.at_once, again=is_again, group=self.group, longest_s=self.longest_s,
                since=self._first_at,
            )  # fmt: skip
        return 0.0 if self.group is None else limiter.clock() - start

    def learn_from(self, error: CallError) -> None:
        """Slows down or pauses all calls after the refusal of this one."""
        limiter, seconds, reason = self.limiter, error.retry_after, error.args[0]
        is_limit, is_overload = isinstance(error, RateLimitError), error.status in OVERLOADED
        if is_overload or (is_limit and "concurren" in str(error).lower()):
            is_overload = limiter.overloaded(epoch=self.epoch, reason=reason) or is_overload
        if is_limit and not is_overload and self._own_refusals < OWN_REFUSALS:
            limiter.refused(epoch=self.epoch, limit=error.request_rate, reason=reason)
        if seconds is not None and (is_overload or is_limit):
            limiter.pause(seconds, self.longest_s)

    def waits_after(self, error: CallError) -> bool:
        """Returns True if the call is sent again as soon as the limiter allows it."""
        most, now = self.max_pause_s, self.limiter.clock()
        is_pause = error.status in OVERLOADED and error.retry_after is not None
        is_limit = isinstance(error, RateLimitError) or is_pause
        if most is None or not is_limit or error.outcome not in REPEATABLE:
            return False
        if not self._refusals:
            self._refused_at = now
        elif self.limiter.accepted_count > self._accepted_count:
            self._own_refusals += 1
        self._refusals += 1
        self._accepted_count = self.limiter.accepted_count
        is_hopeless = self._refusals > PATIENT_REFUSALS and now - self._refused_at > most
        is_hopeless = is_hopeless or self.limiter.refused_for(self._refused_at, most) > 0
        if is_hopeless:
            error.outcome = Outcome.FINAL
        return not is_hopeless and (error.retry_after or 0.0) <= most

    def explain(self, error: CallError) -> None:
        """Adds to a refusal until when the provider asks to wait, if the call does not wait."""
        seconds = error.retry_after
        if error.status and seconds is not None and seconds > self.longest_s:
            error.args = (f"{error.args[0]}; it asks to wait until {when(seconds)}",)
