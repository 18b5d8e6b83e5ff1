"""Waits for a coroutine from synchronous code, with or without a running event loop."""

from __future__ import annotations

import asyncio
import inspect
import logging
import threading
import warnings
from collections.abc import Awaitable, Coroutine
from concurrent.futures import Future
from dataclasses import dataclass
from types import CoroutineType
from typing import Any, Literal, TypeVar

from ..errors import APITimeoutError, Outcome, SessionError
from . import nested
from .fork import leave_loop
from .interrupt import run_guarded
from .portal import Portal, end

T = TypeVar("T")

WaitMode = Literal["own", "nested", "portal"]
TICK_S = 0.1  # an interrupt of an awaited call is handled within this time

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class LoopStatus:
    """The way `run` would wait at the place of the call.

    Attributes:
        mode: "own" for llmkit's loop, "nested" for the running loop, "portal" for llmkit's thread.
        loop: The type of the running loop, None if there is none.
        patched: True if the running loop is re-entrant.
        portal: True if llmkit's thread is running.
        tasks: The number of unfinished background tasks.
    """

    mode: WaitMode
    loop: str | None
    patched: bool
    portal: bool
    tasks: int


class LoopRunner:
    """Chooses the way to wait at each call.

    | running loop                               | mode                  |
    |--------------------------------------------|-----------------------|
    | none, on the main thread                   | own, kept for reuse   |
    | the standard loop, on the main thread      | nested                |
    | the portal's loop, on its thread           | nested                |
    | any other (threads, subshells, uvloop)     | portal                |
    """

    def __init__(self) -> None:
        self._own: asyncio.AbstractEventLoop | None = None
        self._portal = Portal()
        self._refused_loops: set[int] = set()
        self._tasks: set[Future[Any] | asyncio.Task[Any]] = set()

    def run(
        self, coroutine: Coroutine[Any, Any, T], timeout: float | None = None, *, grace: float = 2
    ) -> T:
        """Waits for *coroutine* and returns its result.

        Args:
            timeout: Seconds; None means no limit.
            grace: Seconds for the cancelled coroutine to end after an interrupt.

        Raises:
            KeyboardInterrupt: The cell was interrupted and the coroutine cancelled.
            APITimeoutError: *timeout* passed.
        """
        call = coroutine if timeout is None else _limited(coroutine, timeout)
        try:
            loop = asyncio._get_running_loop()
            mode = self._wait_mode(loop)
            if mode == "portal":
                try:
                    self._portal.start()
                except RuntimeError as error:
                    return _run_here(call, error, grace=grace)
                return self._portal.run(call, grace=grace)
            if mode == "nested" and loop is not None:
                return nested.run_nested(loop, call, grace=grace)
            if self._own is None or self._own.is_closed():
                self._own = asyncio.new_event_loop()
            return run_guarded(self._own, call, grace=grace)
        except BaseException:  # perhaps an interrupt before the start
            for unused in (call, coroutine):
                is_native = isinstance(unused, CoroutineType)
                if is_native and inspect.getcoroutinestate(unused) == inspect.CORO_CREATED:
                    unused.close()
            raise

    async def interruptible(self, awaitable: Awaitable[T]) -> T:
        """Awaits *awaitable*, and wakes the loop every 0.1 s so that an interrupt is handled.

        A kernel handles an interrupt when its loop next wakes up, which may take seconds.
        """
        task = asyncio.ensure_future(awaitable)
        try:
            while not task.done():
                await asyncio.wait({task}, timeout=TICK_S)
        except BaseException:
            task.cancel()
            await asyncio.wait({task})
            raise
        return task.result()

    def spawn(
        self, coroutine: Coroutine[Any, Any, T], name: str | None = None
    ) -> Future[T] | asyncio.Task[T]:
        """Starts a background task and keeps a reference until it ends; logs its failure."""
        loop = asyncio._get_running_loop()
        task: Future[T] | asyncio.Task[T]
        if loop is None:
            task = asyncio.run_coroutine_threadsafe(coroutine, self._portal.start())
        else:
            task = loop.create_task(coroutine, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        return task

    def status(self) -> LoopStatus:
        """Returns the way `run` would wait if called now."""
        loop = asyncio._get_running_loop()
        return LoopStatus(
            mode=self._wait_mode(loop, is_entry=False),
            loop=None if loop is None else type(loop).__name__,
            patched=loop is not None and hasattr(loop, nested.NEST2),
            portal=self._portal.loop is not None,
            tasks=len(self._tasks),
        )

    def __del__(self) -> None:
        # No session is left on it, because an open session keeps its manager alive.
        own = self._own
        if own is not None and not own.is_running():
            own.close()

    def cancel(self) -> None:
        """Cancels the calls and background tasks on llmkit's thread."""
        for task in tuple(self._tasks):
            if isinstance(task, Future):
                task.cancel()
        self._portal.cancel()

    def close(self) -> None:
        """Closes the loops created here; may be called twice."""
        self._portal.stop()
        own, self._own = self._own, None
        if own is not None and asyncio._get_running_loop() is None:
            end(own)

    def forget(self) -> None:
        """Drops the loops in a forked child; the parent still uses them."""
        own, self._own = self._own, None
        portal, self._portal = self._portal, Portal()
        self._tasks.clear()
        for loop in (own, portal.loop):
            if loop is not None:
                leave_loop(loop)

    def _wait_mode(
        self, loop: asyncio.AbstractEventLoop | None, *, is_entry: bool = True
    ) -> WaitMode:
        is_on_main = threading.current_thread() is threading.main_thread()
        if loop is None:
            return "own" if is_on_main else "portal"
        if not is_on_main and loop is not self._portal.loop:
            return "portal"
        if id(loop) in self._refused_loops or not isinstance(loop, asyncio.BaseEventLoop):
            return "portal"
        return "nested" if not is_entry or self._can_enter(loop) else "portal"

    def _can_enter(self, loop: asyncio.AbstractEventLoop) -> bool:
        if hasattr(loop, nested.NEST2):
            return True
        try:
            nested.allow_nesting(loop)
            nested.probe(loop)
        except nested.NestingError as error:
            self._refused_loops.add(id(loop))
            warnings.warn(
                f"llmkit cannot run inside this event loop ({error}); it uses a thread instead, "
                "which cannot wait for tasks of this loop",
                RuntimeWarning,
                stacklevel=4,
            )
            return False
        return True

    def _ended(self, task: Any) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and task.exception() is not None:
            log.error("a background task failed", exc_info=task.exception())


def _run_here(coroutine: Coroutine[Any, Any, T], error: RuntimeError, *, grace: float) -> T:
    """Runs *coroutine* on a new loop, for a thread that outlives the main thread.

    Raises:
        SessionError: This thread already runs a loop.
    """
    if asyncio._get_running_loop() is not None:
        coroutine.close()
        raise SessionError(
            "the program is ending, so llmkit cannot start the thread of a synchronous call; "
            "await the call instead"
        ) from error
    loop = asyncio.new_event_loop()
    try:
        return run_guarded(loop, coroutine, grace=grace)
    finally:
        end(loop)


async def _limited(coroutine: Coroutine[Any, Any, T], timeout: float) -> T:
    scope = asyncio.timeout(timeout)
    try:
        async with scope:
            return await coroutine
    except TimeoutError as error:
        if not scope.expired():
            raise
        raise APITimeoutError(
            f"the call did not finish within {timeout:g} s; increase timeout",
            outcome=Outcome.AMBIGUOUS,
            possibly_billed=True,
        ) from error
