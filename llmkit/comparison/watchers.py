"""Notifies watchers of the progress of a comparison; a watcher that fails never disturbs it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from ..cell import ready
from ..secret import without_locals
from ..types import Status, TextDelta
from ..views.rows import Row

if TYPE_CHECKING:
    from .plan import PlannedRow

log = logging.getLogger(__name__)


class Stop(Protocol):
    """Ends a run early, or only its answer of *row*; what came is kept. Thread-safe."""

    def __call__(self, row: int | None = None) -> None: ...


class Watcher(Protocol):
    """An observer of a comparison, called on its event loop; every method must return at once."""

    def begun(self, plan: Sequence[PlannedRow], stop: Stop) -> None:
        """Receives the whole plan before anything is sent.

        Args:
            stop: Ends the run early, or one answer; unfinished rows become cancelled rows.
        """

    def grew(self, row: int, delta: TextDelta) -> None:
        """Receives new text of a row, once for each network read."""

    def finished(self, row: Row) -> None:
        """Receives a final row."""

    def paused(self, text: str) -> None:
        """Receives what is waited for, such as "openai asks for 90 s, until 14:07"; "" at its end.

        A watcher may lack this method.
        """

    def ended(self) -> None:
        """Runs after the last row is final, also if the run was stopped."""


WatcherFactories = list[Callable[[], Watcher | None]]


def made(factories: WatcherFactories) -> list[Watcher]:
    """Returns a new watcher of each factory that makes one."""
    return [watcher for factory in factories if (watcher := factory())]


def stop_sentence(ends: Sequence[Status], where: str) -> str:
    """Returns what a stopped run keeps.

    Args:
        ends: The status of each of its answers.
        where: How to get at them in Python, such as "llmkit.last".
    """
    kept, total = sum(end not in (Status.CANCELLED, Status.ERROR) for end in ends), len(ends)
    if not kept:
        return f"Stopped: 0 of {total:,} answers are complete; the text so far is kept in {where}."
    verb = "is" if kept == 1 else "are"
    return f"Stopped: {kept:,} of {total:,} answers {verb} kept in {where}."


class Audience:
    """All watchers of one run; notifies each, and removes one that raises."""

    def __init__(self, watchers: Iterable[Watcher]) -> None:
        self._watchers = list(watchers)

    def begun(self, plan: Sequence[PlannedRow], stop: Stop) -> None:
        self._notify(lambda watcher: watcher.begun(plan, stop))

    def grew(self, row: int, delta: TextDelta) -> None:
        self._notify(lambda watcher: watcher.grew(row, delta))

    def finished(self, row: Row) -> None:
        self._notify(lambda watcher: watcher.finished(row))

    def paused(self, text: str) -> None:
        def tell(watcher: Watcher) -> None:
            if hasattr(watcher, "paused"):
                watcher.paused(text)

        self._notify(tell)

    def ended(self) -> None:
        self._notify(lambda watcher: watcher.ended())

    def _notify(self, call: Callable[[Watcher], None]) -> None:
        for watcher in tuple(self._watchers):
            try:
                call(watcher)
            except Exception as error:
                log.exception(
                    "a view of a comparison failed and was removed from it",
                    exc_info=without_locals(error),
                )
                self._watchers.remove(watcher)


class Progress:
    """A watcher with a progress bar of final rows, shown if the run takes over *after_s*."""

    def __init__(self, after_s: float) -> None:
        self._after_s = after_s
        self._final_count = 0
        self._total = 0
        self._bar: Any = None
        self._pause = ""
        self._timer: asyncio.TimerHandle | None = None

    def begun(self, plan: Sequence[PlannedRow], stop: Stop) -> None:
        self._total = len(plan)
        self._timer = asyncio.get_running_loop().call_later(self._after_s, self._show)

    def grew(self, row: int, delta: TextDelta) -> None:
        """Does nothing: the bar counts rows, not text."""

    def finished(self, row: Row) -> None:
        self._final_count += 1
        if self._bar is not None:
            self._bar.update(1)

    def paused(self, text: str) -> None:
        self._pause = text
        if self._bar is not None:
            self._bar.set_postfix_str(text)

    def ended(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        if self._bar is not None:
            self._bar.close()

    def _show(self) -> None:
        ready("tqdm.auto")
        from tqdm.auto import tqdm

        self._bar = tqdm(
            total=self._total, initial=self._final_count, desc="answers", leave=False, unit=""
        )
        self._bar.set_postfix_str(self._pause)
