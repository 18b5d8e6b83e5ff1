"""What the stop button does to a coroutine that somebody waits for.

Python's own handler raises KeyboardInterrupt between any two bytecodes of the main thread. While
a loop runs there, that may be inside a task of the kernel's, inside the loop's bookkeeping or in a
finalizer that swallows it; each was seen to cost a cell its reply, and the kernel with it
(ipykernel 7.4). So while we wait, a press is only noted, and the loop itself acts upon it.
"""

from __future__ import annotations

# The module beneath `signal`, which spends up to 20 µs a call on looking for enum members.
import _signal  # type: ignore[import-not-found]  # typeshed does not know it
import asyncio
import functools
import logging
import threading
import time
from collections.abc import Callable, Coroutine
from typing import Any, Generic, Self, TypeVar

T = TypeVar("T")

log = logging.getLogger(__name__)

DEAF_S = 0.5  # a loop that has not heard a press after so long is blocked; the next press raises
# Whose handlers give a press a meaning that ours keeps; what a person has installed stays.
KNOWN = {"_signal", "signal", "asyncio", "ipykernel", __name__.partition(".")[0]}


class StoppableTask(Generic[T]):
    """One task, and how long its end is waited for once it is to stop.

    All of it happens on the task's own loop.

    Attributes:
        task: What is waited for.
    """

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        coroutine: Coroutine[Any, Any, T],
        *,
        grace: float,
        over: Callable[[], object],
    ) -> None:
        self._loop = loop
        self._grace = grace
        self._callback: Callable[[], object] | None = over
        self._patience: asyncio.TimerHandle | None = None
        self.task = loop.create_task(coroutine)
        self.task.add_done_callback(self._end)

    def stop(self) -> None:
        """Cancels the task; a second time its end is waited for no longer."""
        if self.task.done():
            return
        if self._patience is not None:
            self._give_up()
            return
        self.task.cancel()
        self._patience = self._loop.call_later(self._grace, self._give_up)

    def _end(self, task: asyncio.Task[T]) -> None:
        if not task.cancelled():
            task.exception()  # it was asked for: asyncio must not call it forgotten
        self._tell()

    def _give_up(self) -> None:
        log.warning("what was interrupted has not ended yet; nobody waits for it any more")
        self._tell()

    def _tell(self) -> None:
        callback, self._callback = self._callback, None
        if self._patience is not None:
            self._patience.cancel()
        if callback is not None:
            callback()


class StopButton:
    """While it is entered on the main thread, a press calls `stop` on *loop* and raises nothing.

    A loop that does not hear it is blocked by code that does not await: then the next press
    raises KeyboardInterrupt there, as ever.

    Attributes:
        pressed: True once somebody has pressed.
        stop: What the loop then does; to be set before the loop has its next turn.
    """

    stop: Callable[[], None]

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.pressed = False
        self._loop = loop
        self._press_at: float | None = None
        self._original_action: Any = None
        self._old_fd: int | None = None
        self._is_over = False

    def __enter__(self) -> Self:
        if threading.current_thread() is not threading.main_thread():
            return self
        action = _signal.getsignal(_signal.SIGINT)
        handler = action.func if isinstance(action, functools.partial) else action  # a Runner's
        maker = (getattr(handler, "__module__", None) or "").partition(".")[0]
        # One that is a number is ignored, or the system's own way.
        if not callable(action) or isinstance(action, int) or maker not in KNOWN:
            return self
        self._original_action = action
        # A signal that comes just before a quiet loop begins to wait sets a flag that nobody looks
        # at until something else happens: the press would be lost (seen once in 200 presses). So a
        # signal has to wake the loop.
        socket = getattr(self._loop, "_csock", None)
        if socket is not None:
            old_fd: int = _signal.set_wakeup_fd(socket.fileno(), warn_on_full_buffer=False)
            if old_fd in (-1, socket.fileno()):
                self._old_fd = old_fd
            else:
                _signal.set_wakeup_fd(old_fd)  # somebody else's, who counts on it
        _signal.signal(_signal.SIGINT, self._handle)
        return self

    def __exit__(self, *failure: object) -> None:
        self._is_over = True
        if self._original_action is not None and _signal.getsignal(_signal.SIGINT) == self._handle:
            _signal.signal(_signal.SIGINT, self._original_action)
        if self._old_fd is not None:
            _signal.set_wakeup_fd(self._old_fd)

    def _handle(self, number: int, frame: Any) -> None:
        if self._is_over:  # somebody who had saved this handler has put it back too late
            self._original_action(number, frame)
            return
        self.pressed = True
        now = time.monotonic()
        if self._press_at is None:
            self._press_at = now
            self._loop.call_soon_threadsafe(self._heard)
        elif now - self._press_at > DEAF_S:
            raise KeyboardInterrupt

    def _heard(self) -> None:
        self._press_at = None
        if not self._is_over:
            self.stop()
