"""A panel whose tables stay readable in a notebook that nobody runs."""

from __future__ import annotations

from ...kit import Kit
from ..live.main_loop import in_kernel
from ..live.static_output import Standing
from ..live.widget_output import Showing
from .base import Panel

NOTHING = {"text/plain": ""}  # beside the widget, because the words stand before it


class LastingPanel(Panel):
    """Shows its html and text as well, unseen as long as the widget lives.

    Attributes:
        standings: Where its words stand.
    """

    def __init__(self, kit: Kit) -> None:
        self.standings: list[Standing] = []
        super().__init__(kit)

    def changed(self, *_: object) -> None:
        """Paints the state again, soon, and renews its words."""
        super().changed()
        for standing in self.standings:
            standing.renew()

    def _ipython_display_(self) -> None:
        if not in_kernel():
            super()._ipython_display_()
            return
        self.standings.append(Standing(self.desk, self.words))
        self.showings.append(Showing(self.desk, self, self.plain, lambda: NOTHING))
