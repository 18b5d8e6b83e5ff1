"""Describes a pause that a provider asks for."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

LONGEST_SHOWN_S = 400 * 24 * 3600.0  # a server may name any number


class Pause(NamedTuple):
    """A wait that a provider asks for."""

    provider: str
    seconds: float

    def __str__(self) -> str:
        time_of_day, _, _ = when(self.seconds).partition(" (")
        return f"{self.provider} asks for {duration(self.seconds)}, until {time_of_day}"


def when(seconds: float) -> str:
    """Returns the time of day after *seconds*, with the date if it is another day, and the wait."""
    now = datetime.now(UTC)
    seconds = min(seconds, LONGEST_SHOWN_S)
    end = (now + timedelta(seconds=seconds)).astimezone()  # the offset of that time
    is_today = end.date() == now.astimezone().date()
    time_of_day = f"{end:%H:%M}" if is_today else f"{end:%Y-%m-%d %H:%M}"
    return f"{time_of_day} ({duration(seconds)})"


def duration(seconds: float) -> str:
    """Returns a wait in the largest units that fit."""
    if seconds < 120:
        return f"{math.ceil(seconds)} s"
    hours, minutes = divmod(math.ceil(seconds / 60), 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min"
