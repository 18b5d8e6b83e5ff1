"""Takes a written name apart: the provider that it states, and the rest."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass, replace
from functools import lru_cache

from ..errors import ConfigError, UnknownProviderError
from .entry import Catalogue, normal
from .names import PREFIXES, PROVIDERS, SPELLINGS, close_to

_SIZE = re.compile(r"\d+(\.\d+)?[bm]\b.*|latest")  # how Ollama's tags begin: 7b, 1.7b, 8x7b


@dataclass(frozen=True, slots=True)
class ParsedName:
    """A name taken apart.

    Attributes:
        provider: The one that it states, None where it states none.
        rest: Without that provider.
        firm: True where a colon or a prefix states it; "maker/id" is only how OpenRouter writes.
        or_provider: Another provider that the name could have stated.
    """

    provider: str | None
    rest: str
    firm: bool = False
    or_provider: str | None = None


def parse_name(catalogue: Catalogue, asked: str, further: Collection[str]) -> ParsedName:
    """What the writing itself says.

    Raises:
        ConfigError: A provider or a maker, and nothing after it.
    """
    written = _by_colon(catalogue, asked, further) or _by_start(asked) or ParsedName(None, asked)
    rest = written.rest.strip()
    path = rest.lower().endswith(".gguf")  # alone a file's path may begin with a slash
    if not rest or rest.endswith(("/", ":")) or (rest.startswith("/") and not path):
        raise ConfigError(
            f"{asked!r} names no model; write it after its provider, such as local:smollm2"
        )
    return replace(written, rest=rest)


def _by_colon(catalogue: Catalogue, asked: str, further: Collection[str]) -> ParsedName | None:
    left, colon, right = asked.partition(":")
    name = left.lower()
    place = SPELLINGS.get(name, name)
    if not colon or place not in (*PROVIDERS, *further):
        return None
    # "mistral:7b" is Ollama's Mistral with a tag, and no model of the provider Mistral.
    if normal(right) not in catalogue.ids.get(name, {}) and name in bases(catalogue):
        tagged = normal(asked) in catalogue.ids.get("ollama", {})
        if tagged or _SIZE.fullmatch(right.strip().lower()):
            return ParsedName("ollama", asked, or_provider=place)
    return ParsedName(place, right, firm=True)


def _by_start(asked: str) -> ParsedName | None:
    start = asked.lower()
    for prefix, provider in PREFIXES.items():
        if start.startswith(prefix):
            return ParsedName(provider, asked[len(prefix) :], firm=True)
    if start.startswith("ft:"):  # a fine-tune's colons are not ours
        return ParsedName("openai", asked, firm=True)
    if start.startswith(("hf.co/", "huggingface.co/")):  # Ollama pulls those itself
        return ParsedName("ollama", asked, firm=True)
    if "/" in asked and not start.endswith(".gguf"):
        return ParsedName("openrouter", asked)
    return None


def provider_named(name: str, further: Collection[str]) -> str:
    """The provider of that name, however it is spelled.

    Raises:
        UnknownProviderError: There is none.
    """
    everyone = (*PROVIDERS, *further)
    plain = name.strip()
    for found in (plain, plain.lower(), SPELLINGS.get(plain.lower(), "")):
        if found in everyone:
            return found
    near = close_to(name, everyone)
    hint = f"did you mean {' or '.join(near)}? " if near else ""
    raise UnknownProviderError(
        f"there is no provider {name!r}; {hint}known are {', '.join(everyone)}"
    )


@lru_cache(maxsize=8)  # by identity: one catalogue, or a few in tests
def bases(catalogue: Catalogue) -> frozenset[str]:
    """The names in Ollama's library that the catalogue knows, without their tags."""
    return frozenset(model.partition(":")[0] for model in catalogue.models.get("ollama", {}))
