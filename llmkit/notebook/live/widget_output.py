"""One place in a notebook's page: a widget, plain ones where it stays dumb, text at last."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from IPython.core.getipython import get_ipython
from IPython.display import display

from ..kernel_patches import delivers_during_cells
from .main_loop import MainLoopQueue

VIEW = "application/vnd.jupyter.widget-view+json"
STEP_S = 0.5
STEPS = 6  # three seconds without a greeting, of a loop that turns


class WidgetOutput:
    """A display that a front end without anywidget cannot leave empty.

    The scripts greet when they have come to life. Where no greeting comes within three seconds
    the display is changed to plain widgets. Every bundle has html and text beside the widget, so
    that a closed notebook reads.
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
        if delivers_during_cells():  # otherwise no greeting comes before the cell ends
            queue.soon(self._wait, STEPS)
            return
        shell: Any = get_ipython()

        def start_wait(*_: object) -> None:
            shell.events.unregister("post_run_cell", start_wait)
            queue.soon(self._wait, STEPS)

        shell.events.register("post_run_cell", start_wait)

    def greeted(self) -> None:
        """The front end has shown that it can."""
        self._is_settled = True

    def frozen(self) -> None:
        """Leaves html and text there, for good."""
        self._is_settled = True
        self._handle.update(dict(self._words()), raw=True)

    def _bundle(self, widget: Any) -> dict[str, Any]:
        reference = {"version_major": 2, "version_minor": 0, "model_id": widget.model_id}
        return {VIEW: reference, **self._words()}

    def _wait(self, steps: int) -> None:
        # In steps: a cell that blocks the loop for a minute is not a front end that is silent.
        if self._is_settled:
            return
        if steps:
            self._queue.later(STEP_S, lambda: self._wait(steps - 1))
            return
        self._is_settled = True
        self._handle.update(self._bundle(self._plain()), raw=True)
