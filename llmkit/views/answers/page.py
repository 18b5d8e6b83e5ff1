"""Defines what a view of a run shows, for HTML and text alike."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from ...types import Completion, Status
from ..rows import Row
from .card import Card, card_of
from .matrix import LONGEST_PROMPT, Matrix, matrix_of
from .place import place_of
from .summary import ModelSummary, duration_words, head_parts, summaries, total


@dataclass(frozen=True, slots=True)
class AnswersPage:
    """What a view of a run shows.

    Attributes:
        card: Returns the card of the answer at a position.
        head: How many answers there are and how they ended, in one line; "" for a single answer.
        models: The summary of each model; empty if it says no more than the cards.
        failed: The positions of the final answers that are failures.
        where: How to get all answers in Python; "" for not at all.
        is_early: True if the run goes on, so that a stored page lacks what comes later.
        rendered: The HTML of final answers by position and place, kept for the next rendering.
    """

    matrix: Matrix
    card: Callable[[int], Card]
    head: str = ""
    models: Sequence[ModelSummary] = ()
    failed: Sequence[int] = ()
    notes: Sequence[str] = ()
    where: str = ""
    is_early: bool = False
    rendered: dict[tuple[int, str], str] = field(default_factory=dict)

    def place_of(self, number: int) -> str:
        """Returns how to get one answer in Python; "" for not at all."""
        if " " in self.where:
            return f"row {number} of {self.where}"
        return f"{self.where}[{number}]" if self.where else ""


def page_of(
    rows: Sequence[Row], notes: Sequence[str] = (), where: str = "", *, is_whole: bool = False
) -> AnswersPage:
    """Returns the page of final rows; *is_whole* cuts no prompt."""
    longest = None if is_whole else LONGEST_PROMPT
    matrix = matrix_of([place_of(row) for row in rows], longest=longest)
    cards: dict[int, Card] = {}

    def card(number: int) -> Card:
        if number not in cards:
            cards[number] = card_of(rows[number])
        return cards[number]

    found = summaries(rows)
    failed = [n for n, row in enumerate(rows) if is_failure(row.completion)]
    return AnswersPage(
        matrix, card, head_of(total(rows), _span_s(rows)), useful(found, len(rows)), failed,
        notes, where,
    )  # fmt: skip


def is_failure(answer: Completion) -> bool:
    """Returns True for an answer that is not ok, unless it was cancelled before any text came."""
    return not answer.status.is_ok and (answer.status is not Status.CANCELLED or bool(answer.text))


def head_of(found: ModelSummary, seconds: float | None) -> str:
    """Returns the head line of a run that has ended; "" for a single answer."""
    if found.answers < 2:
        return ""
    time = [] if seconds is None else [duration_words(seconds)]
    return " · ".join([f"{found.answers:,} answers", *head_parts(found), *time])


def useful(found: Sequence[ModelSummary], answers: int) -> Sequence[ModelSummary]:
    """Returns the summaries, or nothing if each model has one answer, which says as much."""
    return found if answers > len(found) else ()


def folded(page: AnswersPage, numbers: Iterable[int]) -> tuple[list[int], str]:
    """Returns the answers to show, and one line for those that were cancelled without a text."""
    numbers = list(numbers)
    cards = {n: page.card(n) for n in numbers}
    idle = [n for n, card in cards.items() if card.state == Status.CANCELLED and not card.text]
    if len(idle) < 2:
        return numbers, ""
    models = Counter(cards[n].name for n in idle)
    names = ", ".join(f"{count:,} of {name}" for name, count in models.items())
    return [n for n in numbers if n not in set(idle)], (
        f"■ {len(idle):,} answers were cancelled before any text came: {names}"
    )


def _span_s(rows: Sequence[Row]) -> float | None:
    """Returns the seconds from the first request to the last answer; None if it is not known."""
    times = [
        (row.completion.started_at.timestamp(), row.completion.duration_s)
        for row in rows
        if row.completion.started_at is not None and row.completion.duration_s is not None
    ]
    return max(a + b for a, b in times) - min(a for a, _ in times) if times else None
