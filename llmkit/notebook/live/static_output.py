"""Displays HTML and text before a widget, which are visible if the widget is not live."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Mapping
from typing import Any

from IPython.display import display

from .main_loop import MainLoopQueue

RENEW_S = 2.0  # the shortest time between two updates of the hidden output
SHARE = 50  # an update takes at most a fiftieth of the time
BYTES_PER_S = 50_000  # an update of many bytes is sent less often

# What carries both classes below belongs together. The output is hidden while its widget is live,
# wherever the widget stands in the cell. A widget without a model, as in a reopened notebook
# without its kernel, has only the text "Loading widget..." or "model not found" and no elements
# (JupyterLab 4.6, read 2026-11-30); the last rule hides it.
STYLE = """<style>
:is(.jp-OutputArea-child, .output_area):has(.lk-static-{id}):has(~ * .lk-of-{id} :is(.lk-live, .lk-plain)) {{ display: none; }}
:is(.jp-OutputArea-child, .output_area):has(.lk-of-{id} :is(.lk-live, .lk-plain)) ~ :has(.lk-static-{id}) {{ display: none; }}
.jp-OutputArea-child:has(.lk-static-{id}) ~ * > .lm-Panel.jp-OutputArea-output:not(:has(*)) {{ display: none; }}
</style>"""  # noqa: E501  # selectors


class StaticOutput:
    """A separate output before that of a widget.

    A reopened notebook shows "model not found" for a widget, even if the same output has HTML. So
    the HTML has a separate output, which its style hides while its widget is live.

    Attributes:
        is_empty: True if it has no words yet.
        widget_class: The CSS class of the widget, by which the style finds it.
    """

    def __init__(
        self,
        queue: MainLoopQueue,
        words: Callable[[], Mapping[str, str]],
        *,
        is_empty: bool = False,
    ) -> None:
        """Args:
        words: Returns the HTML and the text.
        is_empty: True displays no words before the first update.
        """
        name = uuid.uuid4().hex[:12]  # in no other output of the page
        self.is_empty = is_empty
        self.widget_class = f"lk-of-{name}"
        self._queue = queue
        self._words = words
        self._name = name
        self._is_planned = False
        self._interval_s = RENEW_S
        self._last_at = time.monotonic()
        self._last_bundle: dict[str, str] = {}
        self._handle: Any = None
        self.display_again()

    def display_again(self) -> None:
        """Displays the words in a new output, which the updates change from now on."""
        self._last_bundle = self._bundle()
        self._handle = display(self._last_bundle, raw=True, display_id=True)

    def renew(self) -> None:
        """Schedules an update. Thread-safe, and cheap if called often."""
        self._queue.soon(self._plan)

    def flush(self) -> None:
        """Updates the words at once, if they have changed."""
        self._is_planned = False
        self._last_at = time.monotonic()
        bundle = self._bundle()
        if bundle != self._last_bundle:
            self._last_bundle = bundle
            self._handle.update(bundle, raw=True)

    def _plan(self) -> None:
        if not self._is_planned:
            self._is_planned = True
            wait_s = self._last_at + self._interval_s - time.monotonic()
            self._queue.later(max(wait_s, 0.0), self._renew_if_due)

    def _renew_if_due(self) -> None:
        if self._is_planned:  # else it was flushed in the meantime
            self.flush()

    def _bundle(self) -> dict[str, str]:
        if self.is_empty:
            return {"text/html": f'<div class="lk-static lk-static-{self._name}"></div>',
                    "text/plain": ""}  # fmt: skip
        start = time.monotonic()
        words = self._words()
        html = words["text/html"]
        cost_s = time.monotonic() - start
        self._interval_s = max(RENEW_S, SHARE * cost_s, len(html) / BYTES_PER_S)
        style = STYLE.format(id=self._name)
        return {
            **words,
            "text/html": f'<div class="lk-static lk-static-{self._name}">{html}{style}</div>',
        }
