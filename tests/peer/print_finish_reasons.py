"""Prints the finish reasons in the types of the official SDKs as JSON, by provider.

A program of its own, like `read_with.py`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, get_args

from anthropic.types import StopReason
from anthropic.types.beta import BetaStopReason
from google.genai.types import FinishReason
from mistralai.client import models as mistral
from openai.types.chat import chat_completion, chat_completion_chunk


def words_in(kind: Any) -> Iterator[str]:
    """Yields the texts of all literals in the annotation *kind*."""
    for part in get_args(kind):
        if isinstance(part, str):
            yield part
        else:
            yield from words_in(part)


KINDS: dict[str, list[Any]] = {
    "openai": [
        chat_completion.Choice.model_fields["finish_reason"].annotation,
        chat_completion_chunk.Choice.model_fields["finish_reason"].annotation,
    ],
    "anthropic": [StopReason, BetaStopReason],
    "mistral": [
        mistral.ChatCompletionChoiceFinishReason,
        mistral.CompletionResponseStreamChoiceFinishReason,
    ],
}
reasons = {name: sorted({w for k in kinds for w in words_in(k)}) for name, kinds in KINDS.items()}
reasons["google"] = [reason.value for reason in FinishReason]
print(json.dumps(reasons))
