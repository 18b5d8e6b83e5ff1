"""The times of one call, on a clock that only goes forward."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from time import monotonic


@dataclass(slots=True)
class CallTiming:
    """When the stages of one call were, and how long the call may still take.

    Attributes:
        clock: In seconds.
        deadline: When the call must be over, None for no limit.
        start: When its turn came; waiting for a turn is not the provider's time.
        first: When the first piece of the answer came.
        end: When nothing more came.
        began_at: The wall-clock time of `start`, in UTC.
    """

    clock: Callable[[], float] = monotonic
    deadline: float | None = None
    start: float | None = None
    first: float | None = None
    end: float | None = None
    began_at: datetime | None = None

    def limit(self, seconds: float | None) -> None:
        """Sets how long all of it may take, from now on."""
        self.deadline = None if seconds is None else self.clock() + seconds

    def begin(self) -> None:
        """Notes that its turn has come; later attempts belong to the same call."""
        self.start = self.clock()
        self.began_at = datetime.now(UTC)

    def remaining(self) -> float | None:
        """Returns the seconds until the limit, negative after it; None without a limit."""
        return None if self.deadline is None else self.deadline - self.clock()

    def since_start(self, time: float | None) -> float | None:
        """Returns the seconds from the start to *time*, None if one of them is unknown."""
        return None if time is None or self.start is None else time - self.start
