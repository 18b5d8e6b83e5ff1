"""The built-in providers, by name, and the catalogue that knows of them.

A provider is one file of this folder and its name in `MODULES`; everything else that the package
knows of it stands in its class.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import cache
from importlib import import_module
from importlib.util import find_spec

from ..catalogue.entry import Catalogue
from ..catalogue.loader import shipped_rows
from ..catalogue.provider_table import ProviderTable
from ..errors import ConfigError
from .base import Provider

# In the order in which a name without a provider is looked up, and in which tables list them.
MODULES = ("openai", "anthropic", "google", "mistral", "openrouter", "ollama", "local", "scripted")


class _Classes(Mapping[str, type[Provider]]):
    """A mapping whose values are imported when they are first read."""

    def __getitem__(self, name: str) -> type[Provider]:
        return _class_of(name)

    def __contains__(self, name: object) -> bool:
        return name in MODULES

    def __iter__(self) -> Iterator[str]:
        return iter(MODULES)

    def __len__(self) -> int:
        return len(MODULES)


@cache  # every call asks
def _class_of(name: str) -> type[Provider]:
    if name not in MODULES:
        raise KeyError(name)
    provider_class = _class_in(name)
    if provider_class is None:
        raise ConfigError(
            f"providers/{name}.py has no provider class with name = {name!r}; a provider is called "
            "like its file"
        )
    return provider_class


def _class_in(module_name: str) -> type[Provider] | None:
    members = vars(import_module(f".{module_name}", __package__)).values()
    classes = (m for m in members if isinstance(m, type) and issubclass(m, Provider))
    return next((c for c in classes if vars(c).get("name") == module_name), None)


def unlisted(name: str) -> bool:
    """True if the file of a provider called *name* is there, and its line in `MODULES` is not."""
    if not name.isidentifier() or name in MODULES or find_spec(f".{name}", __package__) is None:
        return False
    return _class_in(name) is not None


def compatible(name: str, base_url: str, key_vars: tuple[str, ...] = ()) -> Provider:
    """Returns a server that a user has added under that name; see `providers.compatible`."""
    server: Provider = import_module(".compatible", __package__).compatible(
        name, base_url, key_vars
    )
    return server


@cache
def provider_table() -> ProviderTable:
    """Returns the facts of all built-in providers.

    Raises:
        ConfigError: Two of them share a name.
    """
    return ProviderTable({name: _class_of(name).facts for name in MODULES})


@cache
def shipped() -> Catalogue:
    """Returns the catalogue that comes with llmkit, and the providers that it is about."""
    return replace(shipped_rows(), providers=provider_table())


PROVIDERS: Mapping[str, type[Provider]] = _Classes()
