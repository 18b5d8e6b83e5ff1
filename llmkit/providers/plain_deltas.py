"""Reads the text of a stream's most frequent event without parsing it again and again.

Nearly all events of an answer are one and the same document but for the piece of text in it. Once
such a document was parsed, the next one that differs in nothing else needs no parser.
"""

from __future__ import annotations

from typing import Any

from ..wire.exchange import parse_json
from ..wire.shape import mapping

CONTENT = '"content":"'
PADDING = '"obfuscation":"'  # OpenAI: as many random characters as hide the length of the text
TRIALS = 3
AFTER = 3  # events; a short answer is not worth it
STAND_INS = ("\u2603", "\u2604")


class PlainDeltas:
    """What the plain events of one stream look like; serves one stream."""

    def __init__(self) -> None:
        self._parsed = self._trials = 0
        self._head = ""  # up to the text; "" while nothing is known
        self._between = ""  # from the text to the padding
        self._tail = ""

    def text_of(self, payload: str) -> str | None:
        """The text of a plain event, None for every other one, which must be parsed."""
        head, tail = self._head, self._tail
        if not head or not payload.startswith(head) or not payload.endswith(tail):
            return None
        end = len(payload) - len(tail)
        until = end
        if self._between:
            until = payload.find(self._between, len(head), end)
            if until < 0 or not _bare(payload[until + len(self._between) : end]):
                return None
        text = payload[len(head) : until]
        return text if _bare(text) else None

    def curious(self) -> bool:
        """Asked at each event that is parsed: True where what it said is worth telling."""
        self._parsed += 1
        return bool(self._head) or (self._parsed > AFTER and self._trials < TRIALS)

    def forget(self) -> None:
        """Has every event parsed until a new pattern is learned."""
        self._head = ""

    def learn(self, payload: str, text: str) -> None:
        """Takes *payload*, all of whose meaning was *text*, as the pattern of what will come."""
        if self._head:
            return
        if not text or not _bare(text):
            return
        self._trials += 1
        head, _, rest = payload.partition(CONTENT)
        if not rest.startswith(text + '"'):
            return
        between, padding, tail = rest[len(text) :].partition(PADDING)
        hidden, quote, tail = tail.partition('"') if padding else ("", "", "")
        parts = (head + CONTENT, between + padding, quote + tail)
        if _holds(parts, payload, text, hidden):
            self._head, self._between, self._tail = parts if padding else (parts[0], "", parts[1])


def _bare(text: str) -> bool:
    """True where *text* stands in JSON as it is."""
    return text.isprintable() and '"' not in text and "\\" not in text


def _holds(parts: tuple[str, str, str], payload: str, text: str, hidden: str) -> bool:
    """True where other texts at those places change the document just there, and nowhere else."""
    head, between, tail = parts
    if f"{head}{text}{between}{hidden}{tail}" != payload:
        return False
    other, padding = STAND_INS
    changed = f"{head}{other}{between}{padding if hidden or tail else ''}{tail}"
    before, after = mapping(parse_json(payload)), mapping(parse_json(changed))
    if "obfuscation" in before and (hidden or tail):
        before["obfuscation"] = padding
    return _with_text(before, other) == after and _text_in(after) == other


def _with_text(body: dict[str, Any], text: str) -> dict[str, Any]:
    if _text_in(body) is not None:
        body["choices"][0]["delta"]["content"] = text
    return body


def _text_in(body: dict[str, Any]) -> object:
    try:
        return body["choices"][0]["delta"]["content"]
    except (KeyError, IndexError, TypeError):
        return None
