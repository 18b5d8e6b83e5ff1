"""Says which notebook cell the running code belongs to, and keeps interrupts out of imports."""

from __future__ import annotations

# The module beneath `signal`, which spends up to 20 µs a call on looking for enum members.
import _signal  # type: ignore[import-not-found]  # typeshed does not know it
import sys
import threading
import time
from collections.abc import Callable
from contextlib import ContextDecorator
from contextvars import ContextVar
from types import FrameType
from typing import Any, ClassVar, NamedTuple, Self

# Two interrupts closer together than this are one. A double press takes 0.05 s, but the kernel
# takes 0.4 s on a busy machine from an interrupt to the cell's reply (measured 2026-11-29).
SAME_PRESS_S = 0.5
NEVER = float("-inf")
# Modules whose SIGINT handlers may be replaced for the length of a call; a user's own stays.
KNOWN = {"_signal", "signal", "asyncio", "ipykernel", __name__.partition(".")[0]}


class Cell(NamedTuple):
    """One run of one cell.

    Attributes:
        id: The front end's id, or a substitute if it sends none; the same in every run.
        execution_count: The number in the cell's prompt, None without history.
    """

    id: str
    execution_count: int | None = None


# Tasks and callbacks that a cell starts inherit it, however late they run; threads do not.
# A reload of this module must not make a second one.
CURRENT: ContextVar[Cell | None] = globals().get("CURRENT") or ContextVar(
    "llmkit_cell", default=None
)

# The runs that have begun and not ended; more than one only with subshells.
RUNNING: set[Cell] = globals().get("RUNNING") or set()


def cell_id() -> str | None:
    """Returns the id of the running cell, None outside of cells."""
    cell = CURRENT.get()
    return cell.id if cell else None


def live_shell() -> Any:
    """Returns IPython's shell if this code runs in one; imports nothing."""
    ipython = sys.modules.get("IPython")
    get_shell = getattr(ipython, "get_ipython", None)  # missing while another thread imports it
    return get_shell() if get_shell else None


class InterruptGuard(ContextDecorator):
    """Delays an interrupt that arrives during an import until the guarded call ends.

    Also a decorator. KeyboardInterrupt inside an import leaves half a module behind; numpy, for
    one, cannot be imported a second time. An interrupt at any other moment raises at once, and the
    guard then stays installed: the second signal of a double press would otherwise strike the
    kernel while it sends the cell's reply, which would be lost (ipykernel 7.4). The kernel removes
    the guard after the reply; in a program, the next guarded call does.

    Does nothing within another guard, on other threads, and if the user has installed a handler.

    Attributes:
        last_press_at: When the last interrupt was acted on, by the monotonic clock.
        caller: What entered it; None outside, and after a KeyboardInterrupt.
        listener: Called instead of raising, with True during an import.
        is_pending: True if an import has delayed an interrupt that is still to be acted on.
    """

    last_press_at: ClassVar[float] = NEVER
    caller: FrameType | None = None
    listener: Callable[[bool], None] | None = None
    _previous: Any = None
    is_pending = False

    def _recreate_cm(self) -> Self:
        return type(self)()  # a decorated function may call itself

    def __enter__(self) -> InterruptGuard:
        if threading.current_thread() is not threading.main_thread():
            return self
        action = _signal.getsignal(_signal.SIGINT)
        guard = getattr(action, "__self__", None)
        if isinstance(guard, InterruptGuard):
            if guard.caller is not None:
                return guard
            action = guard._previous  # what it had left for a double press
        elif InterruptGuard.last_press_at != NEVER:  # setting it costs 2 µs
            InterruptGuard.last_press_at = NEVER
        if action is not _signal.default_int_handler:
            handler = getattr(action, "func", action)  # asyncio.Runner's is a partial
            maker = (getattr(handler, "__module__", None) or "").partition(".")[0]
            # A number stands for a signal that is ignored, or for the system's own way.
            if not callable(action) or isinstance(action, int) or maker not in KNOWN:
                return self
        self._previous, self.caller = action, sys._getframe(1)
        _signal.signal(_signal.SIGINT, self._handle)
        return self

    def __exit__(self, *failure: object) -> None:
        if self._previous is None:
            return
        self.caller = None
        if self.is_pending:
            InterruptGuard.last_press_at = time.monotonic()
        is_double_possible = time.monotonic() - InterruptGuard.last_press_at < SAME_PRESS_S
        if not is_double_possible and _signal.getsignal(_signal.SIGINT) == self._handle:
            _signal.signal(_signal.SIGINT, self._previous)
        if self.is_pending:
            self.is_pending = False
            self._previous(_signal.SIGINT, None)

    def _handle(self, number: int, frame: FrameType | None) -> None:
        now = time.monotonic()
        if now - InterruptGuard.last_press_at < SAME_PRESS_S:
            return
        InterruptGuard.last_press_at = now
        step, is_importing = frame, False
        while step is not None and step is not self.caller and self.caller is not None:
            is_importing |= step.f_code.co_filename.startswith("<frozen importlib._bootstrap")
            step = step.f_back
        if self.listener is not None:
            self.listener(is_importing)
        elif is_importing:
            self.is_pending = True
        else:
            self.caller = None
            self._previous(number, frame)
