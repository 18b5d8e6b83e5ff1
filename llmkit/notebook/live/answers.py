"""Holds the state of the answers of one run on a page, and the actions of the user on them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ...comparison.watchers import Stop
from ...errors import ConfigError
from ...views.answers.diff import Differences, differences
from ...views.answers.layout import as_written, cards_html, cards_text
from ...views.answers.markdown import markdown_html
from ...views.answers.streaming import LiveAnswers
from ...views.markup import safe_text


class AnswersModel:
    """The answers of a run, with the user's choice of Markdown and of two answers to compare.

    *elapsed_s* returns the seconds since the start of the run.

    Attributes:
        answers: The answers.
        markdown: True renders their Markdown, sanitised.
    """

    def __init__(
        self, answers: LiveAnswers, stop: Stop, elapsed_s: Callable[[], float] = lambda: 0.0
    ) -> None:
        self.answers = answers
        self.markdown = False
        self._stop = stop
        self._elapsed_s = elapsed_s
        self._is_stopping = False
        self._pair: tuple[int, int] | None = None

    def actions(self) -> dict[str, Any]:
        return {"stop": self._halt, "markdown": self._render, "differ": self._differ}

    def state(self) -> dict[str, object]:
        """Returns the full state for the scripts."""
        state = self.answers.state(self._elapsed_s())
        for card in state["cards"]:  # type: ignore[attr-defined]  # a list of dicts
            self._add_markup(card)
        page = {"markdown": self.markdown, "differences": self._differences()}
        return {**state, **self.progress(), **page}

    def progress(self) -> dict[str, object]:
        """Returns the unfinished answers, whether the user stopped the run, and a pause."""
        pause = safe_text(self.answers.pause)
        return {"left": self.answers.left, "stopping": self._is_stopping, "pause": pause}

    def changes(self) -> list[Mapping[str, object]]:
        """Returns the changes of the answers since the last call."""
        changes = self.answers.changes()
        for change in changes:
            card = change.get("card")
            if isinstance(card, dict):
                self._add_markup(card)
        return changes

    def html(self) -> str:
        """Returns the answers and the selected differences."""

        def render(text: str) -> str:
            return f'<div class="lk-answer">{markdown_html(text)}</div>'

        write = render if self.markdown else as_written
        html = cards_html(self.answers.cards(), notes=self._notes(), written=write)
        if self._pair is not None:
            first, second = map(self._card, self._pair)
            names = (first.name, second.name)
            html += Differences(names, first.text, second.text)._repr_html_()
        return html

    def text(self) -> str:
        """Returns the answers for a terminal."""
        return cards_text(self.answers.cards(), notes=self._notes())

    def words(self) -> dict[str, str]:
        """Returns the answers as a MIME bundle of HTML and text."""
        return {"text/html": self.html(), "text/plain": self.text()}

    def _notes(self) -> tuple[str, ...]:
        pause = (self.answers.pause,) if self.answers.pause else ()
        return (*self.answers.notes, *pause)

    async def _halt(self, row: int | None = None) -> None:
        self._is_stopping = self._is_stopping or row is None
        self._stop(row)

    async def _render(self, on: bool) -> None:
        if on:
            markdown_html("")  # raises if the extra is not installed
        self.markdown = on

    async def _differ(self, first: int | None = None, second: int | None = None) -> None:
        if first is None or second is None:
            self._pair = None
        elif first == second:
            raise ConfigError("choose two different answers")
        else:
            self._pair = (first, second)

    def _add_markup(self, card: dict[str, object]) -> None:
        if self.markdown and card["state"] not in ("waiting", "writing"):
            card["markup"] = markdown_html(self._card(card["row"]).text)

    def _card(self, row: object) -> Any:
        card = next((card for card in self.answers.cards() if card.row == row), None)
        if card is None:
            raise ConfigError(f"answer {row!r} does not exist")
        return card

    def _differences(self) -> dict[str, object] | None:
        if self._pair is None:
            return None
        first, second = map(self._card, self._pair)
        names = [safe_text(first.name), safe_text(second.name)]
        pieces = [[piece.kind, piece.text] for piece in differences(first.text, second.text)]
        return {"first": first.row, "second": second.row, "names": names, "pieces": pieces}
