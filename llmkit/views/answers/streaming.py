"""Answers that are still being written: what they are now, and what is new of them.

Pure: rows and pieces of text come in with the time at which they came, cards and small changes
go out. Nobody here knows a widget, a loop or a clock.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from ...types import Row, TextDelta
from ..markup import safe_text
from .card import Card, card_of
from .layout import MOST_CARDS

# A key is one word of such characters: a word goes out when it is whole, so that what takes keys
# out of text sees all of one. That a stream is masked as it comes does not do: there a piece of a
# key stays, and so does a short key, which shown text must not have. A "word" this long is none.
LONGEST = 400
_WORD_AT_END = re.compile(rf"[!-~]{{1,{LONGEST}}}\Z")
CHARACTERS_PER_TOKEN = 4  # of English text; the true count comes with the end of an answer
SHORTEST_S = 0.5  # a rate over less says nothing


@dataclass(slots=True)
class _Stream:
    """One text that grows: how much of it there is, and what waits to be sent."""

    parts: list[str] = field(default_factory=list)
    size: int = 0
    unsent: str = ""

    def add(self, text: str) -> None:
        self.parts.append(text)
        self.size += len(text)
        self.unsent += text

    def whole(self) -> str:
        self.parts = ["".join(self.parts)]
        return self.parts[0]

    def new_text(self) -> str:
        """What can be sent now; a word that has only begun stays."""
        size = len(self.unsent)
        match = _WORD_AT_END.search(self.unsent, max(size - LONGEST, 0))
        cut = match.start() if match and size - match.start() < LONGEST else size
        ready, self.unsent = self.unsent[:cut], self.unsent[cut:]
        return safe_text(ready) if ready else ""


@dataclass(slots=True)
class _LiveAnswer:
    card: Card
    text: _Stream = field(default_factory=_Stream)
    reasoning: _Stream = field(default_factory=_Stream)
    first_s: float | None = None
    last_s: float = 0.0


class LiveAnswers:
    """The answers of one run.

    Attributes:
        notes: What a reader must know before comparing.
    """

    def __init__(self, rows: Sequence[Row], notes: Sequence[str] = ()) -> None:
        self.notes = tuple(notes)
        self._answers: dict[int, _LiveAnswer] = {}
        for row in rows:
            card = card_of(row)
            if not card.error:  # an error is known before anything is sent
                card = replace(
                    card, state="waiting", mark="○", word="waiting", tone="soft", facts=()
                )
            self._answers[row.row] = _LiveAnswer(card)
        self._changed_rows: set[int] = set()
        self._final: set[int] = set()

    @property
    def left(self) -> int:
        """How many are not final."""
        return len(self._answers) - len(self._final)

    def grew(self, row: int, delta: TextDelta, at_s: float) -> None:
        """More text of one answer came, *at_s* seconds after the beginning."""
        answer = self._answers[row]
        if answer.first_s is None:
            answer.first_s = at_s
        answer.last_s = at_s
        if delta.text:
            answer.text.add(delta.text)
        if delta.reasoning:
            answer.reasoning.add(delta.reasoning)
        self._changed_rows.add(row)

    def finished(self, row: Row) -> None:
        """One answer is final."""
        self._answers[row.row].card = card_of(row)
        self._final.add(row.row)
        self._changed_rows.add(row.row)

    def cards(self) -> list[Card]:
        """All answers as they are now."""
        return [self._now(number) for number in self._answers]

    def state(self) -> dict[str, object]:
        """All of it, for a page that knows nothing yet. What it holds is new no more."""
        for answer in self._answers.values():
            answer.text.new_text()
            answer.reasoning.new_text()
        self._changed_rows.clear()
        return {
            "cards": [self._sendable(number) for number in self._answers],
            "notes": [safe_text(note) for note in self.notes],
            "folded": len(self._answers) > MOST_CARDS,
        }

    def changes(self) -> list[Mapping[str, object]]:
        """What is new since the last time: text that was added, or a whole card at its end."""
        numbers, self._changed_rows = sorted(self._changed_rows), set()
        return [self._change(number) for number in numbers]

    def _change(self, number: int) -> Mapping[str, object]:
        answer = self._answers[number]
        if number not in self._final:
            change = {
                "row": number,
                "add": answer.text.new_text(),
                "think": answer.reasoning.new_text(),
            }
            return {k: v for k, v in change.items() if v != ""} | {"facts": list(_pace(answer))}
        # The final card has its text only where it is not what was sent piece by piece.
        card = answer.card.plain()
        for name, stream in (("text", answer.text), ("reasoning", answer.reasoning)):
            if getattr(answer.card, name) == stream.whole():
                card[f"{name}_end"] = safe_text(stream.unsent)
                del card[name]
            stream.unsent = ""
        return {"row": number, "card": card}

    def _sendable(self, number: int) -> dict[str, object]:
        answer, card = self._answers[number], self._now(number)
        if number not in self._final:
            lengths = (len(answer.text.unsent), len(answer.reasoning.unsent))
            card = replace(
                card,
                text=card.text[: len(card.text) - lengths[0]],
                reasoning=card.reasoning[: len(card.reasoning) - lengths[1]],
            )
        return card.plain()

    def _now(self, number: int) -> Card:
        answer = self._answers[number]
        if number in self._final or answer.first_s is None:
            return answer.card
        return replace(
            answer.card,
            state="writing",
            mark="✎",
            word="writing",
            tone="soft",
            text=answer.text.whole(),
            reasoning=answer.reasoning.whole(),
            facts=_pace(answer),
        )


def _pace(answer: _LiveAnswer) -> tuple[str, ...]:
    """What can be told before the end; counts are estimates and marked as such."""
    first = answer.first_s or 0.0
    facts = [f"first text ≈ {first:.2f} s"]
    tokens = (answer.text.size + answer.reasoning.size) / CHARACTERS_PER_TOKEN
    span = answer.last_s - first
    rate = f" at ≈ {tokens / span:.0f}/s" if span >= SHORTEST_S else ""
    facts.append(f"≈ {tokens:,.0f} tokens{rate}")
    return tuple(facts)
