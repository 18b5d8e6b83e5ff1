"""Displays HTML and text before a widget, which are visible if the widget is not live."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from IPython.display import display

from .main_loop import MainLoopQueue

RENEW_S = 1.0  # maximum age of the hidden output


class StaticOutput:
    """A separate output before that of a widget.

    A reopened notebook shows "model not found" for a widget, even if the same output has HTML. So
    the HTML has a separate output, which the style sheet hides while the widget after it is live.
    """

    def __init__(self, queue: MainLoopQueue, words: Callable[[], Mapping[str, str]]) -> None:
        self._queue = queue
        self._words = words
        self._is_planned = False
        self._last_bundle = self._bundle()
        self._handle: Any = display(self._last_bundle, raw=True, display_id=True)

    def renew(self) -> None:
        """Schedules an update within `RENEW_S`. Thread-safe, and cheap if called often."""
        self._queue.soon(self._plan)

    def _plan(self) -> None:
        if not self._is_planned:
            self._is_planned = True
            self._queue.later(RENEW_S, self._say)

    def _say(self) -> None:
        self._is_planned = False
        bundle = self._bundle()
        if bundle != self._last_bundle:
            self._last_bundle = bundle
            self._handle.update(bundle, raw=True)

    def _bundle(self) -> dict[str, str]:
        words = self._words()
        return {**words, "text/html": f'<div class="lk-static">{words["text/html"]}</div>'}
