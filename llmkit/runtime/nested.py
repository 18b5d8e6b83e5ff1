"""Runs a coroutine on a loop that is already running, and restores the loop's state.

The only importer of nest_asyncio2. The patch applies to one loop object instead of all loops, so
that `asyncio.Task` and `asyncio.run` stay unchanged (measured on ipykernel 6.31, 7.0 and 7.4 with
Python 3.11 to 3.13).
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Coroutine
from types import FrameType
from typing import Any, TypeVar

from ..cell import ready
from .interrupt import run_guarded

T = TypeVar("T")

NEST = "_nest_patched"  # set on a loop's class by nest_asyncio and nest_asyncio2
NEST2 = "_nest_asyncio2"


class NestingError(Exception):
    """The loop is not re-entrant and cannot be patched."""


def allow_nesting(loop: asyncio.AbstractEventLoop) -> None:
    """Makes *loop* re-entrant; may be called twice.

    Replaces a patch by the old nest_asyncio: with it, a cell or a click that arrives during a
    nested run is lost on ipykernel 7.1 and later.

    Raises:
        NestingError: *loop* cannot be patched, such as uvloop's.
    """
    if not isinstance(loop, asyncio.BaseEventLoop):
        raise NestingError(f"{type(loop).__name__} is not the standard library's loop")
    if hasattr(loop, NEST2):
        return
    ready("nest_asyncio2")
    import nest_asyncio2

    old = type(loop)
    patched_bases = [base for base in old.__mro__ if NEST in vars(base)]
    loop.__class__ = type(f"Nestable{old.__name__}", (old,), {})
    # nest_asyncio2 would skip a loop that carries nest_asyncio's mark.
    for base in patched_bases:
        delattr(base, NEST)
    try:
        nest_asyncio2._patch_loop(loop)
    finally:
        for base in patched_bases:
            setattr(base, NEST, True)


def probe(loop: asyncio.AbstractEventLoop) -> None:
    """Tests a nested run on the running *loop*.

    Raises:
        NestingError: The run failed or lost track of the current task.
    """

    async def look() -> bool:
        task = asyncio.current_task()
        await asyncio.sleep(0)
        return task is not None and asyncio.current_task() is task

    outer = asyncio.current_task(loop)
    try:
        is_nestable = run_nested(loop, look(), grace=1.0)
    except (RuntimeError, AttributeError, TypeError) as error:
        raise NestingError(f"a nested run failed: {error}") from error
    if not is_nestable or asyncio.current_task(loop) is not outer:
        raise NestingError("a nested run loses track of its task")


def run_nested(
    loop: asyncio.AbstractEventLoop, coroutine: Coroutine[Any, Any, T], *, grace: float
) -> T:
    """Does the same as `run_guarded` inside the running *loop*, and restores its state."""
    ready: Any = getattr(loop, "_ready", ())
    due_count, outer = _due_count(loop), asyncio.current_task(loop)
    try:
        return run_guarded(loop, coroutine, grace=grace)
    finally:
        # A KeyboardInterrupt from Python's handler may hit nest_asyncio2 before it restores the
        # current task. Without this repair the outer task could never finish its step.
        current_task = asyncio.current_task(loop)
        if current_task is not outer and current_task is not None:
            asyncio.tasks._leave_task(loop, current_task)
        if current_task is not outer and outer is not None:
            asyncio.tasks._enter_task(loop, outer)
        # With fewer handles, the outer iteration would raise IndexError and kill the kernel.
        while len(ready) < due_count:
            loop.call_soon(_nothing)


def _due_count(loop: asyncio.AbstractEventLoop) -> int:
    """Returns how many handles an outer iteration of the standard loop still takes from its queue.

    It counts them at its start. The iterations after the patch do not, so only the calls of one
    iteration are repaired: 2,000 in a cell took 21 s when all were (measured 2026-11-30).
    """
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        if frame.f_code.co_name == "_run_once":
            values = frame.f_locals
            if values.get("self") is loop and "ntodo" in values:
                return int(values["ntodo"]) - int(values["i"]) - 1
        frame = frame.f_back
    return 0


def _nothing() -> None:
    """Replaces a handle that a nested run has already executed."""
