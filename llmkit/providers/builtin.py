"""Loads the built-in providers by name, and the catalogue with their facts.

A provider is one file of this folder and its name in `MODULES`. Its class has everything else.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from types import MappingProxyType
from typing import Any

from ..catalogue.entry import Catalogue
from ..catalogue.loader import shipped_rows
from ..catalogue.provider_table import ProviderTable
from ..errors import ConfigError
from .base import Provider

# In the order in which a name without a provider is looked up, and in which tables list them.
MODULES = ("openai", "anthropic", "google", "mistral", "openrouter", "ollama", "local", "scripted")


def _class_in(module_name: str) -> type[Provider] | None:
    members = vars(import_module(f".{module_name}", __package__)).values()
    classes = (m for m in members if isinstance(m, type) and issubclass(m, Provider))
    return next((c for c in classes if vars(c).get("name") == module_name), None)


def _classes() -> Iterator[tuple[str, type[Provider]]]:
    for name in MODULES:
        if find_spec(f".{name}", __package__) is None:
            raise ConfigError(f"MODULES lists {name!r}, but providers/{name}.py is missing")
        provider_class = _class_in(name)
        if provider_class is None:
            raise ConfigError(
                f"providers/{name}.py has no provider class with name = {name!r}; name the "
                "provider like its file"
            )
        yield name, provider_class


def _is_unlisted(name: str) -> bool:
    if not name.isidentifier() or name in MODULES or find_spec(f".{name}", __package__) is None:
        return False
    return _class_in(name) is not None


def compatible(name: str, base_url: str, key_vars: tuple[str, ...] = (), *more: Any) -> Provider:
    """Returns a server that the user added; see `providers.compatible`."""
    module = import_module(".compatible", __package__)
    server: Provider = module.compatible(name, base_url, key_vars, *more)
    return server


@cache
def provider_table() -> ProviderTable:
    """Returns the facts of all built-in providers.

    Raises:
        ConfigError: One word stands for two providers.
    """
    facts = {name: provider_class.facts for name, provider_class in PROVIDERS.items()}
    return ProviderTable(facts, _is_unlisted)


@cache
def shipped() -> Catalogue:
    """Returns the catalogue that comes with llmkit, with the built-in providers."""
    return replace(shipped_rows(), providers=provider_table())


# Resolving a name needs all of them.
PROVIDERS: Mapping[str, type[Provider]] = MappingProxyType(dict(_classes()))
