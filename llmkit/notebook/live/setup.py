"""Installs the live view of comparisons, and prevents a second display of their results."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ...runtime import kit_hooks
from .displayed_runs import DisplayedRuns

COMPARISON = (f"{__package__.partition('.')[0]}.comparison.result", "Comparison")


class LiveViews:
    """Installs and removes the live view of a kernel's comparisons.

    Attributes:
        shown: The runs that are displayed in the output of the current cell.
    """

    def __init__(self) -> None:
        self.shown = DisplayedRuns()
        self._undo: list[Callable[[], None]] = []

    def register(self, shell: Any, kit: Any) -> None:
        """Installs the view for *kit* and later kits; a terminal keeps its progress bar."""
        self.unregister(shell)
        if getattr(shell, "kernel", None) is None:
            return
        printers = shell.display_formatter.ipython_display_formatter
        printers.for_type_by_name(*COMPARISON, self.shown.instead_of)
        self._undo.append(kit_hooks.when_made(self._show))
        if kit is not None:
            self._show(kit)

    def unregister(self, shell: Any) -> None:
        """Removes the view, and restores the watchers that it replaced."""
        while self._undo:
            self._undo.pop()()
        if getattr(shell, "kernel", None) is not None:
            printers = shell.display_formatter.ipython_display_formatter
            printers.pop(".".join(COMPARISON), None)

    def _show(self, kit: Any) -> None:
        from .live_view import LiveView

        before = list(kit.watchers)
        kit.watchers[:] = [lambda: LiveView(kit, self.shown)]
        self._undo.append(lambda: kit.watchers.__setitem__(slice(None), before))
