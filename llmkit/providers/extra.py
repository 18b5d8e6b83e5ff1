"""Fields that a person adds to a request body in the provider's own words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..errors import ConfigError
from ..types import Prompt


def extended(body: dict[str, Any], prompt: Prompt, *, fixed: tuple[str, ...]) -> dict[str, Any]:
    """*body* with the prompt's options merged into it, objects field by field.

    Raises:
        ConfigError: An option would replace one of *fixed*, which llmkit sets itself.
    """
    options = dict(prompt.options)
    taken = [name for name in fixed if name in options]
    if taken:
        raise ConfigError(
            f"{' and '.join(taken)} cannot be set as an option, llmkit fills it in itself; "
            "give the prompt, the model and the messages as arguments"
        )
    return _merged(body, options)


def _merged(body: Mapping[str, Any], more: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(body)
    for name, value in more.items():
        both = isinstance(value, Mapping) and isinstance(merged.get(name), Mapping)
        merged[name] = _merged(merged[name], value) if both else value
    return merged
