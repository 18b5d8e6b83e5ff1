"""Displays a comparison in the output of its cell while it runs, and as HTML and text after it."""

from __future__ import annotations

import asyncio
import logging
from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING, Any

from IPython.display import display

from ...cell import ready_soon
from ...secret import without_locals
from .answers import AnswersModel
from .displayed_runs import DisplayedRuns
from .run_watcher import RunWatcher

if TYPE_CHECKING:
    from ...kit import Kit

APPEAR_S = 0.15  # a shorter run is displayed only when it has ended

log = logging.getLogger(__name__)


class LiveView(RunWatcher):
    """Displays a run in the output of its cell.

    A thread imports the widget while the requests are running. A run that ends before the import
    is displayed when it ends.
    """

    def __init__(self, kit: Kit, displayed_runs: DisplayedRuns) -> None:
        super().__init__()
        self._kit = kit
        self._displayed_runs = displayed_runs
        self._panel: Any = None
        self._appear_task: asyncio.Task[None] | None = None

    def opened(self) -> None:
        self._appear_task = self._loop.create_task(self._appear())

    def updated(self) -> None:
        if self._panel is not None:
            self._panel.grown()

    def closed(self) -> None:
        """Replaces the widget by HTML and text that need no kernel."""
        if self._appear_task is not None:
            self._appear_task.cancel()
        if self._panel is not None:
            self._panel.freeze()
        elif self.answers is not None:
            display(AnswersModel(self.answers, self.stop).words(), raw=True)
        if self.run_id:
            self._displayed_runs.add(self.run_id, self.cell)

    async def _appear(self) -> None:
        await asyncio.sleep(APPEAR_S)
        try:
            load = partial(import_module, "..panels.answers", __package__)
            await ready_soon("anywidget", load)
            if self.over or self.answers is None:
                return
            answers_model = AnswersModel(self.answers, self.stop, self.elapsed_s)
            panel = load().AnswersPanel(self._kit, answers_model)
            display(panel)
        except Exception as error:  # a display that fails must not end the run
            without_locals(error)
            log.exception("the live view failed; the answers are displayed when the run ends")
            return
        self._panel = panel
