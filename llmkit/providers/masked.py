"""A stream's parser whose answer has no key in it, whatever the server echoes."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from ..errors import ProviderError
from ..secret import redact
from ..types import Completion, TextDelta
from ..wire.masking import Masking, masked
from .base import StreamParser

SAID = (
    "response_model",
    "finish_reason",
    "native_finish_reason",
    "request_id",
    "upstream_provider",
)


class Masked:
    """Reads as its parser does; a key that two pieces share is held back until it is whole."""

    def __init__(self, parser: StreamParser) -> None:
        self._parser = parser
        self._text = Masking()
        self._reasoning = Masking()
        self._answer: Completion | None = None

    @property
    def begun(self) -> bool:
        """See `StreamParser`."""
        return self._parser.begun

    @property
    def finished(self) -> bool:
        """See `StreamParser`."""
        return self._parser.finished

    @property
    def done(self) -> bool:
        """See `StreamParser`."""
        return self._parser.done

    @property
    def error(self) -> ProviderError | None:
        """See `StreamParser`."""
        return self._parser.error

    def feed(self, data: bytes) -> TextDelta | None:
        """What *data* adds to the answer; None where it adds no text, or only held back some."""
        delta = self._parser.feed(data)
        if delta is None:
            return None
        text = self._text.feed(delta.text) if delta.text else ""
        reasoning = self._reasoning.feed(delta.reasoning) if delta.reasoning else ""
        return TextDelta(text, reasoning) if text or reasoning else None

    def end(self) -> Completion:
        """The answer as far as it came, without keys."""
        if self._answer is None:
            self._answer = without_keys(self._parser.end())
        return self._answer


def without_keys(answer: Completion) -> Completion:
    """*answer* with every key of this process masked, in its text and in what was said with it."""
    said = {name: redact(value) for name in SAID if (value := getattr(answer, name))}
    changes: dict[str, Any] = {
        "text": masked(answer.text),
        "reasoning": masked(answer.reasoning),
        "warnings": tuple(map(redact, answer.warnings)),
        **said,
    }
    changed = {name: value for name, value in changes.items() if value != getattr(answer, name)}
    return replace(answer, **changed) if changed else answer
