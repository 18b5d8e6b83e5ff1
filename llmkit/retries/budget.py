"""How many requests may be sent again before that makes a provider's trouble worse."""

from __future__ import annotations

import time
from collections.abc import Callable

# The bucket's figures are those of AWS's SDKs (botocore 1.44.5, read 2026-11-22).
FULL = 500
COST = 14
COST_THROTTLED = 5
SHARE = 0.2  # of the calls
RESERVE = 10  # retries that few calls may have among them
QUIET_S = 60.0


class Budget:
    """Two limits on the retries at one provider, of which the smaller one counts.

    A bucket that every retry empties and every answer fills, and a fifth of the calls. After a
    minute in which nobody wanted to try again it is as new.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._wanted_at = clock()
        self._renew()

    def called(self) -> None:
        """Counts a call; its retries are none."""
        self._calls += 1

    def answered(self) -> None:
        """Counts a request that was not refused."""
        if self._left < FULL:
            self._left += 1

    def take(self, *, throttled: bool) -> bool:
        """True where one more retry is allowed, which is then taken."""
        now = self._clock()
        if now - self._wanted_at > QUIET_S:
            self._renew()
        self._wanted_at = now
        cost = COST_THROTTLED if throttled else COST
        if self._left < cost or self._retries >= max(RESERVE, SHARE * self._calls):
            return False
        self._left -= cost
        self._retries += 1
        return True

    def _renew(self) -> None:
        self._left, self._calls, self._retries = FULL, 0, 0
