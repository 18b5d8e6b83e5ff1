"""Who watches a comparison grow, and how they are told without being able to disturb it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from ..types import Row, TextDelta

if TYPE_CHECKING:
    from .plan import PlannedRow

log = logging.getLogger(__name__)


class Watcher(Protocol):
    """Someone who wants to see a comparison grow; called on its loop, must return at once."""

    def begun(self, plan: Sequence[PlannedRow], stop: Callable[[], None]) -> None:
        """The whole plan, before anything is sent.

        Args:
            stop: Ends the run early: what has not come becomes cancelled rows, and the run gives
                its comparison as usual. From any thread.
        """

    def grew(self, row: int, delta: TextDelta) -> None:
        """One network read brought more text for a row."""

    def finished(self, row: Row) -> None:
        """A row is final."""

    def ended(self) -> None:
        """No more will come, whether because all is there or because it was stopped."""


class Audience:
    """All watchers of one run; one that fails is told no more, and costs no row."""

    def __init__(self, watchers: Iterable[Watcher]) -> None:
        self._watchers = list(watchers)

    def begun(self, plan: Sequence[PlannedRow], stop: Callable[[], None]) -> None:
        """Tells all of them the plan."""
        self._tell(lambda watcher: watcher.begun(plan, stop))

    def grew(self, row: int, delta: TextDelta) -> None:
        """Tells all of them of more text."""
        self._tell(lambda watcher: watcher.grew(row, delta))

    def finished(self, row: Row) -> None:
        """Tells all of them of a final row."""
        self._tell(lambda watcher: watcher.finished(row))

    def ended(self) -> None:
        """Tells all of them that it is over."""
        self._tell(lambda watcher: watcher.ended())

    def _tell(self, what: Callable[[Watcher], None]) -> None:
        for watcher in tuple(self._watchers):
            try:
                what(watcher)
            except Exception:
                log.exception("a view of a comparison failed; the comparison goes on without it")
                self._watchers.remove(watcher)


class Progress:
    """Shows how many rows are final, once *after_s* seconds have passed without the end."""

    def __init__(self, after_s: float) -> None:
        self._after_s = after_s
        self._final_count = 0
        self._total = 0
        self._bar: Any = None
        self._timer: asyncio.TimerHandle | None = None

    def begun(self, plan: Sequence[PlannedRow], stop: Callable[[], None]) -> None:
        """Starts to count, and to wait."""
        self._total = len(plan)
        self._timer = asyncio.get_running_loop().call_later(self._after_s, self._show)

    def grew(self, row: int, delta: TextDelta) -> None:
        """Text is not what this shows."""

    def finished(self, row: Row) -> None:
        """Counts a row."""
        self._final_count += 1
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
            total=self._total, initial=self._final_count, desc="answers", leave=False, unit=""
        )
