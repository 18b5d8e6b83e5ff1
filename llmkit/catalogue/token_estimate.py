"""Estimates how many tokens a request takes, without a tokenizer."""

from __future__ import annotations

from ..types import Prompt, Usage

# Bytes of UTF-8. Ratio to the counts of Mistral's tokenizer of 2024: 0.7 (JSON), 0.8 (Chinese), 1.0
# (code, Japanese), 1.1 (French, German), 1.3 (English), 1.7 (Russian) and 1.9 (Hindi). Four
# characters per token would give 0.3 for Chinese and Japanese.
BYTES_PER_TOKEN = 4.0
PER_MESSAGE = 4  # tokens that the role and separators add to each message
GUESSED_OUTPUT = 1024  # tokens of an answer without max_tokens: a long page


def estimate_tokens(text: str) -> int:
    """Returns an estimate between two thirds and twice the true number of tokens."""
    if not text:
        return 0
    size = len(text) if text.isascii() else len(text.encode("utf-8", "replace"))
    return max(1, round(size / BYTES_PER_TOKEN))


def guessed_usage(prompt: Prompt, most: int | None = None) -> Usage:
    """Returns the estimated usage of *prompt*, with an answer of the greatest allowed length.

    Args:
        most: The model's limit of output tokens, None if unknown.
    """
    texts = [message.text for message in prompt.messages]
    if prompt.system:
        texts.append(prompt.system)
    tokens = sum(estimate_tokens(text) + PER_MESSAGE for text in texts)
    output = prompt.max_tokens or GUESSED_OUTPUT
    return Usage(tokens, output if most is None else min(output, most))
