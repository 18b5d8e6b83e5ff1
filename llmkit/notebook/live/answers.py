"""The answers of one run as a page shows them, and what a user can do with them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ...errors import ConfigError
from ...views.answers.diff import Differences, differences
from ...views.answers.layout import as_written, cards_html, cards_text
from ...views.answers.markdown import markdown_html
from ...views.answers.streaming import LiveAnswers
from ...views.markup import safe_text


class AnswersModel:
    """A run's answers, whether their Markdown is rendered, and which two are laid side by side.

    Attributes:
        answers: The answers.
        markdown: True renders their Markdown, sanitised.
    """

    def __init__(self, answers: LiveAnswers, stop: Callable[[], None]) -> None:
        self.answers = answers
        self.markdown = False
        self._stop = stop
        self._is_stopping = False
        self._pair: tuple[int, int] | None = None

    def actions(self) -> dict[str, Any]:
        """What a page may ask for."""
        return {"stop": self._halt, "markdown": self._render, "differ": self._differ}

    def state(self) -> dict[str, object]:
        """All that the scripts need."""
        state = self.answers.state()
        for card in state["cards"]:  # type: ignore[attr-defined]  # it is our own list of dicts
            self._dress(card)
        return {
            **state,
            **self.frame(),
            "markdown": self.markdown,
            "differences": self._differences(),
        }

    def frame(self) -> dict[str, object]:
        """What is said of the run as a whole."""
        return {"left": self.answers.left, "stopping": self._is_stopping}

    def changes(self) -> list[Mapping[str, object]]:
        """What is new of the answers since the last time."""
        changes = self.answers.changes()
        for change in changes:
            card = change.get("card")
            if isinstance(card, dict):
                self._dress(card)
        return changes

    def html(self) -> str:
        """The answers as they are now, with the differences that were asked for."""

        def render(text: str) -> str:
            return f'<div class="lk-answer">{markdown_html(text)}</div>'

        write = render if self.markdown else as_written
        html = cards_html(self.answers.cards(), notes=self.answers.notes, written=write)
        if self._pair is not None:
            first, second = map(self._card, self._pair)
            names = (first.name, second.name)
            html += Differences(names, first.text, second.text)._repr_html_()
        return html

    def text(self) -> str:
        """The same for a terminal."""
        return cards_text(self.answers.cards(), notes=self.answers.notes)

    def words(self) -> dict[str, str]:
        """Both."""
        return {"text/html": self.html(), "text/plain": self.text()}

    async def _halt(self) -> None:
        self._is_stopping = True
        self._stop()

    async def _render(self, on: bool) -> None:
        if on:
            markdown_html("")  # says what to install, where it must be
        self.markdown = on

    async def _differ(self, first: int | None = None, second: int | None = None) -> None:
        if first is None or second is None:
            self._pair = None
        elif first == second:
            raise ConfigError("choose two different answers")
        else:
            self._pair = (first, second)

    def _dress(self, card: dict[str, object]) -> None:
        if self.markdown and card["state"] not in ("waiting", "writing"):
            card["markup"] = markdown_html(self._card(card["row"]).text)

    def _card(self, row: object) -> Any:
        card = next((card for card in self.answers.cards() if card.row == row), None)
        if card is None:
            raise ConfigError(f"there is no answer {row!r} here")
        return card

    def _differences(self) -> dict[str, object] | None:
        if self._pair is None:
            return None
        first, second = map(self._card, self._pair)
        return {
            "first": self._pair[0],
            "second": self._pair[1],
            "names": [safe_text(first.name), safe_text(second.name)],
            "pieces": [[p.kind, p.text] for p in differences(first.text, second.text)],
        }
