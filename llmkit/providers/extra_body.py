"""Merges the user's provider-specific options into a request body."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..errors import ConfigError
from ..types import Prompt


def refuse_fixed(prompt: Prompt, fixed_fields: tuple[str, ...]) -> None:
    """Raises ConfigError if an option of *prompt* would replace one of *fixed_fields*."""
    if not prompt.options:
        return
    conflicts = [name for name, _ in prompt.options if name in fixed_fields]
    if conflicts:
        raise ConfigError(
            f"{' and '.join(conflicts)} cannot be an option because llmkit sets it; pass the "
            "prompt, the model and the messages as arguments"
        )


def extended(body: Mapping[str, Any], options: Mapping[str, Any]) -> dict[str, Any]:
    """Returns *body* with *options* merged into it, nested objects field by field."""
    merged_body = dict(body)
    for name, value in options.items():
        both = isinstance(value, Mapping) and isinstance(merged_body.get(name), Mapping)
        merged_body[name] = extended(merged_body[name], value) if both else value
    return merged_body
