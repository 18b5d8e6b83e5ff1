"""Waits for a coroutine from synchronous code, whatever loop is running there."""

from __future__ import annotations

import asyncio
import logging
import threading
import warnings
from collections.abc import Awaitable, Coroutine
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

from ..errors import APITimeoutError, Outcome
from . import nested
from .fork import leave_loop
from .interrupt import run_guarded
from .portal import Portal, end

T = TypeVar("T")

WaitMode = Literal["own", "nested", "portal"]
TICK_S = 0.1  # how soon an interrupt of an awaited call is noticed

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class LoopStatus:
    """How `run` would wait from where this was asked.

    Attributes:
        mode: "own" for a loop of ours, "nested" for the running one, "portal" for our thread.
        loop: The kind of loop that is running here, None where none is.
        patched: True once the running loop can be entered again.
        portal: True while our thread runs.
        tasks: Background tasks of ours that have not ended.
    """

    mode: WaitMode
    loop: str | None
    patched: bool
    portal: bool
    tasks: int


class LoopRunner:
    """One way for each situation; decided anew at each call.

    | running here                              | mode                             |
    |-------------------------------------------|----------------------------------|
    | nothing, on the main thread               | a loop of ours, kept for next time |
    | the standard loop, on the main thread     | nested in it                     |
    | our portal's loop, on its thread          | nested in it                     |
    | anything else (threads, subshells, uvloop)| the portal                       |
    """

    def __init__(self) -> None:
        self._own: asyncio.AbstractEventLoop | None = None
        self._portal = Portal()
        self._refused_loops: set[int] = set()
        self._tasks: set[Future[Any] | asyncio.Task[Any]] = set()

    def run(
        self, coroutine: Coroutine[Any, Any, T], timeout: float | None = None, *, grace: float = 2
    ) -> T:
        """Waits for *coroutine* and gives its result.

        Args:
            timeout: Seconds; None waits as long as it takes.
            grace: Seconds that a coroutine gets to end after an interrupt.

        Raises:
            KeyboardInterrupt: The cell was interrupted; the coroutine was cancelled and has ended.
            APITimeoutError: *timeout* passed.
        """
        if timeout is not None:
            coroutine = _limited(coroutine, timeout)
        loop = asyncio._get_running_loop()
        try:
            mode = self._wait_mode(loop)
        except BaseException:  # interrupted before it began
            coroutine.close()
            raise
        if mode == "portal":
            return self._portal.run(coroutine, grace=grace)
        if mode == "own" or loop is None:
            if self._own is None or self._own.is_closed():
                self._own = asyncio.new_event_loop()
            return run_guarded(self._own, coroutine, grace=grace)
        return nested.run_nested(loop, coroutine, grace=grace)

    async def interruptible(self, awaitable: Awaitable[T]) -> T:
        """The result of *awaitable*; an interrupt of a quiet cell lands within a tenth of a second.

        A kernel notices its stop button when its loop next wakes up, which may be seconds away.
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
        """A background task, held until it ends; a failure that nobody asks for is logged."""
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
        """How `run` would wait from here."""
        loop = asyncio._get_running_loop()
        return LoopStatus(
            mode=self._wait_mode(loop, is_entry=False),
            loop=None if loop is None else type(loop).__name__,
            patched=loop is not None and hasattr(loop, nested.NEST2),
            portal=self._portal.loop is not None,
            tasks=len(self._tasks),
        )

    def close(self) -> None:
        """Ends the loops that this made; twice is harmless."""
        for task in tuple(self._tasks):
            if isinstance(task, Future):
                task.cancel()
        self._portal.stop()
        own, self._own = self._own, None
        if own is not None and asyncio._get_running_loop() is None:
            end(own)

    def forget(self) -> None:
        """In a forked child: the loops that were made here are the parent's."""
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
                "which cannot wait for what lives on this loop",
                RuntimeWarning,
                stacklevel=4,
            )
            return False
        return True

    def _ended(self, task: Any) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and task.exception() is not None:
            log.error("a background task failed", exc_info=task.exception())


async def _limited(coroutine: Coroutine[Any, Any, T], timeout: float) -> T:
    scope = asyncio.timeout(timeout)
    try:
        async with scope:
            return await coroutine
    except TimeoutError as error:
        if not scope.expired():
            raise
        raise APITimeoutError(
            f"not finished within {timeout:g} s; give it a longer timeout",
            outcome=Outcome.AMBIGUOUS,
            possibly_billed=True,
        ) from error
