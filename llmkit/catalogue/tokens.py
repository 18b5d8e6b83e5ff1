"""How many tokens a request takes, before anybody has counted them."""

from __future__ import annotations

from ..types import Prompt, Usage

BYTES_PER_TOKEN = 4.0  # of UTF-8: true of English, and near enough where letters take two or three
PER_MESSAGE = 4  # what roles and separators add to each
GUESSED_OUTPUT = 1024  # tokens of an answer where no max_tokens bounds it: a long page


def estimate_tokens(text: str) -> int:
    """Roughly how many tokens *text* has; good to a third for English, worse elsewhere."""
    return max(1, round(_size(text) / BYTES_PER_TOKEN)) if text else 0


def input_tokens(prompt: Prompt) -> int:
    """Roughly how many tokens *prompt* has, its system prompt included."""
    texts = [message.text for message in prompt.messages]
    if prompt.system:
        texts.append(prompt.system)
    return sum(estimate_tokens(text) + PER_MESSAGE for text in texts)


def guessed_usage(prompt: Prompt, most: int | None = None) -> Usage:
    """Roughly what *prompt* will use, its answer as long as it may be.

    Args:
        most: What the model gives at most, None where it is not known.
    """
    output = prompt.max_tokens or GUESSED_OUTPUT
    return Usage(input_tokens(prompt), output if most is None else min(output, most))


def _size(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode("utf-8", "replace"))
