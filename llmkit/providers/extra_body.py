"""Fields that a person adds to a request body in the provider's own words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..errors import ConfigError
from ..types import Prompt


def refuse_fixed(prompt: Prompt, fixed: tuple[str, ...]) -> None:
    """Nothing, where none of the prompt's options is one of *fixed*.

    Raises:
        ConfigError: An option would replace what llmkit fills in itself.
    """
    if not prompt.options:
        return
    taken = [name for name, _ in prompt.options if name in fixed]
    if taken:
        raise ConfigError(
            f"{' and '.join(taken)} cannot be set as an option, llmkit fills it in itself; "
            "give the prompt, the model and the messages as arguments"
        )


def extended(body: Mapping[str, Any], options: Mapping[str, Any]) -> dict[str, Any]:
    """*body* with *options* merged into it, objects field by field."""
    merged = dict(body)
    for name, value in options.items():
        both = isinstance(value, Mapping) and isinstance(merged.get(name), Mapping)
        merged[name] = extended(merged[name], value) if both else value
    return merged
