"""What cells have under way on the shared sessions; a cell's next run ends it.

The session itself stays warm for everybody. A background task that a cell started would otherwise
go on reading, and paying, next to the one that the same cell has just started anew.
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

PATIENCE_S = 1.0


@dataclass(eq=False, slots=True)
class InFlightCall:
    """One request that has not ended.

    Attributes:
        task: Whoever waits for it.
        loop: Where that is.
    """

    cell: str
    task: asyncio.Task[Any]
    loop: asyncio.AbstractEventLoop


class InFlightCalls:
    """The requests and streams that cells have begun and not ended."""

    def __init__(self) -> None:
        self._calls: set[InFlightCall] = set()
        self._streams: weakref.WeakKeyDictionary[
            AsyncGenerator[Any, None], tuple[str, asyncio.AbstractEventLoop]
        ] = weakref.WeakKeyDictionary()

    @contextmanager
    def call(self) -> Iterator[None]:
        """The time in which the running cell has a request under way in this task."""
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
        """*parts*, known as the running cell's: between two of them, it has no task."""
        cell, loop = CURRENT.get(), asyncio._get_running_loop()
        if cell is not None and loop is not None:
            self._streams[parts] = cell.id, loop
        return parts

    def of(self, cells: Collection[str]) -> bool:
        """True where one of *cells* has something under way."""
        owners = [call.cell for call in tuple(self._calls)]
        owners += [cell for cell, _ in self._streams.values()]
        return any(cell in cells for cell in owners)

    async def end(self, cells: Collection[str]) -> None:
        """Ends all that *cells* have under way, and waits a moment for what is on this loop."""
        here = asyncio.get_running_loop()
        calls = [c for c in tuple(self._calls) if c.cell in cells and not c.task.done()]
        for call in calls:
            call.loop.call_soon_threadsafe(call.task.cancel)
        own_tasks = {call.task for call in calls if call.loop is here}
        if own_tasks:
            await asyncio.wait(own_tasks, timeout=PATIENCE_S)
        for parts, (cell, loop) in tuple(self._streams.items()):
            if cell in cells:
                self._streams.pop(parts, None)
                is_busy: bool = parts.ag_running  # type: ignore[attr-defined]  # typeshed has none
                if loop is here and not is_busy:
                    await parts.aclose()
