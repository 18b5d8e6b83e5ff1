"""Displays a widget, and replaces it by plain widgets if the front end does not run its script."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

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
    changes to plain widgets. Every bundle has HTML and text for closed notebooks.
    """

    def __init__(
        self,
        queue: MainLoopQueue,
        front: Any,
        plain: Callable[[], Any],
        words: Callable[[], Mapping[str, str]],
    ) -> None:
        self._queue = queue
        self._plain = plain
        self._words = words
        self._is_settled = False
        self._handle = display(self._bundle(front), raw=True, display_id=True)
        if delivers_during_cells():  # otherwise no greeting arrives before the cell ends
            queue.soon(self._wait, STEPS)
            return
        shell: Any = get_ipython()

        def start_wait(*_: object) -> None:
            shell.events.unregister("post_run_cell", start_wait)
            queue.soon(self._wait, STEPS)

        shell.events.register("post_run_cell", start_wait)

    def greeted(self) -> None:
        """Keeps the widget: its script runs in a page."""
        self._is_settled = True

    def frozen(self) -> None:
        """Replaces the widget by HTML and text."""
        self._is_settled = True
        self._handle.update(dict(self._words()), raw=True)

    def _bundle(self, widget: Any) -> dict[str, Any]:
        reference = {"version_major": 2, "version_minor": 0, "model_id": widget.model_id}
        return {VIEW: reference, **self._words()}

    def _wait(self, steps: int) -> None:
        # In steps, because a cell may block the loop for longer than a greeting takes.
        if self._is_settled:
            return
        if steps:
            self._queue.later(STEP_S, lambda: self._wait(steps - 1))
            return
        self._is_settled = True
        self._handle.update(self._bundle(self._plain()), raw=True)
