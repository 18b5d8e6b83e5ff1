"""Tracks the requests of each cell on pooled sessions, and cancels them when the cell reruns.

The session stays open for other cells. Without this, a background task of the previous run would
go on reading, and be billed, next to the one of the new run.
"""

from __future__ import annotations

import asyncio
import weakref
from collections.abc import AsyncGenerator, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

from ..cell import CURRENT

T = TypeVar("T")

CANCEL_LIMIT_S = 1.0


@dataclass(eq=False, slots=True)
class InFlightCall:
    """One unfinished request; *task* awaits it on *loop*."""

    cell: str
    task: asyncio.Task[Any]
    loop: asyncio.AbstractEventLoop


class InFlightCalls:
    """The unfinished requests and streams of all cells."""

    def __init__(self) -> None:
        self._calls: set[InFlightCall] = set()
        self._streams: weakref.WeakKeyDictionary[
            AsyncGenerator[Any, None], tuple[str, asyncio.AbstractEventLoop]
        ] = weakref.WeakKeyDictionary()

    @contextmanager
    def call(self) -> Iterator[None]:
        """Tracks a request of the running cell in this task until the context ends."""
        cell, task = CURRENT.get(), asyncio.current_task()
        if cell is None or task is None:
            yield
            return
        call = InFlightCall(cell.id, task, task.get_loop())
        self._calls.add(call)
        try:
            yield
        finally:
            self._calls.discard(call)

    def stream(self, parts: AsyncGenerator[T, None]) -> AsyncGenerator[T, None]:
        """Tracks the stream *parts* of the running cell, which has no task between two parts."""
        cell, loop = CURRENT.get(), asyncio._get_running_loop()
        if cell is not None and loop is not None:
            self._streams[parts] = cell.id, loop
        return parts

    def of(self, cells: Collection[str]) -> bool:
        """Returns True if one of *cells* has an unfinished request or stream."""
        owners = [call.cell for call in tuple(self._calls)]
        owners += [cell for cell, _ in self._streams.values()]
        return any(cell in cells for cell in owners)

    async def end(self, cells: Collection[str]) -> None:
        """Cancels the requests and streams of *cells*; waits up to 1 s for tasks of this loop."""
        here = asyncio.get_running_loop()
        calls = [c for c in tuple(self._calls) if c.cell in cells and not c.task.done()]
        for call in calls:
            call.loop.call_soon_threadsafe(call.task.cancel)
        own_tasks = {call.task for call in calls if call.loop is here}
        if own_tasks:
            await asyncio.wait(own_tasks, timeout=CANCEL_LIMIT_S)
        for parts, (cell, loop) in tuple(self._streams.items()):
            if cell in cells:
                self._streams.pop(parts, None)
                is_busy: bool = parts.ag_running  # type: ignore[attr-defined]  # typeshed has none
                if loop is here and not is_busy:
                    await parts.aclose()
