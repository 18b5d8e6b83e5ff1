"""Shows the answers of a run while they stream and after it, with a button that stops it."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import ipywidgets

from ..key_prompt import set_key
from ..live.answers import AnswersModel
from .base import PLAIN_S, Action, Panel

if TYPE_CHECKING:
    from ...kit import Kit


MOST_NAMES = 200  # in a list of the plain widgets
GROW_S = 0.15  # shortest time between two messages with changes


class AnswersPanel(Panel):
    """The answers of one run, or of all asks of a cell."""

    script = "live.js"

    def __init__(self, kit: Kit, answers_model: AnswersModel) -> None:
        self.answers_model = answers_model
        self._last_repaint_s = self._next_message_s = 0.0
        self._is_growth_planned = self._is_extended = False
        super().__init__(kit)

    def state(self) -> Mapping[str, object]:
        return self.answers_model.state()

    def html(self) -> str:
        return self.answers_model.html()

    def text(self) -> str:
        return self.answers_model.text()

    def actions(self) -> Mapping[str, Action]:
        return {**self.answers_model.actions(), "key": partial(set_key, self.kit)}

    def controls(self) -> Sequence[Any]:
        return [plain_controls(self, self.answers_model)]

    def lasting(self, state: Mapping[str, object]) -> Mapping[str, object]:
        progress = self.answers_model.progress()
        return {name: value for name, value in state.items() if name not in progress}

    def page_is_empty(self) -> None:
        self.answers_model.greeted()
        self.queue.later(0.0, self.grown)  # after the state

    def extended(self) -> None:
        """Sends the places of further answers, before the answers themselves."""
        self._is_extended = True
        self.grown()

    def grown(self) -> None:
        """Sends the changes of the answers, at most once in `GROW_S`."""
        if not self._is_growth_planned:
            self._is_growth_planned = True
            self.queue.soon(self._plan_growth)

    def _plan_growth(self) -> None:
        self.queue.later(max(self._next_message_s - time.monotonic(), 0.0), self._grow)

    def _grow(self) -> None:
        self._is_growth_planned = False
        now = time.monotonic()
        self._next_message_s = now + GROW_S
        if self._is_extended:
            self._is_extended = False
            self._next_message_s += GROW_S  # for the second message
            self._paint()
        model = self.answers_model
        self.tell("grow", answers=model.changes(), **model.progress())
        if model.answers.has_changes:  # more than one message takes
            self.grown()
        if self.is_plain and (now - self._last_repaint_s >= PLAIN_S or not model.answers.left):
            self._last_repaint_s = now
            self.repaint_plain()

    def _paint(self) -> None:
        super()._paint()
        if self.answers_model.answers.has_changes:  # an action has asked for them
            self.grown()


def plain_controls(panel: Panel, answers_model: AnswersModel) -> Any:
    """Returns the controls for Stop, Markdown and differences as plain widgets."""
    first_ones = range(min(len(answers_model.answers), MOST_NAMES))
    names = [(f"{n}: {answers_model.answers.matrix.name_of(n)}", n) for n in first_ones]
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
