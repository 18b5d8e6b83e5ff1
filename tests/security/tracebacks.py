"""Raises an error at each line of llmkit that an action runs, and shows it with all variables."""

from __future__ import annotations

import asyncio
import pprint
import reprlib
import signal
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from types import FrameType, TracebackType

import llmkit

PACKAGE = str(Path(llmkit.__file__).parent)
LIMIT_S = 0.8
OWN = {"function", "error", "self"}  # variables of the decorators that remove all others
Place = tuple[str, int]


class Struck(Exception):
    """Raised at a line where llmkit raises nothing, as the stop button or a bug would."""


class Interrupted(BaseException):
    """The same, for code that keeps running after an Exception."""


def lines_of(action: Callable[[], object]) -> list[Place]:
    """Returns the lines of llmkit that *action* runs on this thread, in order."""
    places: dict[Place, None] = {}
    _traced(action, lambda place: places.setdefault(place))
    return list(places)


def struck_at(place: Place, action: Callable[[], object], kind: type[BaseException] = Struck):
    """Returns what *action* raises if *kind* is raised at *place*; None if llmkit handles it."""

    def strike(here: Place) -> None:
        if here == place:
            raise kind

    outer, interrupt = signal.signal(signal.SIGALRM, _leave), signal.getsignal(signal.SIGINT)
    signal.setitimer(signal.ITIMER_REAL, LIMIT_S, LIMIT_S / 4)
    try:
        _traced(action, strike)
    except BaseException as error:
        return error
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, outer)
        # What was struck while it ended leaves these behind.
        asyncio._set_running_loop(None)
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGINT, interrupt)
    return None


def _leave(number: int, frame: FrameType | None) -> None:
    raise Interrupted  # a callback of the loop was struck, and its waiter waits for ever


def _traced(action: Callable[[], object], at_line: Callable[[Place], object]) -> None:
    def trace(frame: FrameType, event: str, _: object) -> object:
        if not frame.f_code.co_filename.startswith(PACKAGE):
            return None
        if event == "line":
            at_line((frame.f_code.co_filename[len(PACKAGE) + 1 :], frame.f_lineno))
        return trace

    outer = sys.gettrace()
    sys.settrace(trace)
    try:
        action()
    finally:
        sys.settrace(outer)


def with_locals(error: BaseException) -> str:
    """Shows *error* and the variables of its frames, as `capture_locals` of traceback does."""
    texts = []
    for link, trace in _links(error):
        texts += traceback.format_exception(type(link), link, trace, chain=False)
    for frame in _frames(error):
        for value in frame.f_locals.values():
            with suppress(AttributeError):  # the repr of an object that was not finished
                texts.append(repr(value))
    return "\n".join(texts)


def with_pprint(error: BaseException) -> str:
    """Shows the variables of each frame as pytest does."""
    texts = []
    for frame in _frames(error):
        with suppress(AttributeError):
            texts.append(pprint.pformat(frame.f_locals))
    return "\n".join(texts)


def with_reprlib(error: BaseException) -> str:
    """Shows the variables as tools with limits do, such as Sentry's and Django's."""
    shortener = reprlib.Repr()
    shortener.maxstring = shortener.maxother = 1000
    shortener.maxdict = shortener.maxlist = shortener.maxset = shortener.maxfrozenset = 100
    values = (value for frame in _frames(error) for value in frame.f_locals.values())
    return "\n".join(map(shortener.repr, values))


def with_rich(error: BaseException) -> str:
    """Shows the variables as rich does, and typer with it; without the source, which takes long."""
    from rich.traceback import Traceback

    nodes = []
    for link, trace in _links(error):
        shown = Traceback.extract(
            type(link), link, trace, show_locals=True, locals_max_length=100, locals_max_string=80
        )
        for stack in shown.stacks:
            nodes += [stack.exc_value, *stack.notes]
            nodes += [str(node) for frame in stack.frames for node in (frame.locals or {}).values()]
    return "\n".join(nodes)


def with_ipython(error: BaseException) -> str:
    """Shows *error* as `%xmode Verbose` does."""
    from IPython.core.ultratb import VerboseTB

    verbose = VerboseTB(theme_name="nocolor", include_vars=True)
    return "\n".join(verbose.text(type(link), link, trace) for link, trace in _links(error))


def variables(error: BaseException) -> list[str]:
    """Returns the names of llmkit's functions whose frames still have variables.

    What removes the variables may be struck itself; its arguments are gone then.
    """
    return [
        frame.f_code.co_name
        for frame in _frames(error)
        if frame.f_code.co_filename.startswith(PACKAGE)
        and set(frame.f_locals) - (OWN if frame.f_code.co_name == "guarded" else set())
    ]


WAYS = (with_locals, with_pprint, with_reprlib, with_rich, with_ipython)


def _links(error: BaseException) -> Iterator[tuple[BaseException, TracebackType | None]]:
    """Yields *error* and its causes with their tracebacks, from the first frame below the tests."""
    link: BaseException | None = error
    while link is not None:
        trace = link.__traceback__
        while trace is not None and _is_test(trace.tb_frame):
            trace = trace.tb_next
        yield link, trace
        link = link.__cause__ or link.__context__


def _frames(error: BaseException) -> Iterator[FrameType]:
    for _, trace in _links(error):
        for frame, _ in traceback.walk_tb(trace):
            if not _is_test(frame):
                yield frame


def _is_test(frame: FrameType) -> bool:
    return str(frame.f_globals.get("__name__")).startswith("tests.")
