"""Holds the state of the answers of one run on a page, and the actions of the user on them."""

from __future__ import annotations

import logging
import time
import uuid
from collections.abc import Callable, Sequence
from typing import Any

from ...cell import ready_soon
from ...comparison.watchers import Stop
from ...errors import ConfigError
from ...secret import without_locals
from ...views.answers.diff import Differences
from ...views.answers.layout import page_html
from ...views.answers.markdown import MarkdownStream
from ...views.answers.markdown_blocks import prepare
from ...views.answers.page import AnswersPage
from ...views.answers.streaming import MOST_CHANGES, LiveAnswers
from ...views.answers.terminal import MOST_IN_TEXT, page_text
from ...views.markup import safe_text

log = logging.getLogger(__name__)

AT_ONCE = 20
LONGEST_S = 0.03  # for which making one message may hold up the event loop
MOST_RENDERED = 24  # answers that a page shows whole at a time


class AnswersModel:
    """The answers of a run, with the user's choice of Markdown and of two answers to compare.

    *elapsed_s* returns the seconds since the start of the run; they count until it ends.

    Attributes:
        answers: The answers.
        markdown: False shows the text of the answers as written.
        where: How to get at all answers in Python, such as "llmkit.last".
    """

    def __init__(
        self,
        answers: LiveAnswers,
        stop: Stop,
        elapsed_s: Callable[[], float] = lambda: 0.0,
        where: str = "llmkit.last",
    ) -> None:
        self.answers = answers
        self.markdown = True
        self.where = where
        self._id = uuid.uuid4().hex[:8]  # a page keeps the cards of one id only
        self._stop = stop
        self._elapsed_s = elapsed_s
        self._stopped_count: int | None = None  # of the answers when the user stopped them
        self._pair: tuple[int, int] | None = None
        self._found: tuple[object, Differences] | None = None  # for a pair and its texts
        self._streams: dict[int, MarkdownStream] = {}  # of the answers that the page shows whole

    def actions(self) -> dict[str, Any]:
        return {
            "stop": self._halt, "markdown": self._render, "differ": self._differ,
            "whole": self._whole, "render": self._show,
        }  # fmt: skip

    def state(self) -> dict[str, object]:
        """Returns the state for the scripts, without the answers, which are changes."""
        return {
            **self.answers.outline(), **self.progress(), "where": self.where,
            "markdown": self.markdown, "id": self._id, "differences": self._differences(),
            "stopping": self._stopped_count == len(self.answers),  # more were asked since if not
        }  # fmt: skip

    def greeted(self) -> None:
        """Makes `changes` return all answers, because a page has none."""
        self._streams.clear()
        self.answers.resend()

    def progress(self) -> dict[str, object]:
        """Returns the numbers of the run."""
        return self.answers.progress(self._elapsed_s())

    def changes(self) -> list[dict[str, object]]:
        """Returns changes of the answers since the last call; `answers.has_changes` tells if more
        are to come.
        """
        changes: list[dict[str, object]] = []
        end = time.monotonic() + LONGEST_S
        while len(changes) < MOST_CHANGES and self.answers.has_changes and time.monotonic() < end:
            for change in self.answers.changes(1 if self._streams else AT_ONCE):
                number = change["row"]
                if number in self._streams and self.markdown:
                    change |= self._blocks(number)
                changes.append(change)
        return changes

    def html(self) -> str:
        """Returns the answers and the selected differences."""
        html = page_html(self._page(), markdown=self.markdown)
        if self._pair is not None:
            html += self._diff(self._pair)._repr_html_()
        return html

    def text(self) -> str:
        """Returns the answers for a terminal."""
        return page_text(self._page(), most=MOST_IN_TEXT)

    def words(self) -> dict[str, str]:
        """Returns the answers as a MIME bundle of HTML and text."""
        return {"text/html": self.html(), "text/plain": self.text()}

    def _page(self) -> AnswersPage:
        return self.answers.page(self._elapsed_s(), where=self.where, as_of=time.strftime("%H:%M"))

    async def _halt(self, row: int | None = None) -> None:
        if row is None:
            self._stopped_count = len(self.answers)
        self._stop(row)

    async def _render(self, on: bool) -> None:
        self.markdown = on
        self.answers.forget_rendered()
        self._streams = {row: MarkdownStream() for row in self._streams}
        self.answers.mark(self._streams)

    async def _whole(self, row: int) -> None:
        self._check(row)
        self.answers.whole(row)

    async def _show(self, rows: Sequence[int]) -> None:
        """Notes which answers the page shows whole, and sends the Markdown of new ones."""
        await ready_soon("Markdown", prepare)
        wanted = [row for row in rows[:MOST_RENDERED] if row in range(len(self.answers))]
        self.answers.mark(row for row in wanted if row not in self._streams)
        self._streams = {row: self._streams.get(row) or MarkdownStream() for row in wanted}

    async def _differ(self, first: int | None = None, second: int | None = None) -> None:
        if first is None or second is None:
            self._pair = None
            return
        if first == second:
            raise ConfigError("choose two different answers")
        self._check(first)
        self._check(second)
        self._pair = (first, second)

    def _check(self, row: object) -> None:
        if row not in range(len(self.answers)):
            raise ConfigError(f"answer {row!r} does not exist")

    def _blocks(self, number: int) -> dict[str, object]:
        text, final = self.answers.text_of(number), self.answers.is_final(number)
        try:
            keep, blocks = self._streams[number].update(text, final=final)
        except Exception as error:  # an answer is shown, whatever a renderer makes of it
            log.exception("an answer is shown as written", exc_info=without_locals(error))
            return {}
        return {"keep": keep, "blocks": blocks}

    def _diff(self, pair: tuple[int, int]) -> Differences:
        texts = tuple(self.answers.card(number).text for number in pair)
        if self._found is None or self._found[0] != (pair, texts):
            names = self.answers.matrix.names_of(*pair)
            self._found = (pair, texts), Differences(names, *texts)
        return self._found[1]

    def _differences(self) -> dict[str, object] | None:
        if self._pair is None:
            return None
        found = self._diff(self._pair)
        return {
            "first": self._pair[0], "second": self._pair[1], "equal": found.is_equal,
            "names": [safe_text(name) for name in found.names],
            "pieces": [[piece.kind, safe_text(piece.text)] for piece in found.pieces],
        }  # fmt: skip
