"""Html and text that stand where a widget is, and are seen where there is none."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from IPython.display import display

from .main_loop import MainLoopQueue

RENEW_S = 1.0  # a table that is not looked at may be that old


class StaticOutput:
    """An output of its own before the widget's.

    A notebook that is opened again says of every widget "model not found", whatever stands beside
    it in the same output. So the words have their own, which the style sheet hides as long as the
    widget after it lives.
    """

    def __init__(self, queue: MainLoopQueue, words: Callable[[], Mapping[str, str]]) -> None:
        self._queue = queue
        self._words = words
        self._is_planned = False
        self._last_bundle = self._bundle()
        self._handle: Any = display(self._last_bundle, raw=True, display_id=True)

    def renew(self) -> None:
        """Says what is so now, in a moment; safe from every thread, and cheap when called often."""
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
