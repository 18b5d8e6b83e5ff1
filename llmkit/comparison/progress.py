"""A progress bar for a comparison that takes long."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

from ..types import Row, TextDelta
from .plan import Lane


class Progress:
    """Shows how many rows are final, once *after_s* seconds have passed without the end."""

    def __init__(self, after_s: float) -> None:
        self._after_s = after_s
        self._done = 0
        self._total = 0
        self._bar: Any = None
        self._timer: asyncio.TimerHandle | None = None

    def begun(self, lanes: Sequence[Lane], stop: Callable[[], None]) -> None:
        """Starts to count, and to wait."""
        self._total = len(lanes)
        self._timer = asyncio.get_running_loop().call_later(self._after_s, self._show)

    def grew(self, row: int, delta: TextDelta) -> None:
        """Text is not what this shows."""

    def finished(self, row: Row) -> None:
        """Counts a row."""
        self._done += 1
        if self._bar is not None:
            self._bar.update(1)

    def ended(self) -> None:
        """Stops."""
        if self._timer is not None:
            self._timer.cancel()
        if self._bar is not None:
            self._bar.close()

    def _show(self) -> None:
        from tqdm.auto import tqdm

        self._bar = tqdm(
            total=self._total, initial=self._done, desc="answers", leave=False, unit=""
        )
