"""Shows all panels in tabs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import ipywidgets

from ..live.main_loop import in_kernel
from ..live.static_output import StaticOutput
from ..live.widget_output import WidgetOutput
from .base import Panel


class Tabs(ipywidgets.Tab):
    """All panels; *panels* has them by name, and *front* names the one that is shown first."""

    def __init__(self, panels: Mapping[str, Panel], front: str) -> None:
        self.panels = dict(panels)
        self.front = front
        self._widget_outputs: list[WidgetOutput] = []
        super().__init__(
            children=list(panels.values()), titles=_titles(panels), selected_index=self._place
        )
        for panel in panels.values():
            panel.on_greeting(self._on_greeting)

    def plain(self) -> Any:
        """Returns the tabs as plain widgets."""
        plain = [panel.plain() for panel in self.panels.values()]
        return ipywidgets.Tab(
            children=plain, titles=_titles(self.panels), selected_index=self._place
        )

    @property
    def _place(self) -> int:
        return list(self.panels).index(self.front)

    def words(self) -> dict[str, str]:
        """Returns all panels one below the other, as a MIME bundle of HTML and text."""
        html = "".join(panel.html() for panel in self.panels.values())
        return {"text/html": html, "text/plain": self.text()}

    def text(self) -> str:
        """Returns all panels for a terminal."""
        return "\n\n".join(panel.text() for panel in self.panels.values())

    def close(self) -> None:
        """Removes all panels from the page."""
        for panel in self.panels.values():
            panel.close()
        super().close()

    def _on_greeting(self) -> None:
        for output in self._widget_outputs:
            output.greeted()

    def _ipython_display_(self) -> None:
        if not in_kernel():
            print(self.text())  # noqa: T201  # a terminal shows no widgets
            return
        queue = next(iter(self.panels.values())).queue
        output = StaticOutput(queue, self.words)
        for panel in self.panels.values():
            panel.static_outputs.append(output)
        self.add_class(output.widget_class)

        def plain() -> Any:
            return self.plain().add_class(output.widget_class)

        self._widget_outputs.append(WidgetOutput(queue, self, plain))

    def _repr_mimebundle_(self, **_: object) -> Any:
        return self.words(), {}

    def __repr__(self) -> str:
        return self.text()


def _titles(panels: Mapping[str, Panel]) -> list[str]:
    return [name.capitalize() for name in panels]
