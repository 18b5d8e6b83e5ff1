"""A watcher that keeps what came of a run, and says now and then that there is more."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence

from ...cell import CURRENT, Cell
from ...comparison.plan import PlannedRow, placeholder_row
from ...comparison.result import notes
from ...types import Row, TextDelta
from ...views.answers.streaming import LiveAnswers

SAY_S = 0.15  # how often text goes to the page, however many pieces came


class RunWatcher:
    """What is known of a run that goes on; a subclass shows it.

    Attributes:
        answers: The answers so far; None before the run began.
        run_id: The run's, once a row is final.
        cell: The cell that runs it.
        stop: Ends the run early, from any thread.
        over: True once no more will come.
    """

    def __init__(self) -> None:
        self.answers: LiveAnswers | None = None
        self.run_id = ""
        self.cell: Cell | None = None
        self.stop: Callable[[], None] = lambda: None  # there is nothing to stop yet
        self.over = False
        self._timer: asyncio.TimerHandle | None = None

    def begun(self, plan: Sequence[PlannedRow], stop: Callable[[], None]) -> None:
        """Takes the plan."""
        self._loop = asyncio.get_running_loop()
        self._zero = time.monotonic()
        self.cell = CURRENT.get()
        self.answers = LiveAnswers([placeholder_row(row) for row in plan], notes(plan))
        self.stop = stop
        self.opened()

    def grew(self, row: int, delta: TextDelta) -> None:
        """Takes more text, with the time at which it came."""
        if self.answers is not None:
            self.answers.grew(row, delta, time.monotonic() - self._zero)
            self._plan()

    def finished(self, row: Row) -> None:
        """Takes a final row."""
        self.run_id = row.run_id
        if self.answers is not None:
            self.answers.finished(row)
            self._plan()

    def ended(self) -> None:
        """Says the last word."""
        self.over = True
        if self._timer is not None:
            self._timer.cancel()
        self.closed()

    # -- what a subclass does ----------------------------------------------------------------

    def opened(self) -> None:
        """The plan is there."""

    def updated(self) -> None:
        """There is more than the last time."""

    def closed(self) -> None:
        """All is there that will be."""

    def _plan(self) -> None:
        if self._timer is None:
            self._timer = self._loop.call_later(SAY_S, self._say)

    def _say(self) -> None:
        self._timer = None
        self.updated()
