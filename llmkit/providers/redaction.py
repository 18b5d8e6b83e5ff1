"""Redacts API keys that a server echoes in an answer or a model list."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, is_dataclass, replace
from enum import Enum
from functools import cache, lru_cache
from typing import Any, TypeVar

from ..secret import MASK, keys_seen, long_keys, redact
from ..types import Completion, TextDelta

T = TypeVar("T")
# Fields that llmkit sets, never a server.
NOT_REDACTED = frozenset({"provider", "request_model", "cost_source", "ignored_parameters"})
STREAMED = ("text", "reasoning")  # only whole keys are masked in them; see `StreamRedactor`
# Words of type annotations whose values contain no text.
NUMBERS = frozenset({"int", "float", "bool", "date", "datetime", "None", "|"})
WORD_LENGTH = 64  # characters; the redaction of longer texts is not cached


class TextRedactor:
    """Masks whole keys of this process in one growing text with `***`. One object per text.

    Text is held back only if it ends with the beginning of a key (see `long_keys`). An answer that
    waits after every "s" would not be a stream.
    """

    def __init__(self) -> None:
        self._keys = long_keys()
        self._carried = 0
        for _, head in self._keys:
            self._carried = max(self._carried, len(head) - 1)
        self._window = ""  # text that the next piece may complete to a key
        self._told = 0  # characters of it that were returned already
        self._seen = 0  # characters
        self._clean = True

    def feed(self, text: str) -> str:
        """Returns what *text* adds, without keys; "" if all of it may become a key."""
        self._seen += len(text)
        if not self._keys:
            return text
        self._window = window = self._window + text
        for _, head in self._keys:
            if head in window:
                self._clean = False
                return self._searched()
        return self._give(len(window), max(len(window) - self._carried, 0))

    def passed(self, text: str) -> bool:
        """Returns True if *text* is all that was fed, and no current key begins in it."""
        return self._clean and self._seen == len(text) and self._keys is long_keys()

    def end(self) -> str:
        """Returns a mask if text was held back: it is the larger part of a cut key."""
        has_rest = len(self._window) > self._told
        self._window, self._told = "", 0
        return MASK if has_rest else ""

    def _give(self, until: int, rest_start: int) -> str:
        """Returns the new text of the window up to *until*, and keeps it from *rest_start* on."""
        new = self._window[self._told : until]
        self._window = self._window[rest_start:]
        self._told = max(self._told, until) - rest_start
        return new

    def _searched(self) -> str:
        """Returns the window with whole keys masked, up to a possible beginning of a key."""
        window, parts, start = self._window, [], 0
        places = {key: window.find(key) for key, _ in self._keys}
        # Of two keys at one place the longer one counts: it may begin with the other.
        while matches := [(at, -len(key)) for key, at in places.items() if at >= 0]:
            at, size = min(matches)
            parts += [window[max(start, self._told) : at], MASK]
            start = self._told = at - size
            for key, place in places.items():
                if 0 <= place < start:
                    places[key] = window.find(key, start)
        self._window, self._told = window[start:], max(self._told - start, 0)
        window = self._window
        until, rest_start = len(window), max(len(window) - self._carried, 0)
        for key, head in self._keys:
            start = window.rfind(head)
            if start >= 0 and key.startswith(window[start:]):
                until = rest_start = min(start, until)
        return "".join([*parts, self._give(until, rest_start)])


def redact_whole(text: str) -> str:
    """Returns *text*, which is complete, without the keys of this process."""
    if not any(head in text for _, head in long_keys()):
        return text
    redactor = TextRedactor()
    return redactor.feed(text) + redactor.end()


@dataclass(slots=True)
class StreamRedactor:
    """Redacts the deltas of one answer; holds back a key that is split between two of them."""

    text: TextRedactor = field(default_factory=TextRedactor)
    reasoning: TextRedactor = field(default_factory=TextRedactor)

    def feed(self, delta: TextDelta) -> TextDelta | None:
        """Returns *delta* without keys, None if all of it is held back."""
        text = self.text.feed(delta.text) if delta.text else ""
        reasoning = self.reasoning.feed(delta.reasoning) if delta.reasoning else ""
        return TextDelta(text, reasoning) if text or reasoning else None


def without_keys(value: T, redactor: StreamRedactor | None = None) -> T:
    """Returns *value*, an answer or a listed model, with the keys of this process masked.

    Redacts every text in it, also in nested values, except `NOT_REDACTED`. *redactor* is the one
    that has read the deltas of the answer.
    """
    if not keys_seen():
        return value
    changes: dict[str, Any] = {}
    kind: Any = type(value)
    for name in _field_names(kind):
        content = getattr(value, name)
        if not content:
            continue
        if name in STREAMED and isinstance(value, Completion):
            # Usually no delta had a key, and a long text need not be searched again.
            pieces = getattr(redactor, name, None)
            is_clean = pieces is not None and pieces.passed(content)
            masked = content if is_clean else redact_whole(content)
        else:
            masked = _masked(content)
        if masked is not content and masked != content:
            changes[name] = masked
    return replace(value, **changes) if changes else value  # type: ignore[type-var]  # a dataclass


def _masked(content: Any) -> Any:
    if isinstance(content, str):
        if isinstance(content, Enum):  # a closed set of llmkit's words
            return content
        return _word(content, keys_seen()) if len(content) <= WORD_LENGTH else redact(content)
    if isinstance(content, (tuple, list, set, frozenset)):
        parts = map(_masked, content)
        return type(content)(*parts) if hasattr(content, "_fields") else type(content)(parts)
    if is_dataclass(content):
        return without_keys(content)
    if isinstance(content, Mapping):
        return {_masked(name): _masked(part) for name, part in content.items()}
    return content


@cache
def _field_names(kind: type) -> tuple[str, ...]:
    """Returns the fields of *kind* that may contain text from a server."""
    return tuple(
        item.name
        for item in fields(kind)
        if item.name not in NOT_REDACTED and not NUMBERS.issuperset(str(item.type).split())
    )


@lru_cache(maxsize=256)  # nearly every answer repeats the same words
def _word(text: str, key_count: int) -> str:
    return redact(text)
