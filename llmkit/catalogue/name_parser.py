"""Splits the name of a model into its provider and the rest."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass, replace
from functools import lru_cache

from ..errors import ConfigError
from .entry import Catalogue, normal
from .names import unknown_provider

_SIZE = re.compile(r"\d+(\.\d+)?[bm]\b.*|latest")  # how Ollama's tags begin: 7b, 1.7b, latest


@dataclass(frozen=True, slots=True)
class ParsedName:
    """A name, split.

    Attributes:
        provider: The provider that the name states, None if it states none.
        rest: The name without that provider.
        firm: True if a colon or a prefix states the provider; "maker/id" is only a convention
            of OpenRouter.
        or_provider: Another provider that the name could mean.
    """

    provider: str | None
    rest: str
    firm: bool = False
    or_provider: str | None = None


def parse_name(catalogue: Catalogue, name: str, further: Collection[str]) -> ParsedName:
    """Splits *name* by its spelling.

    Raises:
        ConfigError: The name is a provider or a maker with nothing after it.
    """
    parts = _by_colon(catalogue, name, further) or _by_start(catalogue, name)
    parts = parts or ParsedName(None, name)
    rest = parts.rest.strip()
    path = rest.lower().endswith(".gguf")  # only a file's path may begin with a slash
    if not rest or rest.endswith(("/", ":")) or (rest.startswith("/") and not path):
        raise ConfigError(f"{name!r} names no model; add one, as in local:smollm2")
    return replace(parts, rest=rest)


def _by_colon(catalogue: Catalogue, name: str, further: Collection[str]) -> ParsedName | None:
    prefix, colon, rest = name.partition(":")
    lower_prefix = prefix.lower()
    place = catalogue.providers.name_of(prefix)
    if colon and catalogue.providers.is_unlisted(place):
        raise unknown_provider(catalogue.providers, place, ())
    if not colon or place not in (*catalogue.providers, *further):
        return None
    # "mistral:7b" is Ollama's mistral with a tag, not a model of the provider Mistral.
    if normal(rest) not in catalogue.ids.get(lower_prefix, {}) and lower_prefix in bases(catalogue):
        is_tagged = normal(name) in catalogue.ids.get("ollama", {})
        if is_tagged or _SIZE.fullmatch(rest.strip().lower()):
            return ParsedName("ollama", name, or_provider=place)
    return ParsedName(place, rest, firm=True)


def _by_start(catalogue: Catalogue, name: str) -> ParsedName | None:
    start = name.lower()
    for prefix, provider in catalogue.providers.prefixes.items():
        if start.startswith(prefix):
            return ParsedName(provider, name[len(prefix) :], firm=True)
    if start.startswith("ft:"):  # a fine-tune's id contains colons
        return ParsedName("openai", name, firm=True)
    if start.startswith(("hf.co/", "huggingface.co/")):  # Ollama pulls from there
        return ParsedName("ollama", name, firm=True)
    if "/" in name and not start.endswith(".gguf"):
        return ParsedName("openrouter", name)
    return None


def provider_named(catalogue: Catalogue, name: str, further: Collection[str]) -> str:
    """Returns the provider that *name* means in any of its spellings.

    Raises:
        UnknownProviderError: *name* is unknown.
    """
    known_names = (*catalogue.providers, *further)
    plain = name.strip()
    for spelling in (plain, plain.lower(), catalogue.providers.name_of(plain)):
        if spelling in known_names:
            return spelling
    raise unknown_provider(catalogue.providers, name, known_names)


@lru_cache(maxsize=8)
def bases(catalogue: Catalogue) -> frozenset[str]:
    """Returns the known names in Ollama's library, without tags."""
    return frozenset(model.partition(":")[0] for model in catalogue.models.get("ollama", {}))
