"""Schedules work on the kernel's main event loop from any thread.

The kernel delivers a click during a cell or after it, on the main thread or on a subshell's thread
with another loop. This differs between ipykernel 6.31, 7.0 and 7.4. Sessions and runs belong to the
main loop, so the action of a click is queued and runs there.
"""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import Callable, Coroutine
from typing import Any

from IPython.core.getipython import get_ipython

from ...runtime.manager import EventLoopManager


class MainLoopQueue:
    """Runs work from any thread on the main loop, in the context of the cell that made the queue.

    So its output appears in that cell, and not in the cell that runs at that time.
    """

    def __init__(self, manager: EventLoopManager) -> None:
        self._manager = manager
        kernel = getattr(get_ipython(), "kernel", None)
        # The loop of the kernel's main thread; outside a kernel the running loop, or None.
        self._loop: asyncio.AbstractEventLoop | None = getattr(
            getattr(kernel, "io_loop", None), "asyncio_loop", None
        )
        if self._loop is None:
            try:
                self._loop = asyncio.get_running_loop()
            except RuntimeError:
                pass  # a script: actions run immediately
        self._context = contextvars.copy_context()

    def soon(self, action: Callable[..., object], *arguments: object) -> None:
        """Calls *action* on the main loop, or immediately if there is none. Thread-safe."""
        if self._loop is None or self._loop.is_closed():
            action(*arguments)
        else:
            is_here = asyncio._get_running_loop() is self._loop
            # The other function also wakes the loop, by a write to a socket.
            call = self._loop.call_soon if is_here else self._loop.call_soon_threadsafe
            # A copy each time, because a context cannot be entered twice at the same time.
            call(action, *arguments, context=self._context.copy())

    def later(self, seconds: float, action: Callable[[], object]) -> None:
        """Calls *action* after *seconds*, or never without a loop. Call it on the main loop."""
        if self._loop is not None:
            self._loop.call_later(seconds, action, context=self._context.copy())

    def work(self, start: Callable[[], Coroutine[Any, Any, object]]) -> None:
        """Runs a coroutine on the main loop; the manager keeps its task alive."""
        self.soon(lambda: self._manager.spawn(start()))


def in_kernel() -> bool:
    """Returns True if the code runs in a kernel, whose front end may display widgets."""
    return getattr(get_ipython(), "kernel", None) is not None
