"""Displays a comparison in the output of its cell."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...cell import OUT
from .answers import AnswersModel
from .answers_view import AnswersView, OpenViews
from .displayed_runs import DisplayedRuns
from .run_watcher import RunWatcher

if TYPE_CHECKING:
    from ...kit import Kit


class LiveView(RunWatcher):
    """Displays a run in the output of its cell, also after its end."""

    def __init__(self, kit: Kit, displayed_runs: DisplayedRuns, open_views: OpenViews) -> None:
        super().__init__()
        self._kit = kit
        self._displayed_runs = displayed_runs
        self._open_views = open_views
        self._variable = ""
        self._view: AnswersView | None = None

    def opened(self) -> None:
        assert self.answers is not None
        model = AnswersModel(self.answers, self.stop, self.elapsed_s, self.where)
        self._variable = OUT.get()
        if self._variable:
            self.where = f"{self._variable} and {self.where}"
        self._view = AnswersView(self._kit, model, self.cell)
        self._open_views.add(self._view)
        self._view.appear()

    def updated(self) -> None:
        if self._view is not None:
            self._view.grown()

    def closed(self) -> None:
        """Displays the final words."""
        if self._view is not None:
            if self._variable:  # it is set now
                self._view.model.where = self._variable
            self._view.end()
        if self.run_id:
            self._displayed_runs.add(self.run_id, self.cell)
