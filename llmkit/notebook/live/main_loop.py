"""Hands work to the kernel's main loop, whichever thread it comes from.

A click arrives where the kernel pleases: on the main thread, on a subshell's with another loop,
in the middle of a cell or after it (it differs between ipykernel 6.31, 7.0 and 7.4). Sessions and
runs live on the main loop, so whatever a click asks for is only queued, and done there.
"""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import Callable, Coroutine
from typing import Any

from IPython.core.getipython import get_ipython

from ...runtime.manager import EventLoopManager


class MainLoopQueue:
    """Takes work from any thread at once, and has it done on the main loop.

    What is done here runs in the context of the cell that made the queue: what it shows appears
    there, and not in the cell that happens to run.
    """

    def __init__(self, manager: EventLoopManager) -> None:
        self._manager = manager
        kernel = getattr(get_ipython(), "kernel", None)
        # The loop of the kernel's main thread; outside of a kernel the running one, or None.
        self._loop: asyncio.AbstractEventLoop | None = getattr(
            getattr(kernel, "io_loop", None), "asyncio_loop", None
        )
        if self._loop is None:
            try:
                self._loop = asyncio.get_running_loop()
            except RuntimeError:
                pass  # a script, where things are done at once
        self._context = contextvars.copy_context()

    def soon(self, action: Callable[..., object], *arguments: object) -> None:
        """Calls *action* on the main loop; safe from every thread, and returns at once.

        Without a loop, in a script, it is called here and now.
        """
        if self._loop is None or self._loop.is_closed():
            action(*arguments)
        else:
            # A copy each time: a context that is being used cannot be entered a second time.
            self._loop.call_soon_threadsafe(action, *arguments, context=self._context.copy())

    def later(self, seconds: float, action: Callable[[], object]) -> None:
        """Calls *action* on the main loop in so many seconds, or never without a loop.

        Call only on that loop.
        """
        if self._loop is not None:
            self._loop.call_later(seconds, action, context=self._context.copy())

    def work(self, start: Callable[[], Coroutine[Any, Any, object]]) -> None:
        """Runs a coroutine on the main loop, held until it ends."""
        self.soon(lambda: self._manager.spawn(start()))


def in_kernel() -> bool:
    """Whether there is a notebook's kernel here, and so perhaps somebody to show widgets to."""
    return getattr(get_ipython(), "kernel", None) is not None
