"""Learns the request rate that a server accepts from its refusals; knows no clock and no socket.

The first refusal cuts the rate to 0.7 of what was sent within the last second. The requests that
pass between two refusals then measure the server's own rate, because its bucket is empty at both.
A server that counts the requests of each minute is closed for long instead: it is asked ever less
often, and gets the rate of before once it accepts two requests again.
"""

from __future__ import annotations

from collections import deque

WINDOW_S = 1.0  # shortest time between two cuts
WINDOW_CALLS = 4  # in a shorter time, a count says little about a slow rate
FIRST_CUT = 0.7
KEPT = 0.95  # of a rate that was measured
SATURATED = 0.15  # share of refusals
MOST_CUT = 0.8  # of a rate that was measured before
LEAST = 1 / 60  # requests per second; a slower server is asked more often than it accepts
LOWERED = 0.9  # of a rate that was too high after it had grown for a while
# A refused request is sent again after this share of the interval: the next token is due by then.
RESENT_AFTER = 0.4
GROWTH = 2.0  # requests per second that an accepted call adds before the first measurement
STEADY_GROWTH = 0.005  # after it, multiplied with the seconds since the last cut
MOST_GROWTH = 0.25  # of a measured rate, for one call
LEAST_PASSED = 2  # requests; fewer measure nothing
CATCH_UP_S = 0.05  # timers that fire late do not lower a rate with shorter intervals
# A server that accepts several requests and then none for a while counts those of each minute.
WINDOW_ACCEPTED = 4
CLOSED_S = 4.0
PROBING = 0.15  # of the time for which a window is closed, until the next request
FORGOTTEN_AFTER_S = 60.0
FORGOTTEN_AFTER_CALLS = 10  # of a slow rate, one call takes longer than a minute
REMEMBERED = 1024  # requests


class Pace:
    """The rate of one limiter's requests; None until the server refuses one.

    Attributes:
        rate: Requests per second.
        next_at: When the next request may be sent.
        sent_at: When the last requests were sent.
        epoch: The number of cuts; the refusal of a request of an earlier epoch cuts nothing.
    """

    def __init__(self) -> None:
        self.rate: float | None = None
        self.next_at = 0.0
        self.sent_at: deque[float] = deque(maxlen=REMEMBERED)
        self.epoch = 0
        self._is_measured = False
        self._refused_at = 0.0
        self._burst = 0  # requests that passed at once, before the first refusal
        self._burst_epoch = -1
        self._started_at = 0.0
        self._passed = 0  # requests of this epoch that were not refused
        self._refused = 0
        self._paused_s = 0.0  # the longest pause of this epoch
        self._accepted = 0  # requests since the last closed window
        self._open_rate = 0.0  # the highest since it opened
        self._is_reopened = False  # for one request; a second one makes it certain

    def sent(self, now: float) -> None:
        """Counts a request, and moves `next_at`."""
        self.sent_at.append(now)
        self._passed += 1
        if self.rate is not None:
            interval_s = 1 / self.rate
            earliest = now - CATCH_UP_S if interval_s < CATCH_UP_S else now
            self.next_at = max(self.next_at, earliest) + interval_s

    def accepted(self, now: float, closed_s: float = 0.0) -> None:
        """Raises the rate: quickly until it was measured, then slowly at first after each cut.

        Args:
            closed_s: Seconds for which every request was refused until now.
        """
        if self.rate is None:
            self._accepted += 1
            return
        if closed_s > CLOSED_S:
            self._is_reopened = self._accepted >= WINDOW_ACCEPTED
            self._accepted = 0
            if self._is_reopened:
                self.next_at = now
        elif self._is_reopened:
            self._is_reopened, self.next_at = False, now
            self.rate, self._open_rate = max(self.rate, self._open_rate), 0.0
        else:
            growth = min(GROWTH, self.rate)
            if self._is_measured:
                calm_s = max(0.0, now - self._started_at - self._paused_s)
                growth = min(1.0, STEADY_GROWTH * calm_s, MOST_GROWTH * self.rate)
            self.rate += growth
        self._accepted += 1

    def refused(
        self, now: float, epoch: int, limit: float | None = None, closed_s: float = 0.0
    ) -> None:
        """Lowers the rate after the refusal of a request that was sent in *epoch*.

        Args:
            limit: Requests per second that the server's headers name; it bounds the first cut.
            closed_s: Seconds for which every request was refused until now.
        """
        self._refused_at, self._is_reopened = now, False
        rate = self.rate
        if epoch == self.epoch:
            self._passed -= 1
            self._refused += 1
        if epoch == self._burst_epoch:
            self._burst -= 1
        if self.rate is None:
            recent = max(1, sum(at > now - WINDOW_S for at in self.sent_at))
            self._burst, self._burst_epoch = recent - 1, epoch
            self.rate = FIRST_CUT * recent
            if limit is not None and limit < self.rate:
                self.rate, self._is_measured = limit, True
            self.next_at = now + RESENT_AFTER / self.rate
            self.begin(now)
        elif epoch == self.epoch:
            window_s = max(WINDOW_S, WINDOW_CALLS / self.rate)
            seconds = now - self._started_at
            # With few refusals the rate has only just grown to the server's rate.
            is_high = self._refused > SATURATED * (self._passed + self._refused)
            is_high = is_high or self._paused_s * self.rate > 2
            if seconds - self._paused_s > 2 * window_s or (seconds >= window_s and not is_high):
                self.rate = max(LEAST, LOWERED * self.rate)
                self.begin(now)
            elif seconds >= window_s:
                # A bucket that overflows between two requests makes the measured rate too low.
                least = MOST_CUT * self.rate if self._is_measured else 0.0
                self._is_measured = self._passed >= LEAST_PASSED
                self.rate = max(least, LEAST, KEPT * min(self.rate, self._measured(now)))
                self.begin(now)
            self.next_at = min(self.next_at, now + RESENT_AFTER / self.rate)
        self._open_rate = max(self._open_rate, rate or self.rate)
        probe_at = now + PROBING * closed_s
        is_window = closed_s > CLOSED_S and self._accepted >= WINDOW_ACCEPTED
        self.next_at = probe_at if is_window else max(self.next_at, probe_at)

    def paused(self, seconds: float, until: float) -> None:
        """Notes that nothing is sent for *seconds*."""
        self._paused_s = max(self._paused_s, seconds)
        self.next_at = max(self.next_at, until)

    def begin(self, now: float) -> None:
        """Starts an epoch, in which requests are counted from zero."""
        self.epoch += 1
        self._started_at, self._passed, self._refused, self._paused_s = now, 0, 0, 0.0

    def forget(self, now: float) -> bool:
        """Removes the rate if nothing was refused for a while; returns True without a rate."""
        if self.rate is not None:
            quiet_s = max(FORGOTTEN_AFTER_S, FORGOTTEN_AFTER_CALLS / self.rate) + self._paused_s
            if now - self._refused_at > quiet_s:
                self.rate, self.next_at = None, 0.0
                self._is_measured, self._burst_epoch = False, -1
        return self.rate is None

    def _measured(self, now: float) -> float:
        """Returns the rate that passed in this epoch, which began and ends with a refusal."""
        seconds = now - self._started_at
        passed = self._passed + 0.5
        # A long pause fills the server's bucket, so that a burst passes after it.
        while_open = (passed - self._burst) / max(seconds - self._paused_s, 0.02)
        return while_open if while_open * self._paused_s >= self._burst else passed / seconds
