"""Tracks answers while they stream: their current cards, and the changes since the last update.

Receives rows and pieces of text with their arrival times. Must not know widgets, the event loop
or the clock.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Any

from ...secret import SHAPED
from ...types import Status, TextDelta
from ..markup import beginning, safe_text
from ..rows import Row
from .card import Card, card_of
from .matrix import Matrix, matrix_of
from .page import AnswersPage, head_of, is_failure, useful
from .place import Place
from .summary import ModelSummary, Tally, duration_words, head_parts, summary_table

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
MOST_CHANGES = 300  # in one message to a page
# Characters of an answer that a page receives until it asks for the rest, and of all answers.
LEAST, MOST, MOST_IN_ALL = 2_000, 20_000, 20_000_000
FEWEST_DONE = 3  # the time that is left is estimated from this many answers on
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

    def end(self, text: str, *, was_sent: bool) -> None:
        """Keeps no second copy of the final text."""
        if not was_sent:
            self.parts, self.size, self.unsent_parts = [], 0, []
        elif self.whole() == text:
            self.parts = [text]

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
    """An answer that waits, streams or is final.

    Attributes:
        row: The final row, None before the end.
        is_new: True if no page has its card, so that the next change sends it whole.
        is_whole: True if a page asked for all its text.
    """

    text: _Stream = field(default_factory=_Stream)
    reasoning: _Stream = field(default_factory=_Stream)
    first_s: float | None = None
    last_s: float = 0.0
    row: Row | None = None
    card: Card | None = None
    is_new: bool = False
    is_whole: bool = False


class LiveAnswers:
    """The answers of one run, whose places are known; *notes* are caveats for the reader.

    Attributes:
        pause: What the run waits for, such as a pause of a provider; "" for nothing.
        stopped: The sentence about a stop, which is the head from then on; "" for none.
    """

    def __init__(self, places: Sequence[Place], notes: Sequence[str] = ()) -> None:
        self.notes = tuple(notes)
        self.pause = ""
        self.stopped = ""
        self._places = list(places)
        self._matrix: Matrix | None = None
        self._answers: dict[int, _LiveAnswer] = {}  # those that do not wait
        self._changed: dict[int, None] = {}  # in the order of the changes
        self._final_count = 0
        self._failed: list[int] = []
        self._all = Tally()
        self._by_model: dict[str, Tally] = {}
        self._models: Sequence[ModelSummary] | None = None
        self._rendered: dict[tuple[int, str], str] = {}

    def extend(self, places: Iterable[Place], notes: Iterable[str] = ()) -> None:
        """Adds places of further answers, which follow the others, and notes that are new."""
        self._places += places
        self.notes = tuple(dict.fromkeys((*self.notes, *notes)))
        self._matrix = None
        self._rendered.clear()  # what distinguishes the other answers may have changed

    def __len__(self) -> int:
        return len(self._places)

    @property
    def left(self) -> int:
        """The number of answers that are not final."""
        return len(self._places) - self._final_count

    @property
    def has_changes(self) -> bool:
        """True if `changes` returns something."""
        return bool(self._changed)

    @property
    def matrix(self) -> Matrix:
        """The arrangement of the answers."""
        if self._matrix is None:
            self._matrix = matrix_of(self._places)
        return self._matrix

    def grew(self, row: int, delta: TextDelta, at_s: float) -> None:
        """Adds text to an answer; it arrived *at_s* seconds after the start of the run."""
        answer = self._answers.get(row)
        if answer is None:
            answer = self._answers[row] = _LiveAnswer(is_new=True)
        if answer.first_s is None:
            answer.first_s = at_s
        answer.last_s = at_s
        if delta.text:
            answer.text.add(delta.text)
        if delta.reasoning:
            answer.reasoning.add(delta.reasoning)
        self._changed[row] = None

    def finished(self, row: Row) -> None:
        """Replaces an answer by its final row."""
        answer = self._answers.setdefault(row.row, _LiveAnswer(is_new=True))
        if answer.row is None:
            self._final_count += 1
            if is_failure(row.completion):
                self._failed.append(row.row)
        answer.row, answer.card = row, None
        for stream, text in ((answer.text, row.completion.text),
                             (answer.reasoning, row.completion.reasoning)):  # fmt: skip
            stream.end(text, was_sent=not answer.is_new)
        self._changed[row.row] = None
        label = self._places[row.row].label
        self._all.add(row)
        self._by_model.setdefault(label, Tally(label)).add(row)
        self._models = None

    def resend(self) -> None:
        """Makes `changes` return all answers again, for a page that has none."""
        for number, answer in self._answers.items():
            answer.is_new = True
            self._changed[number] = None

    def whole(self, row: int) -> None:
        """Makes `changes` return all text of an answer."""
        answer = self._answers[row]
        answer.is_new = answer.is_whole = True
        self._changed[row] = None

    def mark(self, rows: Iterable[int]) -> None:
        """Makes `changes` return these answers, as far as they do not wait."""
        for row in rows:
            if row in self._answers:
                self._changed[row] = None

    def outline(self) -> dict[str, object]:
        """Returns the structure of the view, without the answers."""
        matrix = self.matrix
        return {
            "prompts": [{"text": text, "more": more} for text, more in matrix.prompts],
            "models": matrix.models, "points": matrix.points, "rows": matrix.places,
            "shared": matrix.shared, "notes": [safe_text(note) for note in self.notes],
        }  # fmt: skip

    def progress(self, elapsed_s: float) -> dict[str, object]:
        """Returns the numbers of the run, *elapsed_s* seconds after its start."""
        models = self._summaries()
        columns, lines = summary_table(models)
        table = {"columns": columns, "lines": [list(map(safe_text, line)) for line in lines]}
        return {
            "left": self.left, "pause": safe_text(self.pause), "elapsed_s": elapsed_s,
            "head": safe_text(self.head(elapsed_s)), "summary": table if models else None,
        }  # fmt: skip

    def head(self, elapsed_s: float) -> str:
        """Returns how many answers there are, how they ended, and the time that is left."""
        found = self._all.summary()
        if self.stopped:
            return " · ".join(
                [self.stopped.rstrip("."), *head_parts(found), duration_words(elapsed_s)]
            )
        if not self.left:
            return head_of(found, elapsed_s)
        if len(self) < 2:
            return ""
        parts = [f"{self._final_count:,} of {len(self):,} answers", *head_parts(found)]
        if self._final_count >= FEWEST_DONE and elapsed_s > SHORTEST_S:
            seconds = elapsed_s / self._final_count * self.left
            parts.append(f"about {_roughly(seconds)} left")
        return " · ".join(parts)

    def page(self, elapsed_s: float, *, where: str = "", as_of: str = "") -> AnswersPage:
        """Returns the current page, for HTML and text; *as_of* is the time of day."""
        notes = (*self.notes, self.pause) if self.pause else self.notes
        is_early = bool(as_of) and self.left > 0
        head = self._early_head(as_of, where) if is_early else self.head(elapsed_s)
        return AnswersPage(
            self.matrix, self.card, head, self._summaries(), sorted(self._failed), notes, where,
            is_early, self._rendered,
        )  # fmt: skip

    def _early_head(self, as_of: str, where: str) -> str:
        """Returns the head of a page that is stored while the run goes on."""
        done = f"as of {as_of}, {self._final_count:,} of {len(self):,} answers"
        rest = f"; what came later is in {where}" if where else ""
        return " · ".join([done, *head_parts(self._all.summary())]) + rest

    def forget_rendered(self) -> None:
        """Drops the kept HTML, because it is to be rendered in another way."""
        self._rendered.clear()

    def changes(self, most: int = MOST_CHANGES) -> list[dict[str, object]]:
        """Returns at most *most* changes: added text, or a whole card."""
        numbers = list(islice(self._changed, most))
        for number in numbers:
            del self._changed[number]
        return [self._change(number) for number in numbers]

    def card(self, number: int) -> Card:
        """Returns the current card of an answer."""
        answer = self._answers.get(number)
        name = self._places[number].label
        if answer is None:
            return replace(_EMPTY, name=name, **WAITING)
        if answer.row is not None:
            if answer.card is None:
                answer.card = card_of(answer.row)
            return answer.card
        text, reasoning = answer.text.whole(), answer.reasoning.whole()
        return replace(
            _EMPTY, name=name, text=text, reasoning=reasoning, facts=_pace(answer), **WRITING
        )

    def ends(self) -> dict[int, Status]:
        """Returns the status of each answer that has ended, by position."""
        return {
            number: answer.row.completion.status
            for number, answer in self._answers.items()
            if answer.row is not None
        }

    def is_final(self, number: int) -> bool:
        """Returns True if an answer has ended."""
        answer = self._answers.get(number)
        return answer is not None and answer.row is not None

    def text_of(self, number: int) -> str:
        """Returns the text of an answer that a page has: whole words, not masked yet."""
        answer = self._answers[number]
        text = self.card(number).text
        if answer.row is None:
            return text.removesuffix(answer.text.unsent())
        return beginning(text, None if answer.is_whole else self._cap())

    def _summaries(self) -> Sequence[ModelSummary]:
        if self._models is None:
            found = [tally.summary() for tally in self._by_model.values()]
            order = {label: n for n, label in enumerate(self.matrix.models)}
            found.sort(key=lambda one: order.get(safe_text(one.label), 0))
            self._models = useful(found, len(self)) if len(self) > len(self.matrix.models) else ()
        return self._models

    def _cap(self) -> int:
        return max(LEAST, min(MOST, MOST_IN_ALL // max(len(self), 1)))

    def _change(self, number: int) -> dict[str, object]:
        answer = self._answers[number]
        if answer.row is None and not answer.is_new:
            texts = {"add": answer.text.new_text(), "think": answer.reasoning.new_text()}
            added = {name: text for name, text in texts.items() if text}
            return {"row": number, **added, "facts": list(_pace(answer)), "last_s": answer.last_s}
        streams = {"text": answer.text, "reasoning": answer.reasoning}
        is_new, answer.is_new = answer.is_new, False
        if answer.row is None:
            for stream in streams.values():
                stream.new_text()
            text, reasoning = (stream.whole().removesuffix(stream.unsent())
                               for stream in streams.values())  # fmt: skip
            card = replace(self.card(number), text=text, reasoning=reasoning)
            return {"row": number, "card": {**_plain(card, None), "last_s": answer.last_s}}
        last = self.card(number)
        plain = _plain(last, None if answer.is_whole else self._cap())
        for name, stream in streams.items():
            # A final card repeats its text only if it differs from the streamed text.
            if not is_new and stream.size and getattr(last, name) == stream.whole():
                plain[f"{name}_end"] = safe_text(stream.unsent())
                del plain[name]
                if name == "text":  # the page has all of it
                    plain["cut"], answer.is_whole = 0, True
            stream.unsent_parts = []
        return {"row": number, "card": plain}


_EMPTY = Card(
    name="", served="", state="", mark="", word="", tone="", error="", why="", key="",
    reasoning="", text="", remarks=(), facts=(),
    values={"duration_s": None, "cost_usd": None, "output_tokens": None},
)  # fmt: skip


def _plain(card: Card, longest: int | None) -> dict[str, object]:
    """Returns a card as JSON values with at most *longest* characters of its text."""
    text, reasoning = beginning(card.text, longest), beginning(card.reasoning, longest)
    plain = replace(card, text=text, reasoning=reasoning).plain()
    del plain["name"]
    return {**plain, "cut": len(card.text) - len(text)}


def _roughly(seconds: float) -> str:
    """Returns a time to wait, as a reader says it."""
    if seconds < 90:
        return f"{max(round(seconds), 1)} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 90 else f"{seconds / 3600:.1f} h"


def _pace(answer: _LiveAnswer) -> tuple[str, ...]:
    """Returns times and speed before the end; estimated counts are marked with ≈."""
    first = answer.first_s or 0.0
    tokens = (answer.text.size + answer.reasoning.size) / CHARACTERS_PER_TOKEN
    span = answer.last_s - first
    rate = f" at ≈ {tokens / span:.0f}/s" if span >= SHORTEST_S else ""
    kind = "reasoning" if answer.reasoning.size else "text" if answer.text.size else "chunk"
    return (f"first {kind} ≈ {first:.2f} s", f"≈ {tokens:,.0f} tokens{rate}")
