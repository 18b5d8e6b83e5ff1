"""Decides if a model other than the requested one answered, by all that is known about both names.

Providers answer with a dated, full or canonical form of the requested id, or with the target of an
alias: "gpt-5.4-mini" -> "gpt-5.4-mini-2026-03-17", OpenRouter's "anthropic/claude-opus-4.5" ->
"anthropic/claude-4.5-opus-20251124" (its list of models of 2025-12, read 2026-11-30).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache

from .entry import Catalogue, normal
from .names import base_of

# Bedrock's prefixes and suffix: us.anthropic.claude-haiku-4-5-20251001-v1:0.
_PREFIXES = re.compile(r"(?:[a-z]+\.)+(?=[a-z])")
_SUFFIX = re.compile(r"-v\d+:\d+$|@default$|\.gguf$")
_TOKEN = re.compile(r"([a-z]+)(\d+)")  # qwen3, llama3
LATEST = "latest"
UNFINISHED = frozenset({"preview", "exp", "experimental"})  # a line keeps its name through them


@dataclass(frozen=True, slots=True)
class _Spelling:
    """One name of a model in parts: claude-opus-4.5-20251101 is {claude, opus}, (4, 5), 20251101.

    Attributes:
        first: The first letters, which are the same in most names of one maker.
        floats: True if the name always means the newest model of its line.
    """

    first: str
    words: frozenset[str]
    versions: tuple[str, ...]
    date: str
    floats: bool


@lru_cache(maxsize=1024)  # a run has few names
def is_rerouted(
    catalogue: Catalogue, provider: str, request: str, response: str | None
) -> bool | None:
    """Returns whether the model *response* is another one than *request*, None if unknown.

    A name for the newest model of a line may be answered by any version of that line, and a router
    by any model.
    """
    if not request or not response:
        return None
    asked, served = (
        [_spelling(catalogue, provider, spelling) for spelling in _names(catalogue, provider, name)]
        for name in (request, response)
    )
    facts = catalogue.providers.get(provider)
    is_reseller = facts is not None and facts.kind == "reseller"
    maker = request.lower().removeprefix("~").partition("/")[0]
    is_router = is_reseller and maker == provider  # openrouter/auto
    if is_router or any(_is_same(a, b) for a in asked for b in served):
        return False
    known = [_is_known(catalogue, provider, name) for name in (request, response)]
    if asked[0].floats:
        own, *targets = asked
        lines = [own, *(replace(t, versions=t.versions * bool(own.versions)) for t in targets)]
        results = {_is_on_line(line, model) for line in lines for model in served}
        if True in results:
            return False
        kinds = [_kinds(catalogue, provider, name) for name in (request, response)]
        is_other_kind = all(kinds) and not kinds[0] & kinds[1]
        lacks_word = any(line.words - model.words for line in lines for model in served)
        is_other = results == {False} or is_other_kind or (all(known) and lacks_word)
        return True if is_other else None
    # A reseller's canonical name may differ from the id in any way.
    is_canonical = is_reseller and not known[1] and response.lower().startswith(f"{maker}/")
    # The name of a private deployment says nothing about its model.
    is_private = known == [False, True] and asked[0].first != served[0].first
    return None if is_canonical or is_private else True


def _names(catalogue: Catalogue, provider: str, name: str) -> list[str]:
    """Returns *name*, then the ids that it means as an alias: at the provider, and at its maker."""
    names = dict.fromkeys([name])
    for place, spelling in _places(catalogue, provider, name):
        names[catalogue.concrete(place, spelling)] = None
    return list(names)


def _places(catalogue: Catalogue, provider: str, name: str) -> Iterator[tuple[str, str]]:
    """Yields the providers and names under which the catalogue may have a model."""
    plain = name.rpartition(":")[0] if _has_variant(catalogue, provider, name) else name
    last = plain.rpartition("/")[2]
    yield from ((provider, name), (provider, plain), (provider, last))
    table = catalogue.providers
    home = table.makers.get(plain.removeprefix("~").partition("/")[0].lower())
    if home is not None:
        yield home, last
    elif provider not in table:
        yield from ((maker, last) for maker in table.bare)


def _has_variant(catalogue: Catalogue, provider: str, name: str) -> bool:
    """Returns True if *name* ends in a variant such as :free. Ollama's tags are other models."""
    facts = catalogue.providers.get(provider)
    is_own = facts is not None and facts.kind == "own"
    return "/" in name and ":" in name and not is_own


def _spelling(catalogue: Catalogue, provider: str, name: str) -> _Spelling:
    plain = name.rpartition(":")[0] if _has_variant(catalogue, provider, name) else name
    last = plain.strip().lower().replace("\\", "/").rpartition("/")[2]
    last = _SUFFIX.sub("", last.removesuffix(f":{LATEST}"))
    last = normal(_PREFIXES.sub("", last, count=1).replace("@", "-"))
    base = base_of(last) or last
    tokens = re.split("[-:]", _TOKEN.sub(r"\1-\2", base))
    facts = catalogue.providers.get(provider)
    is_untagged = facts is not None and facts.kind == "own" and ":" not in last
    return _Spelling(
        first=(re.match("[a-z]*", last) or [""])[0],
        words=frozenset(t for t in tokens if not t.isdigit() and t not in ("", LATEST)),
        versions=tuple(token for token in tokens if token.isdigit()),
        date=last[len(base) :].strip("-").replace("-", ""),
        floats=LATEST in tokens or is_untagged,
    )


def _is_same(one: _Spelling, other: _Spelling) -> bool:
    are_alike = one.words == other.words and one.versions == other.versions
    return are_alike and (one.date == other.date or not (one.date and other.date))


def _is_on_line(line: _Spelling, model: _Spelling) -> bool | None:
    """Returns whether *model* is of the line that a floating name means, None if unknown."""
    ours, theirs = line.words - UNFINISHED, model.words - UNFINISHED
    is_version = line.versions in ((), model.versions)
    if ours == theirs and is_version:
        return True
    is_later = line.versions == model.versions[: len(line.versions)]
    is_other = not is_version and (ours != theirs or not is_later)
    return False if is_other or (ours - theirs and theirs - ours) else None


def _kinds(catalogue: Catalogue, provider: str, name: str) -> set[str]:
    """Returns the classes that the catalogue knows of a model, such as small or flagship."""
    entries = (
        catalogue.entry(place, catalogue.ids.get(place, {}).get(normal(concrete), concrete))
        for place, spelling in _places(catalogue, provider, name)
        for concrete in (catalogue.concrete(place, spelling),)
    )
    return {entry.kind for entry in entries if entry is not None and entry.kind is not None}


def _is_known(catalogue: Catalogue, provider: str, name: str) -> bool:
    return any(
        normal(spelling) in catalogue.ids.get(place, {})
        or normal(spelling) in catalogue.aliases.get(place, {})
        for place, spelling in _places(catalogue, provider, name)
        if place == provider or provider not in catalogue.providers
    )
