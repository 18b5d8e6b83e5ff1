"""Runs coroutines on another thread, for callers whose own event loop cannot be used."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine
from concurrent.futures import Future, wait
from functools import partial
from typing import Any, TypeVar

from ..cell import InterruptGuard
from ..errors import SessionClosedError
from .interrupt import StopButton, StoppableTask

T = TypeVar("T")

JOIN_S = 1.0
LOOK_S = 0.25  # the longest delay until an interrupt is noticed


class Portal:
    """Runs one loop on one thread, started at the first use; its creator stops it."""

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._lock = threading.Lock()
        self._cancelled_loop: asyncio.AbstractEventLoop | None = None

    @property
    def loop(self) -> asyncio.AbstractEventLoop | None:
        """The loop; None before the first use and after the end."""
        return self._loop

    def start(self) -> asyncio.AbstractEventLoop:
        """Starts the thread unless it runs, and returns its loop.

        Raises:
            RuntimeError: The main thread has ended; from Python 3.12 on, no thread starts then.
        """
        with self._lock:
            if self._loop is None:
                loop = asyncio.new_event_loop()
                # A daemon: a program that forgets close() must still be able to end.
                thread = threading.Thread(
                    target=_serve, args=(loop,), name="llmkit-portal", daemon=True
                )
                try:
                    thread.start()
                except RuntimeError:
                    loop.close()
                    raise
                self._loop, self._thread = loop, thread
            return self._loop

    def run(self, coroutine: Coroutine[Any, Any, T], *, grace: float) -> T:
        """Runs *coroutine* on the loop while this thread waits, and returns its result.

        It sees the caller's context variables. An interrupt cancels it, and waits up to *grace*
        seconds for its end.
        """
        loop, end_future = self.start(), Future[None]()
        jobs: list[StoppableTask[T]] = []

        def begin() -> None:
            over = partial(end_future.set_result, None)
            jobs.append(StoppableTask(loop, coroutine, grace=grace, over=over))

        def stop() -> None:
            jobs[0].stop()

        with InterruptGuard() as guard, StopButton(loop, guard) as button:
            button.stop = stop
            # The callback runs in a copy of this thread's context, and the task inherits it.
            loop.call_soon_threadsafe(begin)
            try:
                # With a timeout, because a signal just before the wait would be missed.
                while not end_future.done():
                    wait([end_future], timeout=LOOK_S)
            except BaseException:
                loop.call_soon_threadsafe(stop)
                wait([end_future], timeout=grace + JOIN_S)
                raise
        task = jobs.pop().task
        try:
            if button.pressed:
                raise KeyboardInterrupt
            if task.cancelled() and loop is self._cancelled_loop:
                raise _closed()
            return task.result()
        finally:
            del task  # avoids a reference cycle of the task and its error's traceback

    def cancel(self) -> None:
        """Cancels the running tasks, unless one of them calls this; their callers get an error."""
        loop = self._loop
        if loop is not None and self._thread is not threading.current_thread():
            self._cancelled_loop = loop
            loop.call_soon_threadsafe(lambda: [task.cancel() for task in asyncio.all_tasks(loop)])

    def stop(self) -> None:
        """Cancels the running tasks and ends the thread; a second call does nothing."""
        with self._lock:
            loop, thread = self._loop, self._thread
            self._loop = self._thread = None
        if loop is None or thread is None:
            return
        loop.call_soon_threadsafe(loop.stop)
        if thread is not threading.current_thread():
            thread.join(JOIN_S)


def end(loop: asyncio.AbstractEventLoop) -> None:
    """Cancels the tasks of *loop*, an idle loop of llmkit, and closes it."""
    if loop.is_closed() or loop.is_running():
        return
    tasks = asyncio.all_tasks(loop)
    for task in tasks:
        task.cancel()
    if tasks:
        loop.run_until_complete(asyncio.wait(tasks, timeout=JOIN_S))
    loop.run_until_complete(loop.shutdown_asyncgens())
    # This starts a thread to wait for the executor, which Python 3.12 refuses at the end of the
    # process. The threads of the executor have ended by then.
    if threading.main_thread().is_alive():
        loop.run_until_complete(loop.shutdown_default_executor())
    loop.close()


def _closed() -> BaseException:
    """Returns what ends a call on another thread whose loop was stopped."""
    if threading.main_thread().is_alive():
        return SessionClosedError("the call was cancelled, because its kit was closed meanwhile")
    return SystemExit()  # a daemon thread at the end of the process: Python prints nothing for it


def _serve(loop: asyncio.AbstractEventLoop) -> None:
    asyncio.set_event_loop(loop)
    try:
        loop.run_forever()
    finally:
        end(loop)
