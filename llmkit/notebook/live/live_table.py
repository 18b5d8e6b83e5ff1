"""Displays the session table as a DataFrame that updates itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ...cell import CURRENT, InterruptGuard
from ...reports import Sessions
from ...runtime.manager import EventLoopManager
from ..lazy_api import api

TICK_S = 1.0


def sessions(*, live: bool = False) -> Sessions:
    """Returns the open and the last closed sessions, with the cells that own them.

    Args:
        live: True makes the displayed DataFrame update itself about once a second while anything
            changes, until its cell runs again or it is closed.
    """
    report: Sessions = api().sessions()
    return LiveSessions(report.rows) if live else report


class LiveSessions(Sessions):
    """The session table, whose displays follow the sessions."""

    def __init__(self, rows: Sequence[Mapping[str, object]]) -> None:
        super().__init__(rows)
        self._displays: list[Following] = []

    def close(self) -> None:
        """Stops the updates of all displays; has no effect a second time."""
        while self._displays:
            self._displays.pop().end()

    @InterruptGuard()
    def _ipython_display_(self) -> None:
        from .main_loop import in_kernel

        if in_kernel():
            self._displays.append(Following(api().current_kit().manager))
        else:
            print(self)  # noqa: T201  # a terminal cannot update a table


class Following:
    """One display of the session table, updated until its cell runs again."""

    def __init__(self, manager: EventLoopManager) -> None:
        from IPython.core.getipython import get_ipython
        from IPython.display import display

        from .main_loop import MainLoopQueue

        self._manager = manager
        self._cell = CURRENT.get()
        self._is_active = True
        self._is_planned = False
        self._queue = MainLoopQueue(manager)
        self._last_bundle = self._bundle()
        self._handle: Any = display(self._last_bundle, raw=True, display_id=True)
        shell: Any = get_ipython()
        self._events = shell.events
        self._events.register("pre_run_cell", self._cell_begins)
        self._unwatch = manager.registry.watch(lambda _: self._queue.soon(self._plan))
        self._queue.soon(self._plan)

    def end(self) -> None:
        """Stops the updates; the last table stays."""
        if self._is_active:
            self._is_active = False
            self._unwatch()
            self._events.unregister("pre_run_cell", self._cell_begins)

    def _cell_begins(self, _: object) -> None:
        now = CURRENT.get()  # set by `CellHooks`, which was registered first
        if now is not None and self._cell is not None and now.id == self._cell.id:
            self.end()

    def _plan(self) -> None:
        if self._is_active and not self._is_planned:
            self._is_planned = True
            self._queue.later(TICK_S, self._paint)

    def _paint(self) -> None:
        self._is_planned = False
        if not self._is_active:
            return
        bundle = self._bundle()
        if bundle != self._last_bundle:
            self._last_bundle = bundle
            self._handle.update(bundle, raw=True)
        if self._manager.registry.open_sessions():  # their ages change without an event
            self._plan()

    def _bundle(self) -> dict[str, str]:
        frame = Sessions.of(self._manager.sessions()).frame()
        return {"text/html": frame.to_html(), "text/plain": frame.to_string()}
