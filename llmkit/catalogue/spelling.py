"""How names are spelled elsewhere, and what to say of one that nobody knows."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

from ..errors import UnknownModelError
from .entry import normal

# Other tools' names for the same providers.
SPELLINGS = {
    "gemini": "google",
    "google-gla": "google",
    "google-genai": "google",
    "mistralai": "mistral",
    "claude": "anthropic",
    "open-router": "openrouter",
}
# LiteLLM's way to write a provider, and Google's resource names.
PREFIXES = {
    "openrouter/": "openrouter",
    "ollama/": "ollama",
    "mistral/": "mistral",
    "gemini/": "google",
    "models/": "google",
}


def close_to(name: str, known: Iterable[str], cutoff: float = 0.75) -> list[str]:
    """At most three of *known* that look like *name*, the closest first."""
    forms = {normal(k): k for k in known}
    return [forms[f] for f in difflib.get_close_matches(normal(name), forms, 3, cutoff)]


def digits(name: str) -> str:
    """The digits of a name, which tell versions apart."""
    return "".join(c for c in name if c.isdigit())


def unknown(asked: str, known: Iterable[str], hint: str = "") -> UnknownModelError:
    """The error for a name that nobody knows, with names that look like it."""
    near = tuple(close_to(asked, known))
    if hint:
        words = hint
    elif near:
        words = f"did you mean {' or '.join(near)}?"
    else:
        words = 'see models(), or write "provider:id" to send a name as it is'
    return UnknownModelError(f"no model is known as {asked!r}; {words}", suggestions=near)
