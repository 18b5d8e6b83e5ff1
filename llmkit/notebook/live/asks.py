"""Displays all answers of `ask` in one cell in one view, also those asked at the same time."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from ...cell import CURRENT, RUNNING, Cell
from ...comparison.plan import PlannedRow, planned_place
from ...comparison.result import notes
from ...comparison.watchers import Stop, Watcher
from ...types import TextDelta
from ...views.rows import Row
from .answers import AnswersModel
from .answers_view import AnswersView, OpenViews
from .displayed_runs import DisplayedRuns
from .run_watcher import RunWatcher, no_stop
from .widget_output import WidgetOutput

if TYPE_CHECKING:
    from ...kit import Kit


class AskViews:
    """The views of the cells that run, one for all answers of a cell."""

    def __init__(self, displayed_runs: DisplayedRuns, open_views: OpenViews) -> None:
        self._displayed_runs = displayed_runs
        self._open_views = open_views
        self._cells: dict[Cell, CellAsks] = {}

    def watcher(self, kit: Kit) -> Watcher | None:
        """Returns the watcher of an `ask` that begins now; None outside of cells."""
        cell = CURRENT.get()
        if cell is None:
            return None
        asks = self._cells.get(cell)
        if asks is None:
            asks = CellAsks(kit, self._displayed_runs, self._open_views)
            if cell in RUNNING:  # a background task has one view for each of its answers
                self._cells[cell] = asks
        elif not asks.is_on_this_loop():
            return None
        return AskWatcher(asks)

    def cell_ended(self, cell: Cell) -> None:
        """Displays the final words of the answers of *cell*."""
        asks = self._cells.pop(cell, None)
        if asks is not None:
            asks.cell_ended()


class CellAsks(RunWatcher):
    """The answers of `ask` in one cell, in the order in which they were asked."""

    def __init__(self, kit: Kit, displayed_runs: DisplayedRuns, open_views: OpenViews) -> None:
        super().__init__()
        self._kit = kit
        self._displayed_runs = displayed_runs
        self._open_views = open_views
        self.where = ""  # in no comparison
        self._view: AnswersView | None = None
        self._stops: list[Stop] = []

    def is_on_this_loop(self) -> bool:
        """Returns True if the running event loop is that of the first answer."""
        return not self._stops or self._loop is asyncio.get_running_loop()

    def joined(self, planned_row: PlannedRow, stop: Stop) -> int:
        """Adds an answer, and returns its position."""
        self._stops.append(stop)
        if self._view is None:
            self.begun([planned_row], self._halt)
            assert self.answers is not None
            model = AnswersModel(self.answers, self.stop, self.elapsed_s, "")
            self._view = AnswersView(self._kit, model, self.cell)
            self._open_views.add(self._view)
        elif self.answers is not None:
            self.answers.extend([planned_place(planned_row)], notes([planned_row]))
            self.goes_on(self._halt)
        self._view.extended()
        return len(self._stops) - 1

    def answered(self, row: Row) -> None:
        """Takes a final answer; its cell does not display it again."""
        self._stops[row.row] = no_stop
        self.finished(row)
        self._displayed_runs.add(row.completion, self.cell)
        if self.answers is not None and not self.answers.left:
            self.ended()

    def updated(self) -> None:
        if self._view is not None:
            self._view.grown()

    def closed(self) -> None:
        """Displays the words, which are final unless the cell asks again."""
        if self._view is None:
            return
        if self.cell not in RUNNING or (
            WidgetOutput.is_greeted_by_any and not self._view.is_displayed
        ):
            self._view.end()
        else:
            self._view.grown()

    def cell_ended(self) -> None:
        """Displays the final words, unless a background task is still asking."""
        if self._view is not None and self.answers is not None and not self.answers.left:
            self._view.end()

    def _halt(self, row: int | None = None) -> None:
        for stop in self._stops if row is None else self._stops[row : row + 1]:
            stop()


class AskWatcher:
    """A watcher of one `ask`, which is an answer among those of its cell."""

    def __init__(self, asks: CellAsks) -> None:
        self._asks = asks
        self._position = 0

    def begun(self, plan: Sequence[PlannedRow], stop: Stop) -> None:
        (planned_row,) = plan
        self._position = self._asks.joined(planned_row, stop)

    def grew(self, row: int, delta: TextDelta) -> None:
        self._asks.grew(self._position, delta)

    def finished(self, row: Row) -> None:
        self._asks.answered(replace(row, row=self._position))

    def paused(self, text: str) -> None:
        self._asks.paused(text)

    def ended(self) -> None:
        """Does nothing: the final answer was the end."""
