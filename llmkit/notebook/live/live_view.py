"""The live view of a comparison in a notebook: lanes that grow, and at last plain html and text."""

from __future__ import annotations

import asyncio
import logging
from importlib import import_module
from typing import TYPE_CHECKING, Any

from IPython.display import display

from .answers import Board
from .displayed_runs import Shown
from .run_watcher import Growth

if TYPE_CHECKING:
    from ...kit import Kit

APPEAR_S = 0.15  # what ends sooner is shown at once as what it is

log = logging.getLogger(__name__)


class Live(Growth):
    """Shows a run in the output of its cell.

    The widget and what it stands on are loaded in a thread, while the requests are already on
    their way; a run that is quicker than that is shown when it ends.
    """

    def __init__(self, kit: Kit, shown: Shown) -> None:
        super().__init__()
        self._kit = kit
        self._shown = shown
        self._panel: Any = None
        self._appearing: asyncio.Task[None] | None = None

    def opened(self) -> None:
        """Makes ready to appear."""
        self._appearing = self._loop.create_task(self._appear())

    def news(self) -> None:
        """Sends what is new."""
        if self._panel is not None:
            self._panel.grown()

    def closed(self) -> None:
        """Leaves html and text that read without a kernel."""
        if self._appearing is not None:
            self._appearing.cancel()
        if self._panel is not None:
            self._panel.freeze()
        elif self.growing is not None:
            display(Board(self.growing, self.stop).words(), raw=True)
        if self.run_id:
            self._shown.add(self.run_id, self.cell)

    async def _appear(self) -> None:
        await asyncio.sleep(APPEAR_S)
        module = await asyncio.to_thread(import_module, "..panels.answers", __package__)
        if self.over or self.growing is None:
            return
        try:
            panel = module.LanesPanel(self._kit, self.growing, self.stop)
            display(panel)
        except Exception:  # a view that cannot be shown must not end the run that it shows
            log.exception("the live view could not be shown; the answers come at the end")
            return
        self._panel = panel
