"""Turns an interrupt of a waiting main thread into the cancellation of the task that it waits for.

Used by `loop`, `nested` and `portal.Portal.run`. Python's own handler raises KeyboardInterrupt
between any two bytecodes of the main thread. While a loop runs there, that may be inside a task of
the kernel's, inside the loop's bookkeeping or in a finalizer that swallows it; each was seen to
cost a cell its reply, and the kernel with it (ipykernel 7.4). So the handler only notes the
interrupt, and the loop itself acts on it.
"""

from __future__ import annotations

import _signal  # type: ignore[import-not-found]  # see ../cell.py
import asyncio
import logging
import time
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any, Generic, Self, TypeVar

from ..cell import InterruptGuard

T = TypeVar("T")

log = logging.getLogger(__name__)


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
    """Calls `stop` on *loop* for each interrupt that *guard* is told of, instead of raising.

    A loop that has not called `stop` when the next interrupt comes is blocked by code that does not
    await. Then KeyboardInterrupt is raised there, except during an import.

    Attributes:
        pressed: True once an interrupt has come.
        stop: Set before the loop has its next turn.
    """

    stop: Callable[[], None]

    def __init__(self, loop: asyncio.AbstractEventLoop, guard: InterruptGuard) -> None:
        self.pressed = False
        self._loop = loop
        self._guard = guard
        self._outer_listener = guard.listener
        self._is_unheard = self._is_over = False
        self._old_fd: int | None = None

    def __enter__(self) -> Self:
        if self._guard.caller is None:
            return self
        self._guard.listener = self._press
        # A signal that comes just before a quiet loop begins to wait sets a flag that is not looked
        # at until something else happens: the press would be lost (seen once in 200 presses). So a
        # signal has to wake the loop.
        socket = getattr(self._loop, "_csock", None)
        if socket is not None:
            old_fd: int = _signal.set_wakeup_fd(socket.fileno(), warn_on_full_buffer=False)
            if old_fd in (-1, socket.fileno()):
                self._old_fd = old_fd
            else:
                _signal.set_wakeup_fd(old_fd)  # another library's, which counts on it
        if self._guard.is_pending:
            self._guard.is_pending = False
            self._press(is_importing=False)
        return self

    def __exit__(self, *failure: object) -> None:
        if self._old_fd is not None:
            _signal.set_wakeup_fd(self._old_fd)
        if self.pressed:
            InterruptGuard.last_press_at = time.monotonic()  # a second press may come from now on
        self._is_over = True
        self._guard.listener = self._outer_listener

    def _press(self, is_importing: bool) -> None:
        if not self._is_unheard:
            self.pressed = self._is_unheard = True
            self._loop.call_soon_threadsafe(self._hear)
        elif not is_importing:
            raise KeyboardInterrupt

    def _hear(self) -> None:
        self._is_unheard = False
        if not self._is_over:
            self.stop()


def run_guarded(
    loop: asyncio.AbstractEventLoop, coroutine: Coroutine[Any, Any, T], *, grace: float
) -> T:
    """Returns the result of *coroutine*, run to its end on *loop*.

    An interrupt cancels the coroutine and waits up to *grace* seconds for its end. Otherwise it
    would live on, and its request would still be billed.
    """
    end_future = loop.create_future()
    with InterruptGuard() as guard, StopButton(loop, guard) as button:
        job = StoppableTask(loop, coroutine, grace=grace, over=partial(end_future.set_result, None))
        button.stop = job.stop
        try:
            loop.run_until_complete(end_future)
        except BaseException:  # of a handler that is not ours, or of another task's
            job.stop()
            loop.run_until_complete(end_future)
            raise
    task = job.task
    try:
        if button.pressed:
            raise KeyboardInterrupt
        return task.result()
    finally:
        del job, task  # a failure's traceback would hold them, and they it, in a circle
