"""Provides the sessions panel: open and leaked sessions, with buttons that close them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import ipywidgets

from ...reports import Sessions as Report
from ...views.tables.sessions import leaks_table, sessions_table
from ...views.tables.table import plain, tables_html
from .base import Action, Panel

if TYPE_CHECKING:
    from ...kit import Kit

TICK_S = 1.0  # ages are displayed in whole seconds


class SessionsPanel(Panel):
    """The session table, updated about once a second while the panel is visible."""

    script = "sessions.js"

    def __init__(self, kit: Kit) -> None:
        super().__init__(kit)
        self._unwatch = kit.manager.registry.watch(self.changed)
        self.every(TICK_S)

    def report(self) -> Report:
        """Returns the current sessions."""
        return Report.of(self.kit.manager.sessions())

    def state(self) -> Mapping[str, object]:
        rows = self.report().rows
        closable = [row["id"] for row in rows if row["status"] not in ("closed", "leaked")]
        return {
            "sessions": plain(sessions_table(rows)),
            "leaks": plain(leaks_table(rows)),
            "closable": closable,
            "stale": sum(row["status"] == "stale" for row in rows),
        }

    def html(self) -> str:
        rows = self.report().rows
        return tables_html(sessions_table(rows), leaks_table(rows))

    def text(self) -> str:
        return str(self.report())

    def actions(self) -> Mapping[str, Action]:
        return {"close": self._close}

    def controls(self) -> Sequence[Any]:
        which = ipywidgets.Text(
            description="Session", placeholder="id or provider", continuous_update=False
        )
        one = self.button_for("Close it", "close", lambda: {"what": which.value})
        buttons = [self.button("Close stale", "close", what="stale"),
                   self.button("Close all", "close", what="all")]  # fmt: skip
        return [ipywidgets.HBox([*buttons, which, one])]

    def close(self) -> None:
        self._unwatch()
        super().close()

    async def _close(self, what: str) -> None:
        await self.kit.manager.aclose(what)
