"""Every built-in provider, by name."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from importlib import import_module

from .base import Provider

# By name: its class, in the module of that name. A module is loaded when somebody asks for its
# class: most people ask one provider, and a first answer should not wait for seven others.
_KINDS = {
    "openai": "OpenAI",
    "anthropic": "Anthropic",
    "google": "Google",
    "mistral": "Mistral",
    "openrouter": "OpenRouter",
    "ollama": "Ollama",
    "local": "Local",
    "scripted": "Scripted",
}


class _Table(Mapping[str, type[Provider]]):
    """A mapping whose values are imported."""

    def __getitem__(self, name: str) -> type[Provider]:
        return _kind(name)

    def __contains__(self, name: object) -> bool:
        return name in _KINDS

    def __iter__(self) -> Iterator[str]:
        return iter(_KINDS)

    def __len__(self) -> int:
        return len(_KINDS)


@cache  # every call asks
def _kind(name: str) -> type[Provider]:
    kind = _KINDS[name]  # so that an unknown name is a KeyError
    provider_class: type[Provider] = getattr(import_module(f".{name}", __package__), kind)
    return provider_class


def compatible(name: str, base_url: str, key_vars: tuple[str, ...] = ()) -> Provider:
    """A server that a person has added under that name; see `providers.compatible`."""
    server: Provider = import_module(".compatible", __package__).compatible(
        name, base_url, key_vars
    )
    return server


PROVIDERS: Mapping[str, type[Provider]] = _Table()
