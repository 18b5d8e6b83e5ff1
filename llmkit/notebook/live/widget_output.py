"""Displays a widget, and replaces it by plain widgets if the front end does not run its script."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from IPython.core.getipython import get_ipython
from IPython.display import display

from ..kernel_patches import delivers_during_cells
from .main_loop import MainLoopQueue

VIEW = "application/vnd.jupyter.widget-view+json"
STEP_S = 0.5
STEPS = 6  # three seconds without a greeting while the loop is responsive


class WidgetOutput:
    """A display that is not empty in a front end without anywidget.

    The scripts send a greeting when they start. Without a greeting within three seconds the display
    changes to plain widgets, and a later greeting brings the widget back. The words for front ends
    without any widgets are in the `StaticOutput` before it.

    Attributes:
        is_greeted_by_any: True once the script of any widget has started, so that the front end
            shows widgets and updates outputs.
    """

    is_greeted_by_any: ClassVar[bool] = False

    def __init__(self, queue: MainLoopQueue, front: Any, plain: Callable[[], Any]) -> None:
        self._queue = queue
        self._front = front
        self._plain = plain
        self._is_plain = self._is_settled = False
        self._handle = display(_bundle(front), raw=True, display_id=True)
        if delivers_during_cells():  # otherwise no greeting arrives before the cell ends
            queue.soon(self._wait, STEPS)
            return
        shell: Any = get_ipython()

        def start_wait(*_: object) -> None:
            shell.events.unregister("post_run_cell", start_wait)
            queue.soon(self._wait, STEPS)

        shell.events.register("post_run_cell", start_wait)

    def greeted(self) -> None:
        """Keeps the widget, or brings it back: its script runs in a page."""
        self._is_settled = WidgetOutput.is_greeted_by_any = True
        if self._is_plain:
            self._is_plain = False
            self._handle.update(_bundle(self._front), raw=True)

    def closed(self) -> None:
        """Keeps the display as it is: the widget is closed."""
        self._is_settled, self._is_plain = True, False

    def _wait(self, steps: int) -> None:
        # In steps, because a cell may block the loop for longer than a greeting takes.
        if self._is_settled:
            return
        if steps:
            self._queue.later(STEP_S, lambda: self._wait(steps - 1))
            return
        self._is_settled = self._is_plain = True
        self._handle.update(_bundle(self._plain()), raw=True)


def _bundle(widget: Any) -> dict[str, Any]:
    reference = {"version_major": 2, "version_minor": 0, "model_id": widget.model_id}
    return {VIEW: reference, "text/plain": ""}
