"""Shows one transient line while the embedded model loads, and removes it when it is ready.

In a notebook it leaves no text in the cell's output, in a terminal it is overwritten. Elsewhere it
is one line on stderr; stdout stays free for the program's own output.
"""

from __future__ import annotations

import contextvars
import sys
import threading
import uuid

from ..cell import live_shell


class LoadingLine:
    """Shows a text after `appear_s` seconds, unless "" has ended it; called from any thread."""

    appear_s = 2.0  # the model usually loads in 0.5 to 1.5 s; then nothing is shown at all

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._timer: threading.Timer | None = None
        self._shown = ""
        self._display_id = ""

    def __call__(self, text: str) -> None:
        """Starts to show *text*; "" removes the earlier one."""
        with self._lock:
            if self._timer is not None:
                self._timer.cancel()
                self._timer = None
            if self._shown:
                self._paint("")
            if text:
                context = contextvars.copy_context()  # the cell to whose output it belongs
                timer = threading.Timer(self.appear_s, lambda: context.run(self._show, timer, text))
                self._timer = timer
                timer.daemon = True
                timer.start()

    def _show(self, timer: threading.Timer, text: str) -> None:
        with self._lock:
            if self._timer is timer:
                self._paint(text)

    def _paint(self, text: str) -> None:
        shell = live_shell()
        if getattr(shell, "kernel", None) is not None:
            self._display_id = uuid.uuid4().hex if text else self._display_id
            shell.display_pub.publish(
                {"text/plain": text},  # empty in the end: no message can remove one output alone
                transient={"display_id": self._display_id},
                update=not text,
            )
        elif sys.stderr is not None and sys.stderr.isatty():
            sys.stderr.write(text or f"\r{' ' * len(self._shown)}\r")
            sys.stderr.flush()
        elif text and sys.stderr is not None:
            sys.stderr.write(f"{text}\n")
        self._shown = text
