"""Shows the streaming answers of a run side by side, with a button that stops the run."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import ipywidgets

from ..live.answers import AnswersModel
from .base import PLAIN_S, Action, Panel

if TYPE_CHECKING:
    from ...kit import Kit


class AnswersPanel(Panel):
    """The answers of one run, until it ends."""

    script = "live.js"

    def __init__(self, kit: Kit, answers_model: AnswersModel) -> None:
        self.answers_model = answers_model
        self._last_repaint_s = 0.0
        super().__init__(kit)

    def state(self) -> Mapping[str, object]:
        return self.answers_model.state()

    def html(self) -> str:
        return self.answers_model.html()

    def text(self) -> str:
        return self.answers_model.text()

    def actions(self) -> Mapping[str, Action]:
        return self.answers_model.actions()

    def controls(self) -> Sequence[Any]:
        return [plain_controls(self, self.answers_model)]

    def grown(self) -> None:
        """Sends the changes of the answers; call it on their event loop."""
        self.tell("grow", answers=self.answers_model.changes(), **self.answers_model.progress())
        now = time.monotonic()
        if self.is_plain and now - self._last_repaint_s >= PLAIN_S:
            self._last_repaint_s = now
            self.repaint_plain()

    def freeze(self) -> None:
        """Replaces the panel by HTML and text, and closes it."""
        for output in self.widget_outputs:
            output.frozen()
        self.close()


def plain_controls(panel: Panel, answers_model: AnswersModel) -> Any:
    """Returns the controls for Stop, Markdown and differences as plain widgets."""
    names = [(f"{card.row}: {card.name}", card.row) for card in answers_model.answers.cards()]
    first, second = (
        ipywidgets.Dropdown(options=names, description=word, value=names[i][1] if names else None)
        for word, i in (("differ", 0), ("from", min(1, len(names) - 1)))
    )
    show_button = ipywidgets.Button(description="Show differences", layout={"width": "auto"})
    show_button.on_click(lambda _: panel.ask("differ", first=first.value, second=second.value))
    markdown = ipywidgets.Checkbox(
        value=answers_model.markdown, description="Markdown", indent=False
    )
    markdown.observe(lambda change: panel.ask("markdown", on=change["new"]), "value")
    one = ipywidgets.Dropdown(options=names, description="answer")
    stop_one = panel.button_for("Stop this answer", "stop", lambda: {"row": one.value})
    buttons = ipywidgets.HBox([panel.button("Stop", "stop"), one, stop_one, markdown])
    return ipywidgets.VBox([buttons, ipywidgets.HBox([first, second, show_button])])
