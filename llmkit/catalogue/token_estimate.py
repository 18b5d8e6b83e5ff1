"""How many tokens a request takes, before anybody has counted them."""

from __future__ import annotations

from ..types import Prompt, Usage

# Of UTF-8. Against Mistral's tokenizer of 2024 this gives 0.7 (JSON), 0.8 (Chinese), 1.0 (code,
# Japanese), 1.1 (French, German), 1.3 (English), 1.7 (Russian) and 1.9 (Hindi) of the true count;
# four characters would give 0.3 for Chinese and Japanese.
BYTES_PER_TOKEN = 4.0
PER_MESSAGE = 4  # what roles and separators add to each
GUESSED_OUTPUT = 1024  # tokens of an answer where no max_tokens bounds it: a long page


def estimate_tokens(text: str) -> int:
    """Roughly how many tokens *text* has: between two thirds and twice the true count."""
    if not text:
        return 0
    size = len(text) if text.isascii() else len(text.encode("utf-8", "replace"))
    return max(1, round(size / BYTES_PER_TOKEN))


def guessed_usage(prompt: Prompt, most: int | None = None) -> Usage:
    """Roughly what *prompt* will use, its answer as long as it may be.

    Args:
        most: What the model gives at most, None where it is not known.
    """
    texts = [message.text for message in prompt.messages]
    if prompt.system:
        texts.append(prompt.system)
    tokens = sum(estimate_tokens(text) + PER_MESSAGE for text in texts)
    output = prompt.max_tokens or GUESSED_OUTPUT
    return Usage(tokens, output if most is None else min(output, most))
