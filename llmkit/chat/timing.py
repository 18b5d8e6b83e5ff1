"""When the stages of one call were, on the loop's clock."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime


class CallTiming:
    """The stages of one call, and how long it may still take.

    Attributes:
        began_at: When its turn came: to wait for one is none of the provider's doing.
    """

    __slots__ = ("_deadline", "_end", "_first", "_start", "began_at")

    def __init__(self) -> None:
        self.began_at: datetime | None = None
        self._start: float | None = None
        self._first: float | None = None
        self._end: float | None = None
        self._deadline: float | None = None

    def limit(self, seconds: float | None) -> None:
        """Sets how long all of it may take, from now on."""
        self._deadline = None if seconds is None else _now() + seconds

    def begin(self) -> None:
        """Its turn has come; later attempts are a part of the same call."""
        self._start = _now()
        self.began_at = datetime.now(UTC)

    def remaining(self) -> float | None:
        """Seconds until the limit, below 0 after it; None where there is none."""
        return None if self._deadline is None else self._deadline - _now()

    @property
    def start(self) -> float | None:
        """When its turn came, on the loop's clock."""
        return self._start

    def piece_received(self) -> None:
        """Says that a piece of the answer is here."""
        if self._first is None:
            self._first = _now()

    def end(self) -> None:
        """Says that nothing more comes."""
        self._end = _now()

    @property
    def first(self) -> bool:
        """True once a piece of the answer has come."""
        return self._first is not None

    @property
    def ended(self) -> bool:
        """True once nothing more comes."""
        return self._end is not None

    @property
    def to_first_s(self) -> float | None:
        """Seconds from its turn to the first piece."""
        return self._since_begin(self._first)

    @property
    def in_all_s(self) -> float | None:
        """Seconds from its turn to its end."""
        return self._since_begin(self._end)

    def _since_begin(self, when: float | None) -> float | None:
        return None if when is None or self._start is None else when - self._start


def _now() -> float:
    return asyncio.get_running_loop().time()
