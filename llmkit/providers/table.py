"""Every built-in provider, by name."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from .anthropic import Anthropic
from .base import Provider
from .google import Google
from .local import Local
from .mistral import Mistral
from .ollama import Ollama
from .openai import OpenAI
from .openrouter import OpenRouter
from .scripted import Scripted

_KINDS: tuple[type[Provider], ...] = (
    OpenAI,
    Anthropic,
    Google,
    Mistral,
    OpenRouter,
    Ollama,
    Local,
    Scripted,
)

PROVIDERS: Mapping[str, type[Provider]] = MappingProxyType({kind.name: kind for kind in _KINDS})
