"""Tracks answers while they stream: their current cards, and the changes since the last update.

Receives rows and pieces of text with their arrival times. Must not know widgets, the event loop
or the clock.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from ...secret import SHAPED
from ...types import TextDelta
from ..markup import safe_text
from ..rows import Row
from .card import Card, card_of
from .layout import MOST_CARDS

# A key is one word of such characters. Only whole words are sent, so that redaction sees a whole
# key. Masking the stream is not enough: it leaves pieces of keys and short keys in the text, which
# displayed text must not contain. A word that reaches LONGEST is sent in pieces.
LONGEST = 400
_WORD_AT_END = re.compile(rf"[!-~]{{1,{LONGEST}}}\Z")
# A joiner or a variation selector is shown by its code if it joins nothing, which its neighbours
# decide. So the last emoji or letter waits for the next text, with all that is joined to it.
_SHAPING = "\u200c\u200d\ufe0e\ufe0f\u20e3\U000e0020-\U000e007f"
_JOINED_AT_END = re.compile(
    rf"(?:[{SHAPED}]|[#*\d](?=[{_SHAPING}]))(?:[{_SHAPING}]+[{SHAPED}]?)*\Z"
)
LONGEST_JOINED = 64
CHARACTERS_PER_TOKEN = 4  # of English text; the provider reports the count at the end
SHORTEST_S = 0.5  # a rate over a shorter time means nothing
WAITING: Mapping[str, Any] = {"state": "waiting", "mark": "○", "word": "waiting", "tone": "soft"}
WRITING: Mapping[str, Any] = {"state": "writing", "mark": "✎", "word": "writing", "tone": "soft"}


@dataclass(slots=True)
class _Stream:
    """A growing text, its size, and the part that was not sent yet.

    Both are lists: a page may never ask for the text, and adding to one string would copy it for
    each piece.
    """

    parts: list[str] = field(default_factory=list)
    size: int = 0
    unsent_parts: list[str] = field(default_factory=list)

    def add(self, text: str) -> None:
        self.parts.append(text)
        self.size += len(text)
        self.unsent_parts.append(text)

    def whole(self) -> str:
        self.parts = ["".join(self.parts)]
        return self.parts[0]

    def unsent(self) -> str:
        self.unsent_parts = ["".join(self.unsent_parts)]
        return self.unsent_parts[0]

    def new_text(self) -> str:
        """Returns the unsent text up to its last whole word."""
        unsent = self.unsent()
        size = len(unsent)
        match = _WORD_AT_END.search(unsent, max(size - LONGEST, 0))
        cut = match.start() if match and size - match.start() < LONGEST else size
        joined = _JOINED_AT_END.search(unsent, max(cut - LONGEST_JOINED, 0), cut)
        cut = joined.start() if joined else cut
        ready, self.unsent_parts = unsent[:cut], [unsent[cut:]]
        return safe_text(ready) if ready else ""


@dataclass(slots=True)
class _LiveAnswer:
    card: Card
    text: _Stream = field(default_factory=_Stream)
    reasoning: _Stream = field(default_factory=_Stream)
    first_s: float | None = None
    last_s: float = 0.0


class LiveAnswers:
    """The answers of one run; *notes* are caveats for the reader.

    Attributes:
        pause: What the run waits for, such as a pause of a provider; "" for nothing.
    """

    def __init__(self, rows: Sequence[Row], notes: Sequence[str] = ()) -> None:
        self.notes = tuple(notes)
        self.pause = ""
        self._answers: dict[int, _LiveAnswer] = {}
        for row in rows:
            card = card_of(row)
            if not card.error:  # a row may fail while it is planned
                card = replace(card, **WAITING, facts=())
            self._answers[row.row] = _LiveAnswer(card)
        self._changed_rows: set[int] = set()
        self._final: set[int] = set()

    @property
    def left(self) -> int:
        """The number of answers that are not final."""
        return len(self._answers) - len(self._final)

    def grew(self, row: int, delta: TextDelta, at_s: float) -> None:
        """Adds text to an answer; it arrived *at_s* seconds after the start of the run."""
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
        """Replaces an answer by its final row."""
        self._answers[row.row].card = card_of(row)
        self._final.add(row.row)
        self._changed_rows.add(row.row)

    def cards(self) -> list[Card]:
        """Returns the current card of each answer."""
        return [self._now(number) for number in self._answers]

    def state(self, elapsed_s: float = 0.0) -> dict[str, object]:
        """Returns the full state for a new page, and marks all changes as sent.

        From *elapsed_s*, the seconds since the start of the run, the page goes on counting itself.
        """
        for answer in self._answers.values():
            answer.text.new_text()
            answer.reasoning.new_text()
        self._changed_rows.clear()
        return {
            "cards": [self._sendable(number) for number in self._answers],
            "notes": [safe_text(note) for note in self.notes],
            "folded": len(self._answers) > MOST_CARDS,
            "elapsed_s": elapsed_s if self.left else 0.0,
        }

    def changes(self) -> list[Mapping[str, object]]:
        """Returns the changes since the last call: added text, or the whole card if final."""
        numbers, self._changed_rows = sorted(self._changed_rows), set()
        return [self._change(number) for number in numbers]

    def _change(self, number: int) -> Mapping[str, object]:
        answer = self._answers[number]
        if number not in self._final:
            texts = {"add": answer.text.new_text(), "think": answer.reasoning.new_text()}
            added = {name: text for name, text in texts.items() if text}
            return {"row": number, **added, "facts": list(_pace(answer)), "last_s": answer.last_s}
        # The final card repeats its text only if it differs from the streamed text.
        card = answer.card.plain()
        for name, stream in (("text", answer.text), ("reasoning", answer.reasoning)):
            if getattr(answer.card, name) == stream.whole():
                card[f"{name}_end"] = safe_text(stream.unsent())
                del card[name]
            stream.unsent_parts = []
        return {"row": number, "card": card}

    def _sendable(self, number: int) -> dict[str, object]:
        answer, card = self._answers[number], self._now(number)
        if number in self._final:
            return card.plain()
        text = card.text.removesuffix(answer.text.unsent())
        reasoning = card.reasoning.removesuffix(answer.reasoning.unsent())
        card = replace(card, text=text, reasoning=reasoning)
        return {**card.plain(), "last_s": answer.last_s}

    def _now(self, number: int) -> Card:
        answer = self._answers[number]
        if number in self._final or answer.first_s is None:
            return answer.card
        text, reasoning = answer.text.whole(), answer.reasoning.whole()
        return replace(answer.card, **WRITING, text=text, reasoning=reasoning, facts=_pace(answer))


def _pace(answer: _LiveAnswer) -> tuple[str, ...]:
    """Returns times and speed before the end; estimated counts are marked with ≈."""
    first = answer.first_s or 0.0
    tokens = (answer.text.size + answer.reasoning.size) / CHARACTERS_PER_TOKEN
    span = answer.last_s - first
    rate = f" at ≈ {tokens / span:.0f}/s" if span >= SHORTEST_S else ""
    kind = "reasoning" if answer.reasoning.size else "text" if answer.text.size else "chunk"
    return (f"first {kind} ≈ {first:.2f} s", f"≈ {tokens:,.0f} tokens{rate}")
