"""Fields that a person adds to a request body in the provider's own words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..errors import ConfigError
from ..types import Prompt


def refuse_fixed(prompt: Prompt, fixed_fields: tuple[str, ...]) -> None:
    """Passes if none of the prompt's options is one of *fixed_fields*.

    Raises:
        ConfigError: An option would replace what llmkit fills in itself.
    """
    if not prompt.options:
        return
    conflicts = [name for name, _ in prompt.options if name in fixed_fields]
    if conflicts:
        raise ConfigError(
            f"{' and '.join(conflicts)} cannot be set as an option, llmkit fills it in itself; "
            "give the prompt, the model and the messages as arguments"
        )


def extended(body: Mapping[str, Any], options: Mapping[str, Any]) -> dict[str, Any]:
    """*body* with *options* merged into it, objects field by field."""
    merged_body = dict(body)
    for name, value in options.items():
        both = isinstance(value, Mapping) and isinstance(merged_body.get(name), Mapping)
        merged_body[name] = extended(merged_body[name], value) if both else value
    return merged_body
