"""Turns an interrupt of a waiting main thread into the cancellation of the task it waits for.

Used by `loop`, `nested` and `portal.Portal.run`. Python's handler raises KeyboardInterrupt between
any two bytecodes of the main thread: in a kernel task, in the loop's bookkeeping, or in a finalizer
that swallows it. Each case lost the reply of a cell, and killed the kernel (ipykernel 7.4). So
the handler only records the interrupt, and the loop handles it.
"""

from __future__ import annotations

import _signal  # type: ignore[import-not-found]  # see ../cell.py
import asyncio
import logging
import time
from collections.abc import Callable, Coroutine
from contextlib import suppress
from functools import partial
from typing import Any, Generic, Self, TypeVar

from ..cell import InterruptGuard

T = TypeVar("T")

log = logging.getLogger(__name__)


class StoppableTask(Generic[T]):
    """A task whose cancellation is waited for at most *grace* seconds.

    Calls *over* once the task has ended or the wait is given up. Used on the task's loop only.
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
        self.task.add_done_callback(self._tell)

    def stop(self) -> None:
        """Cancels the task; a second call gives up the wait for its end."""
        if self.task.done():
            return
        if self._patience is not None:
            self._give_up()
            return
        self.task.cancel()
        self._patience = self._loop.call_later(self._grace, self._give_up)

    def _give_up(self) -> None:
        log.warning("the interrupted call has not ended yet; llmkit no longer waits for it")
        self._tell()

    def _tell(self, ended: asyncio.Task[T] | None = None) -> None:
        if ended is not None and not ended.cancelled():
            ended.exception()  # retrieved, so that asyncio does not warn about it
        callback, self._callback = self._callback, None
        if self._patience is not None:
            self._patience.cancel()
        if callback is not None:
            callback()


class StopButton:
    """Calls `stop` on *loop* for each interrupt that *guard* receives, instead of raising.

    If the loop has not called `stop` before the next interrupt, code without an await blocks it.
    Then KeyboardInterrupt is raised there, except during an import.

    Attributes:
        pressed: True once an interrupt was received.
        stop: Set before the loop runs again.
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
        # A signal just before an idle loop begins to wait only sets a flag, which Python checks
        # after the wait (seen once in 200 interrupts). So a signal has to wake the loop.
        socket = getattr(self._loop, "_csock", None)
        if socket is not None:
            old_fd: int = _signal.set_wakeup_fd(socket.fileno(), warn_on_full_buffer=False)
            if old_fd in (-1, socket.fileno()):
                self._old_fd = old_fd
            else:
                with suppress(OSError, ValueError):  # which may have closed it meanwhile
                    _signal.set_wakeup_fd(old_fd)  # another library relies on its own
        if self._guard.is_pending:
            self._guard.is_pending = False
            self._press(is_importing=False)
        return self

    def __exit__(self, *failure: object) -> None:
        if self._old_fd is not None:
            _signal.set_wakeup_fd(self._old_fd)
        if self.pressed:
            InterruptGuard.last_press_at = time.monotonic()  # a second interrupt counts from here
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
    """Runs *coroutine* to its end on *loop* and returns its result.

    An interrupt cancels the coroutine and waits up to *grace* seconds for its end. Otherwise its
    request would go on and still be billed.
    """
    end_future = loop.create_future()
    with InterruptGuard() as guard, StopButton(loop, guard) as button:
        job = StoppableTask(loop, coroutine, grace=grace, over=partial(end_future.set_result, None))
        button.stop = job.stop
        try:
            loop.run_until_complete(end_future)
        except BaseException:  # raised by another signal handler or another task
            job.stop()
            loop.run_until_complete(end_future)
            raise
    task = job.task
    try:
        if button.pressed:
            raise KeyboardInterrupt
        return task.result()
    finally:
        del job, task  # breaks the reference cycle with a traceback
