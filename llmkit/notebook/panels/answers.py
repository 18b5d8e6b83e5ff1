"""Answers that grow side by side, with a button that stops them."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import ipywidgets

from ...views.answers.streaming import LiveAnswers
from ..live.answers import AnswersModel
from .base import PLAIN_S, Action, Panel

if TYPE_CHECKING:
    from ...kit import Kit


class AnswersPanel(Panel):
    """The answers of one run, as long as it lasts."""

    script = "live.js"

    def __init__(self, kit: Kit, answers: LiveAnswers, stop: Callable[[], None]) -> None:
        self.answers_model = AnswersModel(answers, stop)
        self._last_repaint_s = 0.0
        super().__init__(kit)

    def state(self) -> Mapping[str, object]:
        """The answers as they are now."""
        return self.answers_model.state()

    def html(self) -> str:
        """The answers as they are now."""
        return self.answers_model.html()

    def text(self) -> str:
        """The answers as they are now."""
        return self.answers_model.text()

    def actions(self) -> Mapping[str, Action]:
        """Stop, Markdown, differences."""
        return self.answers_model.actions()

    def controls(self) -> Sequence[Any]:
        """The same as plain widgets."""
        return [plain_controls(self, self.answers_model)]

    def grown(self) -> None:
        """Sends what is new of the answers; call it on their loop."""
        self.tell("grow", answers=self.answers_model.changes(), **self.answers_model.frame())
        now = time.monotonic()
        if self.is_plain and now - self._last_repaint_s >= PLAIN_S:
            self._last_repaint_s = now
            self.repaint_plain()

    def freeze(self) -> None:
        """Leaves plain html and text where the panel was, and takes the panel away."""
        for output in self.widget_outputs:
            output.frozen()
        self.close()


def plain_controls(panel: Panel, answers_model: AnswersModel) -> Any:
    """Stop, Markdown and differences as plain widgets."""
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
    buttons = ipywidgets.HBox([panel.button("Stop", "stop"), markdown])
    return ipywidgets.VBox([buttons, ipywidgets.HBox([first, second, show_button])])
