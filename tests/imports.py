"""Watches the imports that the main thread of a process waits for, and interrupts one of them."""

from __future__ import annotations

import _signal  # what the package's handlers are installed with
import sys
import threading
from collections.abc import Callable
from types import FrameType

from llmkit.cell import InterruptGuard, PackageImport

PACKAGE = "llmkit."


class ImportWatcher:
    """Calls *seen* with the name of each module whose import llmkit causes.

    Attributes:
        count: Number of modules so far.
    """

    def __init__(self, seen: Callable[[str], None]) -> None:
        self.count = 0
        self._seen = seen
        self._is_busy = False
        sys.meta_path.insert(0, self)

    def find_spec(self, name: str, path: object = None, target: object = None) -> None:
        """Returns None, so that the next finders are used."""
        here = threading.current_thread()
        is_ours_now = isinstance(here, PackageImport) or (
            here is threading.main_thread() and is_ours(sys._getframe(1))
        )
        if is_ours_now and not self._is_busy:
            self._is_busy = True
            self.count += 1
            self._seen(name)
            self._is_busy = False


def is_ours(frame: FrameType | None) -> bool:
    """Returns True if a function of llmkit is waiting for *frame*, not only its `import`."""
    while frame is not None:
        if f"{frame.f_globals.get('__name__')}.".startswith(PACKAGE):
            return frame.f_code.co_name != "<module>" or is_ours(frame.f_back)
        frame = frame.f_back
    return False


def raises() -> bool:
    """Returns True if an interrupt now would raise KeyboardInterrupt within this import."""
    if threading.current_thread() is not threading.main_thread():
        return False
    action = _signal.getsignal(_signal.SIGINT)
    guard = getattr(action, "__self__", None)
    if isinstance(guard, InterruptGuard):
        return guard.caller is None
    return action is _signal.default_int_handler


def unguarded() -> list[str]:
    """Starts to list the imports of llmkit that an interrupt could break, and returns the list."""
    names: list[str] = []
    ImportWatcher(lambda name: names.append(name) if raises() else None)
    return names


def interrupt_at(number: int) -> ImportWatcher:
    """Sends SIGINT during the import with that number, counted from 1."""

    def seen(name: str) -> None:
        if watcher.count == number:
            _signal.raise_signal(_signal.SIGINT)

    watcher = ImportWatcher(seen)
    return watcher
