"""Collects the answers of a run, and notifies a display at most once in `SAY_S`."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence

from ...cell import CURRENT, Cell
from ...comparison.plan import PlannedRow, planned_place
from ...comparison.result import notes
from ...comparison.watchers import Stop, stop_sentence
from ...types import Status, TextDelta
from ...views.answers.streaming import LiveAnswers
from ...views.rows import Row

SAY_S = 0.15  # minimum seconds between two updates of the page


def no_stop(row: int | None = None) -> None:
    """Stops nothing: the run has not begun, or has ended."""


class RunWatcher:
    """A watcher of one run, which a subclass displays.

    Attributes:
        answers: The answers so far; None before the run starts.
        run_id: The id of the run; "" before the first final row.
        cell: The cell that runs it.
        over: True after the run has ended.
        where: How to get at the answers in Python, for the sentence about a stop; "" for none.
    """

    def __init__(self) -> None:
        self.answers: LiveAnswers | None = None
        self.run_id = ""
        self.cell: Cell | None = None
        self._stop: Stop = no_stop
        self.over = False
        self.where = "llmkit.last"
        self._stopped_rows: set[int] = set()
        self._end_s = 0.0
        self._timer: asyncio.TimerHandle | None = None
        self._zero = time.monotonic()

    def begun(self, plan: Sequence[PlannedRow], stop: Stop) -> None:
        self._loop = asyncio.get_running_loop()
        self._zero = time.monotonic()
        self.cell, self._stop = CURRENT.get(), stop
        self.answers = LiveAnswers([planned_place(row) for row in plan], notes(plan))
        self.opened()

    def stop(self, row: int | None = None) -> None:
        """Ends the run early, or one of its answers. Thread-safe."""
        if row is not None:
            self._stopped_rows.add(row)
        self._stop(row)

    def grew(self, row: int, delta: TextDelta) -> None:
        if self.answers is not None:
            self.answers.grew(row, delta, self.elapsed_s())
            self._plan()

    def finished(self, row: Row) -> None:
        self.run_id = row.run_id
        if self.answers is not None:
            self.answers.finished(row)
            self._plan()

    def paused(self, text: str) -> None:
        if self.answers is not None:
            self.answers.pause = text
            self._plan()

    def ended(self) -> None:
        self.over, self._end_s = True, self.elapsed_s()
        self._stop = no_stop  # a page may hold this watcher for long, and must not hold the run
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self.answers is not None and self.where:
            ends = self.answers.ends()
            cancelled = {row for row, end in ends.items() if end is Status.CANCELLED}
            if cancelled - self._stopped_rows:
                self.answers.stopped = stop_sentence(list(ends.values()), self.where)
        self.closed()

    def goes_on(self, stop: Stop) -> None:
        """Takes back the end, because more is asked, which *stop* ends early."""
        self.over, self._stop = False, stop

    def elapsed_s(self) -> float:
        """Returns the seconds since the start of the run, until its end."""
        return self._end_s if self.over else time.monotonic() - self._zero

    def opened(self) -> None:
        """Runs when the plan is known; for subclasses, as the next two methods."""

    def updated(self) -> None:
        """Runs when there are changes to display."""

    def closed(self) -> None:
        """Runs after the last row is final."""

    def _plan(self) -> None:
        if self._timer is None:
            self._timer = self._loop.call_later(SAY_S, self._say)

    def _say(self) -> None:
        self._timer = None
        self.updated()
        if self.answers is not None and self.answers.has_changes:  # more than one message takes
            self._plan()
