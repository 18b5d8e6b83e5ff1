"""A thread with a loop of its own, for callers whose own loop cannot or must not be entered."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine
from concurrent.futures import Future, wait
from contextlib import suppress
from functools import partial
from typing import Any, TypeVar

from ..cell import InterruptGuard
from .interrupt import StopButton, StoppableTask

T = TypeVar("T")

JOIN_S = 1.0
LOOK_S = 0.25  # how soon a stop is noticed at the latest


class Portal:
    """One thread that runs one loop, started at the first use; whoever made it stops it."""

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._lock = threading.Lock()

    @property
    def loop(self) -> asyncio.AbstractEventLoop | None:
        """Its loop, None before the first use and after the end."""
        return self._loop

    def start(self) -> asyncio.AbstractEventLoop:
        """The running loop."""
        with self._lock:
            if self._loop is None:
                self._loop = loop = asyncio.new_event_loop()
                # A daemon: a program that forgets close() must still be able to end.
                self._thread = threading.Thread(
                    target=_serve, args=(loop,), name="llmkit-portal", daemon=True
                )
                self._thread.start()
            return self._loop

    def run(self, coroutine: Coroutine[Any, Any, T], *, grace: float) -> T:
        """The result of *coroutine*, run there while this thread waits.

        The caller's context variables are seen by it. An interrupt cancels it, and waits up to
        *grace* seconds for its end.
        """
        loop, end_future = self.start(), Future[None]()
        jobs: list[StoppableTask[T]] = []

        def begin() -> None:
            jobs.append(
                StoppableTask(
                    loop, coroutine, grace=grace, over=partial(end_future.set_result, None)
                )
            )

        def stop() -> None:
            jobs[0].stop()

        with InterruptGuard() as guard, StopButton(loop, guard) as button:
            button.stop = stop
            # The callback runs in a copy of this thread's context, and the task inherits it.
            loop.call_soon_threadsafe(begin)
            try:
                # Not without an end: a signal that comes just before the wait would be overlooked.
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
            return task.result()
        finally:
            del task  # a failure's traceback would hold it, and it the traceback, in a circle

    def stop(self) -> None:
        """Cancels what runs there and ends the thread; twice is harmless."""
        with self._lock:
            loop, thread = self._loop, self._thread
            self._loop = self._thread = None
        if loop is None or thread is None:
            return
        loop.call_soon_threadsafe(loop.stop)
        if thread is not threading.current_thread():
            thread.join(JOIN_S)


def end(loop: asyncio.AbstractEventLoop) -> None:
    """Closes an idle loop of ours with all that is left on it."""
    if loop.is_closed() or loop.is_running():
        return
    tasks = asyncio.all_tasks(loop)
    for task in tasks:
        task.cancel()
    if tasks:
        loop.run_until_complete(asyncio.wait(tasks, timeout=JOIN_S))
    loop.run_until_complete(loop.shutdown_asyncgens())
    # At the end of the process its threads have ended, and Python 3.12 starts none to wait for it.
    with suppress(RuntimeError):
        loop.run_until_complete(loop.shutdown_default_executor())
    loop.close()


def _serve(loop: asyncio.AbstractEventLoop) -> None:
    asyncio.set_event_loop(loop)
    try:
        loop.run_forever()
    finally:
        end(loop)
