"""Installs the live views of comparisons and answers, and prevents a second display of them."""

from __future__ import annotations

from collections.abc import Callable, Collection
from functools import partial
from typing import TYPE_CHECKING, Any

from ...cell import Cell, InterruptGuard
from ...runtime import kit_hooks
from .displayed_runs import DisplayedRuns

if TYPE_CHECKING:
    from .answers_view import OpenViews
    from .asks import AskViews

PACKAGE = __package__.partition(".")[0]
DISPLAYED = ((f"{PACKAGE}.comparison.result", "Comparison"), (f"{PACKAGE}.types", "Completion"))


class LiveViews:
    """Installs and removes the live views of a kernel."""

    def __init__(self) -> None:
        self._shown = DisplayedRuns()
        self._open_views: OpenViews | None = None  # from the first kit on
        self._ask_views: AskViews | None = None
        self._undo: list[Callable[[], None]] = []

    def __len__(self) -> int:
        """Returns the number of views whose widgets may live."""
        return len(self._open_views or ())

    def register(self, shell: Any, kit: Any) -> None:
        """Installs the view for *kit* and later kits; a terminal keeps its progress bar."""
        self.unregister(shell)
        if getattr(shell, "kernel", None) is None:
            return
        printers = shell.display_formatter.ipython_display_formatter
        for module, name in DISPLAYED:
            printers.for_type_by_name(module, name, self._shown.instead_of)
        self._undo.append(kit_hooks.when_made(self._show))
        if kit is not None:
            self._show(kit)

    def unregister(self, shell: Any) -> None:
        """Removes the views, and restores the watchers that they replaced."""
        while self._undo:
            self._undo.pop()()
        if self._open_views is not None:
            self._open_views.close_all()
        if getattr(shell, "kernel", None) is not None:
            printers = shell.display_formatter.ipython_display_formatter
            for names in DISPLAYED:
                printers.pop(".".join(names), None)

    def cell_started(self, cell: Cell) -> None:
        """Closes the views of the previous run of *cell*."""
        self._shown.begin()
        self.cells_deleted([cell.id])

    @InterruptGuard()  # the words import their renderer
    def cell_ended(self, cell: Cell) -> None:
        """Displays the final words of the answers of *cell*."""
        if self._ask_views is not None:
            self._ask_views.cell_ended(cell)

    def cells_deleted(self, ids: Collection[str]) -> None:
        """Closes the views of cells that no longer exist."""
        if self._open_views is not None:
            self._open_views.close_of(*ids)

    def _show(self, kit: Any) -> None:
        from .answers_view import OpenViews
        from .asks import AskViews
        from .live_view import LiveView

        open_views = self._open_views = (
            self._open_views if self._open_views is not None else OpenViews()
        )
        ask_views = self._ask_views = self._ask_views or AskViews(self._shown, open_views)
        for watchers, factory in (
            (kit.watchers, lambda: LiveView(kit, self._shown, open_views)),
            (kit.ask_watchers, lambda: ask_views.watcher(kit)),
        ):
            before = list(watchers)
            watchers[:] = [factory]
            self._undo.append(partial(watchers.__setitem__, slice(None), before))
