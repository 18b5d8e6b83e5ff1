"""Runs a coroutine on a loop that is already running, and leaves nothing of it behind.

Keeper of nest_asyncio2. The patch is put on one loop object, not on the class of all loops, so
that `asyncio.Task` and `asyncio.run` stay what they were (measured on ipykernel 6.31, 7.0 and
7.4 with Python 3.11 to 3.13).
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

from ..cell import InterruptGuard
from .interrupt import run_guarded

T = TypeVar("T")

NEST = "_nest_patched"  # how both nest_asyncio and nest_asyncio2 mark a loop's class
NEST2 = "_nest_asyncio2"


class NestingError(Exception):
    """This loop cannot be run while it is running."""


def allow_nesting(loop: asyncio.AbstractEventLoop) -> None:
    """Makes *loop* re-entrant; a second time changes nothing.

    A loop whose class the old nest_asyncio has patched is repaired: with it, a cell or a click
    that arrives during a nested run is lost on ipykernel 7.1 and later.

    Raises:
        NestingError: It is a loop that cannot be patched, such as uvloop's.
    """
    if not isinstance(loop, asyncio.BaseEventLoop):
        raise NestingError(f"{type(loop).__name__} is not the standard library's loop")
    if hasattr(loop, NEST2):
        return
    with InterruptGuard():
        import nest_asyncio2

    old = type(loop)
    patched_bases = [base for base in old.__mro__ if NEST in vars(base)]
    loop.__class__ = type(f"Nestable{old.__name__}", (old,), {})
    # While the mark of nest_asyncio stands, nest_asyncio2 would take the loop for patched.
    for base in patched_bases:
        delattr(base, NEST)
    try:
        nest_asyncio2._patch_loop(loop)
    finally:
        for base in patched_bases:
            setattr(base, NEST, True)


def probe(loop: asyncio.AbstractEventLoop) -> None:
    """Passes when a nested run really works on this running *loop*.

    Raises:
        NestingError: It does not, whatever the reason.
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
    """As `run_guarded`, inside the running *loop*, which finds its bookkeeping as it was."""
    ready: Any = getattr(loop, "_ready", ())
    ready_count, outer = len(ready), asyncio.current_task(loop)
    try:
        return run_guarded(loop, coroutine, grace=grace)
    finally:
        # A KeyboardInterrupt of Python's own may hit nest_asyncio2 between taking the current task
        # away and giving it back; without it the outer task could never finish its step.
        current_task = asyncio.current_task(loop)
        if current_task is not outer and current_task is not None:
            asyncio.tasks._leave_task(loop, current_task)
        if current_task is not outer and outer is not None:
            asyncio.tasks._enter_task(loop, outer)
        # The standard loop may be in the middle of counting off the handles that were ready when
        # its turn began; with fewer of them it would die of an IndexError, and the kernel with it.
        while len(ready) < ready_count:
            loop.call_soon(_nothing)


def _nothing() -> None:
    """Stands in the queue for a handle that a nested run has taken early."""
