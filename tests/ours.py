"""Recognises llmkit's objects by their modules, because any path may contain the word llmkit.

Used by tests, also inside the cells and programs they run.
"""

from __future__ import annotations

import asyncio
import functools
import gc
from collections.abc import Iterator
from types import FrameType

PACKAGE = "llmkit"


def ours(thing: object, part: str = PACKAGE) -> bool:
    """Returns whether *thing* (a task, a loop's handle, a callback, an object) came from *part*.

    A task counts if llmkit is anywhere in its chain of awaits. *part* is a package or a module.
    """
    return any(f"{module}.".startswith(f"{part}.") for module in _modules(thing))


def tasks(part: str = PACKAGE) -> list[str]:
    """Returns the running loop's unfinished tasks that came from *part*, as text."""
    return [repr(task) for task in asyncio.all_tasks() if ours(task, part)]


def awaited(task: asyncio.Task[object]) -> Iterator[tuple[object, FrameType | None]]:
    """Yields each coroutine, generator and awaitable that *task* waits for, with its frame."""
    step: object = task.get_coro()
    while step is not None:
        kind = next((k for k in ("cr", "ag", "gi") if hasattr(step, f"{k}_frame")), "")
        yield step, getattr(step, f"{kind}_frame", None)
        if kind:
            step = getattr(step, f"{kind}_yieldfrom" if kind == "gi" else f"{kind}_await")
        else:  # anext() of an async generator, which only the garbage collector can name
            step = next((g for g in gc.get_referents(step) if hasattr(g, "ag_frame")), None)


def _modules(thing: object) -> Iterator[str]:
    if isinstance(thing, asyncio.Task):
        for step, frame in awaited(thing):
            yield type(step).__module__ if frame is None else str(frame.f_globals.get("__name__"))
        return
    if isinstance(thing, asyncio.Handle):
        thing = thing._callback
    while isinstance(thing, functools.partial):
        thing = thing.func
    yield str(getattr(thing, "__module__", ""))
    yield type(getattr(thing, "__self__", thing)).__module__
