"""Merges the user's provider-specific options into a request body."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..errors import ConfigError, shown
from ..types import Prompt

# Ask for several answers in one. OpenAI, vLLM, Google, other servers.
NUMBERS = (
    "n",
    "best_of",
    "candidateCount",
    "candidate_count",
    "num_generations",
    "num_return_sequences",
)
PROBABILITIES = ("logprobs", "top_logprobs", "responseLogprobs", "response_logprobs")
GROUPS = ("generationConfig", "generation_config", "options", "parameters", "extra_body")


def refuse_several(options: Mapping[str, object]) -> None:
    """Raises ConfigError if *options* ask for more than one answer, or more than its text."""
    for name, value in options.items():
        if name in GROUPS and isinstance(value, Mapping):
            refuse_several(value)
        elif name in NUMBERS and value is not None and value != 1:
            raise ConfigError(
                f"{name}={shown(value)} asks for several answers, and a row holds one; "
                f"pass repeats={shown(value)} to compare() instead"
            )
        elif name in PROBABILITIES and value:
            raise ConfigError(
                f"{name} is refused: a row holds one answer and no probabilities of its tokens; "
                "leave it out, or pass repeats= to compare() to see how much answers vary"
            )


def refuse_fixed(prompt: Prompt, fixed_fields: tuple[str, ...]) -> None:
    """Raises ConfigError if an option of *prompt* would replace one of *fixed_fields*.

    Also if it asks for what a row cannot hold.
    """
    if not prompt.options:
        return
    refuse_several(dict(prompt.options))
    conflicts = [name for name, _ in prompt.options if name in fixed_fields]
    if conflicts:
        raise ConfigError(
            f"{' and '.join(conflicts)} cannot be an option because llmkit sets it; pass the "
            "prompt, the model and the messages as arguments"
        )


def extended(body: Mapping[str, Any], options: Mapping[str, Any]) -> dict[str, Any]:
    """Returns *body* with *options* merged into it, nested objects field by field.

    None leaves a field out, also one that llmkit sends by itself.
    """
    merged_body = dict(body)
    for name, value in options.items():
        if value is None:
            merged_body.pop(name, None)
            continue
        both = isinstance(value, Mapping) and isinstance(merged_body.get(name), Mapping)
        merged_body[name] = extended(merged_body[name], value) if both else value
    return merged_body
