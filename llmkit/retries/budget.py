"""Limits the retries of failed requests to one provider."""

from __future__ import annotations

import time
from collections.abc import Callable

# The figures of the retry budget are those of AWS's SDKs (botocore 1.44.5, read 2026-11-22).
FULL = 500
COST = 14
SHARE = 0.2  # retries per call
RESERVE = 10  # retries that are allowed even after few calls
QUIET_S = 60.0


class RetryBudget:
    """Limits the retries at one provider by a token bucket and by a share of the calls.

    A refusal by a rate limit costs nothing: the limiter sends such a call again at a slower rate.
    Any other retry takes tokens and an accepted request returns one; retries are at most a fifth of
    the calls. Both limits reset after a minute without a retry.

    Attributes:
        calls: The number of calls, without their retries.
        credit: The tokens in the bucket.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._last_request_at = clock()
        self._renew()

    def spend(self) -> bool:
        """Returns True if another retry is allowed, and counts it."""
        now = self._clock()
        if now - self._last_request_at > QUIET_S:
            self._renew()
        self._last_request_at = now
        if self.credit < COST or self._retries >= max(RESERVE, SHARE * self.calls):
            return False
        self.credit -= COST
        self._retries += 1
        return True

    def _renew(self) -> None:
        self.credit, self.calls, self._retries = FULL, 0, 0
