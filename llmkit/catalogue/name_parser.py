"""Splits the name of a model into its provider and the rest."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass, replace
from functools import lru_cache

from ..errors import ConfigError
from .entry import Catalogue, normal
from .names import unknown_provider
from .vocabulary import Service, added_as, earlier_makers, ollama_library, service_in, service_of

_SIZE = re.compile(r"\d+(\.\d+)?[bm]\b.*|latest")  # how Ollama's tags begin: 7b, 1.7b, latest
_AROUND = re.compile(r"(?:(?<!\s)\s+)?([:/])\s*")  # linear in a run of blanks
# Word processors, web pages and chats put these characters in the place that keyboards have.
_TYPED = str.maketrans(
    {
        **dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2015\u2212\ufe58\ufe63\uff0d", "-"),
        **dict.fromkeys("\u00a0\u2007\u202f\u3000", " "),
        **dict.fromkeys("\u00ad\u200b\u200c\u200d\u2060\ufeff", ""),
        "\uff1a": ":",
        "\uff0f": "/",
    }
)


@dataclass(frozen=True, slots=True)
class ParsedName:
    """A name, split.

    Attributes:
        provider: The provider that the name states, None if it states none.
        rest: The name without that provider.
        firm: True if a colon or a prefix states the provider; "maker/id" is only a convention
            of OpenRouter.
        or_provider: Another provider that the name could mean.
        service: The service that the name states, if none of the providers is it.
        word: The word by which the name states that service.
        lost: True if the part before a slash is neither a provider, a service nor a maker.
    """

    provider: str | None
    rest: str
    firm: bool = False
    or_provider: str | None = None
    service: Service | None = None
    word: str = ""
    lost: bool = False


def parse_name(catalogue: Catalogue, name: str, further: Collection[str]) -> ParsedName:
    """Splits *name* by its spelling; *further* are the user's own providers.

    Raises:
        ConfigError: The name is a provider or a maker with nothing after it.
    """
    parts = _by_colon(catalogue, name, further) or _by_start(catalogue, name, further)
    parts = parts or ParsedName(None, name)
    rest = _without_prefix(catalogue, parts.provider, parts.rest.strip())
    path = rest.lower().endswith(".gguf")  # only a file's path may begin with a slash
    if not rest or rest.endswith(("/", ":")) or (rest.startswith("/") and not path):
        raise ConfigError(f"{name!r} names no model; add one, as in local:smollm2")
    return replace(parts, rest=rest)


def as_typed(name: str) -> str:
    """Returns *name* with the dashes and blanks of a keyboard; a file keeps its name."""
    name = name.strip()
    if name.lower().endswith(".gguf"):
        return name
    return _AROUND.sub(r"\1", name.translate(_TYPED)).strip()


def place_of(catalogue: Catalogue, word: str, further: Collection[str]) -> str | None:
    """Returns the provider that *word* means in any spelling, None if it means none."""
    if word in further:
        return word
    place = catalogue.providers.name_of(word)
    return place if place in catalogue.providers else added_as(word, further)


def _by_colon(catalogue: Catalogue, name: str, further: Collection[str]) -> ParsedName | None:
    prefix, colon, rest = name.partition(":")
    prefix = prefix.strip()
    if not colon:
        return None
    lower_prefix = prefix.lower()
    place = place_of(catalogue, prefix, further)
    if place is None:
        service = service_of(prefix)
        if service is None and catalogue.providers.is_unlisted(lower_prefix):
            raise unknown_provider(catalogue.providers, lower_prefix, ())
        is_model = lower_prefix in bases(catalogue) or lower_prefix in ollama_library()
        if service is None or is_model or _SIZE.fullmatch(rest.strip().lower()):
            return None
        return ParsedName(None, rest, service=service, word=prefix)
    # "mistral:7b" is Ollama's mistral with a tag, not a model of the provider Mistral.
    if normal(rest) not in catalogue.ids.get(lower_prefix, {}) and lower_prefix in bases(catalogue):
        is_tagged = normal(name) in catalogue.ids.get("ollama", {})
        if is_tagged or _SIZE.fullmatch(rest.strip().lower()):
            return ParsedName("ollama", name, or_provider=place)
    return ParsedName(place, rest, firm=True)


def _by_start(catalogue: Catalogue, name: str, further: Collection[str]) -> ParsedName | None:
    start = name.lower()
    is_file = start.endswith(".gguf")
    for prefix, provider in catalogue.providers.prefixes.items():
        if start.startswith(prefix) and not is_file:
            return ParsedName(provider, name[len(prefix) :], firm=True)
    if start.startswith("ft:"):  # a fine-tune's id contains colons
        return ParsedName(_tuned_at(catalogue, name), name, firm=True)
    if start.startswith(("hf.co/", "huggingface.co/")):  # Ollama pulls from there
        return ParsedName("ollama", name, firm=True)
    found = service_in(name)
    if found is not None:
        service, word = found
        own = added_as(word, further)
        return ParsedName(own, name, firm=True) if own else _of_service(name, service, word)
    return _by_slash(catalogue, name, further, is_file=is_file) if "/" in name else None


def _by_slash(
    catalogue: Catalogue, name: str, further: Collection[str], *, is_file: bool
) -> ParsedName | None:
    head, _, rest = name.partition("/")
    place = place_of(catalogue, head.strip(), further)
    if is_file:  # its folder may be called like a maker
        is_own = place in further or (place and not catalogue.providers[place].paid)
        return ParsedName(place, rest, firm=True) if is_own else None
    if place == "openrouter":  # openrouter/auto is a whole id, openrouter/openai/gpt-4o is not
        return ParsedName(place, rest if "/" in rest else f"{place}/{rest}", firm=True)
    makers = openrouter_makers(catalogue)
    maker = head.strip().lower()
    is_listed = normal(name.partition(":")[0]) in catalogue.ids.get("openrouter", {})
    if maker in makers or maker == "@preset":
        # An id of OpenRouter has one slash, and perhaps a preset; it has no fine-tunes.
        is_odd = "/" in rest.partition("@preset/")[0] or rest.lower().startswith("ft:")
        is_id = is_listed or not is_odd
        return ParsedName("openrouter", name) if is_id else ParsedName(None, name, lost=True)
    if place is not None:
        return ParsedName(place, rest, firm=True)
    service = service_of(head)
    if service is not None:
        return _of_service(rest, service, head)
    is_maker = maker in earlier_makers() and "/" not in rest
    return ParsedName("openrouter", name) if is_maker else ParsedName(None, name, lost=True)


def _of_service(rest: str, service: Service, word: str) -> ParsedName:
    return ParsedName(None, rest, service=service, word=word)


def _without_prefix(catalogue: Catalogue, provider: str | None, rest: str) -> str:
    for prefix, owner in catalogue.providers.prefixes.items():
        if owner == provider and rest.lower().startswith(prefix):
            return rest[len(prefix) :]
    return rest


def _tuned_at(catalogue: Catalogue, name: str) -> str:
    """Returns the maker of a fine-tune's base model, OpenAI if it is unknown."""
    base = normal(name.split(":")[1])
    owners = (
        place
        for place, facts in catalogue.providers.items()
        if facts.kind == "maker"
        and (base in catalogue.ids.get(place, {}) or base in catalogue.aliases.get(place, {}))
    )
    return next(owners, "openai")


def provider_named(catalogue: Catalogue, name: str, further: Collection[str]) -> str:
    """Returns the provider that *name* means in any of its spellings.

    Raises:
        UnknownProviderError: *name* is unknown.
    """
    place = place_of(catalogue, name.strip(), further)
    if place is None:
        raise unknown_provider(catalogue.providers, name, (*catalogue.providers, *further))
    return place


@lru_cache(maxsize=8)
def bases(catalogue: Catalogue) -> frozenset[str]:
    """Returns the known names in Ollama's library, without tags."""
    return frozenset(model.partition(":")[0] for model in catalogue.models.get("ollama", {}))


@lru_cache(maxsize=8)
def openrouter_makers(catalogue: Catalogue) -> frozenset[str]:
    """Returns the makers in OpenRouter's ids; "~" before one means its newest models."""
    ids = catalogue.ids.get("openrouter", {}).values()
    makers = {model.partition("/")[0].lower() for model in ids}
    return frozenset(makers | {maker.lstrip("~") for maker in makers})
