"""Shows a comparison in the output of its cell while it runs, and its html and text at the end."""

from __future__ import annotations

import asyncio
import logging
from importlib import import_module
from typing import TYPE_CHECKING, Any

from IPython.display import display

from .answers import AnswersModel
from .displayed_runs import DisplayedRuns
from .run_watcher import RunWatcher

if TYPE_CHECKING:
    from ...kit import Kit

APPEAR_S = 0.15  # what ends sooner is shown at once as what it is

log = logging.getLogger(__name__)


class LiveView(RunWatcher):
    """Shows a run in the output of its cell.

    The widget and what it stands on are loaded in a thread, while the requests are already on
    their way; a run that is quicker than that is shown when it ends.
    """

    def __init__(self, kit: Kit, displayed_runs: DisplayedRuns) -> None:
        super().__init__()
        self._kit = kit
        self._displayed_runs = displayed_runs
        self._panel: Any = None
        self._appear_task: asyncio.Task[None] | None = None

    def opened(self) -> None:
        """Makes ready to appear."""
        self._appear_task = self._loop.create_task(self._appear())

    def updated(self) -> None:
        """Sends what is new."""
        if self._panel is not None:
            self._panel.grown()

    def closed(self) -> None:
        """Leaves html and text that read without a kernel."""
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
        module = await asyncio.to_thread(import_module, "..panels.answers", __package__)
        if self.over or self.answers is None:
            return
        try:
            panel = module.AnswersPanel(self._kit, self.answers, self.stop)
            display(panel)
        except Exception:  # a view that cannot be shown must not end the run that it shows
            log.exception("the live view could not be shown; the answers come at the end")
            return
        self._panel = panel
