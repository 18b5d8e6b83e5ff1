"""Resolves each name of a run once: thousands of rows share a few models."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import TypeVar

from ..catalogue.resolution import Resolution
from ..errors import LlmkitError
from ..providers.base import Provider
from ..secret import Secret
from .registry import CatalogueSnapshot, ProviderRegistry

T = TypeVar("T")


class ResolvedNames:
    """The models, providers and keys of a run, looked up in a registry once for all its rows.

    It has the methods of the registry that plan a row. A change of a key or of the catalogue
    during a run has no effect on the run. An error is kept as well, and raised for each row.
    """

    def __init__(self, registry: ProviderRegistry) -> None:
        self._registry = registry
        self._snapshot = registry.snapshot()
        self._found: dict[Hashable, object] = {}

    def snapshot(self) -> CatalogueSnapshot:
        """Returns the catalogue of the run."""
        return self._snapshot

    def resolve(
        self,
        name: str,
        provider: str | None = None,
        *,
        verbatim: bool = False,
        snapshot: CatalogueSnapshot | None = None,
    ) -> Resolution:
        """Resolves *name*; see `ProviderRegistry.resolve`."""
        return self._once(
            ("name", name, provider, verbatim),
            lambda: self._registry.resolve(
                name, provider, verbatim=verbatim, snapshot=snapshot or self._snapshot
            ),
        )

    def provider(self, name: str, snapshot: CatalogueSnapshot | None = None) -> Provider:
        """Returns the provider called *name*; see `ProviderRegistry.provider`."""
        return self._once(
            ("provider", name), lambda: self._registry.provider(name, snapshot or self._snapshot)
        )

    def key_for(self, provider: Provider, asked: str | None = None) -> Secret | None:
        """Returns the key to send; see `ProviderRegistry.key_for`."""
        return self._once(
            ("key", provider.name, asked), lambda: self._registry.key_for(provider, asked)
        )

    def _once(self, place: Hashable, find: Callable[[], T]) -> T:
        if place not in self._found:
            try:
                self._found[place] = find()
            except LlmkitError as error:
                self._found[place] = error
        found = self._found[place]
        if isinstance(found, LlmkitError):
            raise found.with_traceback(None)
        return found  # type: ignore[return-value]  # what the same place has found
