"""Displays answers in the output of a cell: HTML and text that last, and a widget after them."""

from __future__ import annotations

import asyncio
import logging
from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING, Any

from ...cell import RUNNING, Cell, ready_soon
from ...secret import without_locals
from .answers import AnswersModel
from .main_loop import MainLoopQueue
from .static_output import StaticOutput
from .widget_output import WidgetOutput

if TYPE_CHECKING:
    from ...kit import Kit

LOAD_S, APPEAR_S = 0.05, 0.1  # shorter runs are displayed only when they have ended

log = logging.getLogger(__name__)


class AnswersView:
    """The answers of one run, or of all asks of a cell, in the output of the cell.

    A thread imports the widget while the requests are running. A front end that has not run any
    widget of this kernel may ignore updates of outputs. So until a widget greets, no text is
    displayed that is not final: the final words are then the first ones.

    Attributes:
        model: The answers.
        cell: The cell to whose output it belongs.
    """

    def __init__(self, kit: Kit, model: AnswersModel, cell: Cell | None) -> None:
        self.model = model
        self.cell = cell
        self._kit = kit
        self._queue = MainLoopQueue(kit.manager)
        self._static: StaticOutput | None = None
        self._panel: Any = None
        self._task: Any = None
        self._is_closed = False

    @property
    def is_displayed(self) -> bool:
        """True if the cell has an output of this view."""
        return self._static is not None

    def appear(self) -> None:
        """Displays the widget soon, unless the answers are final before that."""
        if self._panel is None and (self._task is None or self._task.done()):
            self._task = self._kit.manager.spawn(self._appear())

    def extended(self) -> None:
        """Displays further answers; call it after they were added to the model."""
        self.appear()
        if self._panel is not None:
            self._panel.extended()

    def grown(self) -> None:
        """Displays the changes of the answers; call it on their event loop."""
        if self._panel is not None:
            self._panel.grown()
        if self._static is not None and not self._static.is_empty:
            self._static.renew()

    def end(self) -> None:
        """Displays the final words at once, as the kernel may end right after the cell."""
        if self._static is None:
            self._show_static(is_empty=False)
        elif self._static.is_empty:
            self._static.is_empty = False
            self._static.display_again()
        else:
            self._static.flush()
        if self._panel is not None:
            self._panel.grown()
        elif self._task is not None and len(self.model.answers) < 2:
            self._task.cancel()  # one card needs no controls

    def close(self) -> None:
        """Closes the widget; the static output shows then."""
        self._is_closed = True
        if self._panel is not None:
            self._panel.close()

    async def _appear(self) -> None:
        await asyncio.sleep(LOAD_S)
        load = partial(import_module, "..panels.answers", __package__)
        answers = self.model.answers
        try:
            await asyncio.gather(asyncio.sleep(APPEAR_S), ready_soon("anywidget", load))
            if self._is_closed or (not answers.left and len(answers) < 2):
                return
            if self._static is None:
                is_final = not answers.left and self.cell not in RUNNING
                self._show_static(is_empty=not (is_final or WidgetOutput.is_greeted_by_any))
            panel = load().AnswersPanel(self._kit, self.model)
            panel.on_greeting(self._greeted)
            panel.displayed_after(self._static)
        except Exception as error:  # a display that fails must not end the run
            without_locals(error)
            log.exception("the live view failed; the answers are displayed when the run ends")
            return
        self._panel = panel

    def _show_static(self, *, is_empty: bool) -> None:
        self._static = StaticOutput(self._queue, self.model.words, is_empty=is_empty)

    def _greeted(self) -> None:
        if self._static is not None and self._static.is_empty:
            self._static.is_empty = False
            self._static.flush()


class OpenViews:
    """The views whose widgets live, at most `MOST` of them; the oldest is closed first."""

    MOST = 50

    def __init__(self) -> None:
        self._views: list[AnswersView] = []

    def __len__(self) -> int:
        return len(self._views)

    def add(self, view: AnswersView) -> None:
        """Keeps the widget of *view* until its cell runs again or is deleted."""
        self._views.append(view)
        while len(self._views) > self.MOST:
            self._views.pop(0).close()

    def close_of(self, *cells: str) -> None:
        """Closes the views of the cells with these ids."""
        for view in [view for view in self._views if view.cell and view.cell.id in cells]:
            self._views.remove(view)
            view.close()

    def close_all(self) -> None:
        """Closes every view."""
        while self._views:
            self._views.pop().close()
