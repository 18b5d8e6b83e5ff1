"""An answer that has no key in it, whatever the server echoes."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from typing import Any

from ..secret import keys_seen, redact
from ..types import Completion, TextDelta
from ..wire.key_masking import TextRedactor, redact_whole

SAID = (
    "response_model",
    "finish_reason",
    "native_finish_reason",
    "request_id",
    "upstream_provider",
)


class StreamRedactor:
    """The pieces of one answer; a key that two of them share is held back until it is whole.

    Attributes:
        text: Redacts the pieces of its text, as `reasoning` those of its reasoning.
    """

    def __init__(self) -> None:
        self.text = TextRedactor()
        self.reasoning = TextRedactor()

    def feed(self, delta: TextDelta) -> TextDelta | None:
        """*delta* without keys; None where all of it is held back."""
        text = self.text.feed(delta.text) if delta.text else ""
        reasoning = self.reasoning.feed(delta.reasoning) if delta.reasoning else ""
        return TextDelta(text, reasoning) if text or reasoning else None


def stream_redactor() -> StreamRedactor | None:
    """Returns a redactor for a new answer, None if this process holds no key."""
    return StreamRedactor() if keys_seen() else None


def without_keys(answer: Completion, redactor: StreamRedactor | None = None) -> Completion:
    """*answer* with every key of this process masked, in its text and in what was said with it.

    *redactor* have read its pieces.
    """
    if not keys_seen():
        return answer
    text, reasoning = answer.text, answer.reasoning
    # Most often no key was found on the way, and a long text need not be searched again.
    if redactor is None or not redactor.text.passed(text):
        text = redact_whole(text)
    if redactor is None or not redactor.reasoning.passed(reasoning):
        reasoning = redact_whole(reasoning)
    changes: dict[str, Any] = {
        "text": text,
        "reasoning": reasoning,
        "warnings": tuple(map(redact, answer.warnings)),
    }
    for name in SAID:
        if value := getattr(answer, name):
            changes[name] = _said(value, keys_seen())
    fields = {name: value for name, value in changes.items() if value != getattr(answer, name)}
    return replace(answer, **fields) if fields else answer


@lru_cache(maxsize=256)  # a provider says the same words in nearly every answer
def _said(text: str, key_count: int) -> str:
    return redact(text)
