"""Says which notebook cell the running code belongs to, and keeps interrupts out of imports.

`ready` imports a package on a thread, which no interrupt reaches. The keepers of heavy packages
call it, because an interrupt at the wrong moment makes Python keep the lock of a module for good
(CPython 3.11 to 3.13): every thread that imports the module then waits forever.
"""

from __future__ import annotations

# The module beneath `signal`, which spends up to 20 µs a call on looking for enum members.
import _signal  # type: ignore[import-not-found]  # typeshed does not know it
import atexit
import concurrent.futures
import functools
import os
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from contextvars import ContextVar
from functools import partial, wraps
from importlib import import_module
from types import FrameType
from typing import Any, ClassVar, NamedTuple, TypeVar, cast

from .errors import APITimeoutError, Outcome
from .secret import without_locals

# Two interrupts closer together than this are one. A double press takes 0.05 s, but the kernel
# takes 0.4 s on a busy machine from an interrupt to the cell's reply (measured 2026-11-29).
SAME_PRESS_S = 0.5
F = TypeVar("F", bound=Callable[..., Any])
NEVER = float("-inf")
# Modules whose SIGINT handlers may be replaced for the length of a call; a user's own stays.
PACKAGE = __name__.partition(".")[0]
KNOWN = {"_signal", "signal", "asyncio", "ipykernel", PACKAGE}
IMPORTLIB = "<frozen importlib._bootstrap"  # how the file names of its functions begin
# In Python 3.11, a cached_property holds a lock while it is computed, and ours import.
HOLDERS = (IMPORTLIB, functools.__file__)

IMPORT_S = 60.0  # for one package, also on a slow network disk
LOOK_S = 0.1  # the longest delay until a blocked import is noticed
FORK_S = 10.0  # a fork waits this long for imports
FORK_LOOK_S = 0.001
EXIT_S = 1.0  # the end of the process waits this long for imports


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

# The variable that receives the result of the magic that runs now; "" for none.
OUT: ContextVar[str] = globals().get("OUT") or ContextVar("llmkit_out", default="")

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


class InterruptGuard:
    """Delays an interrupt that arrives during an import until the guarded call ends.

    Also a decorator, which removes local variables from what the function raises
    (`secret.without_locals`). KeyboardInterrupt inside an import leaves half a module behind;
    numpy, for one, cannot be imported a second time. An interrupt at any other moment raises at
    once, and the guard then stays installed: the second signal of a double press would otherwise
    strike the kernel while it sends the cell's reply, which would be lost (ipykernel 7.4). The
    kernel removes the guard after the reply; in a program, the next guarded call does.

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

    def __call__(self, function: F) -> F:
        @wraps(function)
        def guarded(*args: Any, **kwargs: Any) -> Any:
            try:
                with type(self)():  # another one, because the function may call itself
                    return function(*args, **kwargs)
            except BaseException as error:
                del args, kwargs  # the next line may be interrupted
                without_locals(error)
                raise

        return cast("F", guarded)

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
        is_importing = self.caller is not None and _imports_now(frame, self.caller)
        lock = _lock_waited_for(frame)
        if lock is not None and lock.owner != threading.get_ident() and is_importing:
            # It waits for another thread, perhaps forever: the second press ends the wait.
            is_importing = not self.is_pending and self.listener is None
        if self.listener is not None:
            self.listener(is_importing)
        elif is_importing:
            self.is_pending = True
        else:
            self.caller = None
            self._previous(number, frame)


class PackageImport(threading.Thread):
    """Imports one package; a daemon, because an import that is blocked must not hold up the end.

    Attributes:
        outcome: Finished when the import has ended; holds its error.
    """

    outcome: concurrent.futures.Future[None]

    def __init__(self, package: str, load: Callable[[], object]) -> None:
        super().__init__(name=f"llmkit-import-{package}", daemon=True)
        self._package = package
        self._load = load
        self.outcome = concurrent.futures.Future()
        self.outcome.set_running_or_notify_cancel()  # so that no waiter can cancel it

    def run(self) -> None:
        """Imports the package on this thread."""
        try:
            self._load()
        except BaseException as error:
            _running.pop(self._package, None)
            self.outcome.set_exception(error)
        else:
            _imported.add(self._package)
            _running.pop(self._package, None)
            self.outcome.set_result(None)

    def unblock(self, start: float, limit_s: float) -> None:
        """Releases the module lock that this import waits for, if this thread has left it locked.

        Raises:
            APITimeoutError: *limit_s* has passed since *start*.
        """
        lock = _lock_waited_for(sys._current_frames().get(self.ident or 0))
        # A thread that imports nothing holds a lock only if an interrupt struck its import.
        if lock is not None and lock.owner == threading.get_ident() and not _imports_now():
            lock.release()
        if time.monotonic() - start >= limit_s:
            raise APITimeoutError(
                f"the import of {self._package} did not end within {limit_s:.3g} s; try again, and "
                "restart the kernel if it fails again, because another import blocks it",
                outcome=Outcome.FINAL,
            )


# The packages that are imported, and those that are being imported.
_imported: set[str] = globals().get("_imported") or set()
_running: dict[str, PackageImport] = globals().get("_running") or {}
_gate = globals().get("_gate") or threading.RLock()  # held while an import starts
_stuck: set[int] = set()  # the threads that a fork has waited for in vain


def start_import(package: str, load: Callable[[], object] | None = None) -> PackageImport | None:
    """Starts the import of *package* on a thread, unless one runs; None if it is imported.

    Args:
        package: The name in messages, and the module if *load* is None.
        load: Imports it.
    """
    if package in _imported or isinstance(threading.current_thread(), PackageImport):
        return None
    with _gate:
        job = _running.get(package)
        if job is None:
            job = PackageImport(package, load or partial(import_module, package))
            try:
                job.start()
            except RuntimeError:  # from 3.12 on, no thread starts once the main thread has ended
                job.run()
            else:
                _running[package] = job
                if job.outcome.done():  # it may have ended before
                    _running.pop(package, None)
        return job


def ready(package: str, load: Callable[[], object] | None = None) -> None:
    """Imports *package* on a thread and waits for it; an interrupt ends the wait, not the import.

    The arguments are those of `start_import`.

    Raises:
        APITimeoutError: The import did not end in time, and says what to do.
        ImportError: The package is not installed.
    """
    job = start_import(package, load)
    if job is None:
        return
    start = time.monotonic()
    while not concurrent.futures.wait([job.outcome], timeout=LOOK_S).done:
        job.unblock(start, IMPORT_S)
    job.outcome.result()


async def ready_soon(
    package: str, load: Callable[[], object] | None = None, *, limit_s: float | None = None
) -> None:
    """Does the same as `ready` without blocking the event loop, for at most *limit_s* seconds."""
    job = start_import(package, load)
    if job is None:
        return
    import asyncio

    start, limit_s = time.monotonic(), IMPORT_S if limit_s is None else min(limit_s, IMPORT_S)
    waiter = asyncio.wrap_future(job.outcome)
    try:
        while not waiter.done():
            left_s = limit_s + start - time.monotonic()
            await asyncio.wait({waiter}, timeout=max(0.0, min(LOOK_S, left_s)))
            if not waiter.done():
                job.unblock(start, limit_s)
        waiter.result()
    finally:
        waiter.cancel()


def _lock_waited_for(frame: FrameType | None) -> Any:
    """Returns the module lock that *frame* waits for, None if it does not wait for one."""
    if frame is None or not frame.f_code.co_filename.startswith(IMPORTLIB):
        return None
    lock = frame.f_locals.get("self")
    return lock if getattr(lock, "owner", None) is not None else None


def _imports_now(frame: FrameType | None = None, outermost: FrameType | None = None) -> bool:
    """Returns True if an import is running between *outermost* and *frame*, by default here."""
    frame = frame or sys._getframe()
    while frame is not None and frame is not outermost:
        if frame.f_code.co_filename.startswith(IMPORTLIB):
            return True
        frame = frame.f_back
    return False


def _importing_threads() -> set[int]:
    """Returns the other threads on which llmkit imports something, itself included."""
    frames = sys._current_frames()
    del frames[threading.get_ident()]
    return {ident for ident, frame in frames.items() if _is_imported_by_us(frame)}


def _is_imported_by_us(frame: FrameType | None) -> bool:
    is_holder = False
    while frame is not None:
        if frame.f_code.co_filename.startswith(HOLDERS):
            is_holder = True
        elif is_holder and str(frame.f_globals.get("__name__")).partition(".")[0] == PACKAGE:
            return True
        frame = frame.f_back
    return False


def _end_imports() -> None:
    end = time.monotonic() + EXIT_S
    for job in tuple(_running.values()):
        job.join(max(0.0, end - time.monotonic()))


def _before_fork() -> None:
    # A child inherits the locks of a running import, but not the thread that releases them.
    end = time.monotonic() + FORK_S
    while threads := _importing_threads() - _stuck:
        if time.monotonic() >= end:
            _stuck.update(threads)
        time.sleep(FORK_LOOK_S)


def _after_fork_in_child() -> None:
    global _gate
    _running.clear()
    _gate = threading.RLock()  # a thread that the child does not have may hold the old one


atexit.register(_end_imports)
# What is registered later runs earlier: a fork that holds the locks of `logging` and of the
# executors must not wait for an import that needs them. This imports `logging` too.
with suppress(RuntimeError):  # at the end of the process
    import concurrent.futures.thread
if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_before_fork, after_in_child=_after_fork_in_child)
