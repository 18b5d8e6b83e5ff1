"""Decides if a model other than the requested one answered, by all that is known about both names.

Providers answer with a dated, full or canonical form of the requested id, or with the target of an
alias: "gpt-5.4-mini" -> "gpt-5.4-mini-2026-03-17", OpenRouter's "anthropic/claude-opus-4.5" ->
"anthropic/claude-4.5-opus-20251124" (its list of models of 2025-12, read 2026-11-30).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import lru_cache

from .entry import Catalogue, normal
from .names import base_of

# Bedrock's prefixes and suffix: us.anthropic.claude-haiku-4-5-20251001-v1:0.
_PREFIXES = re.compile(r"^(?:[a-z]+\.)+(?=[a-z])")
# A file's name ends with its quantization: Qwen3-8B-Q4_K_M.gguf.
_SUFFIX = re.compile(r"-v\d+:\d+$|@default$|(?:[-.](?:i?q\d\w*|b?f\d+))?\.gguf$")
_FAMILY = re.compile("[a-z]{3,}")
_TOKEN = re.compile(r"([a-z]+)(\d+)")  # qwen3, llama3
LATEST = "latest"
UNFINISHED = frozenset({"preview", "exp", "experimental"})  # a line keeps its name through them


@dataclass(frozen=True, slots=True)
class _Spelling:
    """One name of a model in parts: claude-opus-4.5-20251101 is {claude, opus}, (4, 5), 20251101.

    Attributes:
        floats: True if the name always means the newest model of its line.
    """

    words: frozenset[str]
    versions: tuple[str, ...]
    date: str
    floats: bool

    def is_same(self, other: _Spelling) -> bool:
        """Returns True if both are one model: one of them may lack the date."""
        are_alike = self.words == other.words and self.versions == other.versions
        return are_alike and (self.date == other.date or not (self.date and other.date))

    def has(self, model: _Spelling) -> bool | None:
        """Returns whether *model* is of the line that this floating name means, None if unknown."""
        ours, theirs = self.words - UNFINISHED, model.words - UNFINISHED
        is_version = self.versions in ((), model.versions)
        if ours == theirs and is_version:
            return True
        is_later = self.versions == model.versions[: len(self.versions)]
        is_other = not is_version and (ours != theirs or not is_later)
        return False if is_other or (ours - theirs and theirs - ours) else None


@dataclass(frozen=True, slots=True)
class _Facts:
    """What the catalogue knows of a name.

    Attributes:
        spellings: The name, then the ids that it means as an alias.
        kinds: Its classes, such as small or flagship.
    """

    spellings: tuple[_Spelling, ...]
    kinds: frozenset[str]
    is_known: bool


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
    asked, served = (_facts(catalogue, provider, name) for name in (request, response))
    row = catalogue.providers.get(provider)
    is_reseller = row is not None and row.kind == "reseller"
    maker = request.lower().removeprefix("~").partition("/")[0]
    is_router = is_reseller and maker == provider  # openrouter/auto
    if is_router or any(a.is_same(b) for a in asked.spellings for b in served.spellings):
        return False
    own, *targets = asked.spellings
    if own.floats:
        lines = [own, *(replace(t, versions=t.versions * bool(own.versions)) for t in targets)]
        results = {line.has(model) for line in lines for model in served.spellings}
        if True in results:
            return False
        is_other_kind = asked.kinds and served.kinds and not asked.kinds & served.kinds
        lacks_word = any(line.words - model.words for line in lines for model in served.spellings)
        are_known = asked.is_known and served.is_known
        is_other = results == {False} or is_other_kind or (are_known and lacks_word)
        return True if is_other else None
    # A reseller's canonical name may differ from the id in any way.
    is_canonical = is_reseller and not served.is_known and response.lower().startswith(f"{maker}/")
    # The name of a private deployment says nothing about its model.
    has_own_name = not asked.is_known and not is_of_a_family(request, catalogue)
    is_private = has_own_name and (served.is_known or is_of_a_family(response, catalogue))
    return None if is_canonical or is_private else True


@lru_cache(maxsize=1024)
def is_of_a_family(model: str, catalogue: Catalogue) -> bool:
    """Returns True if *model* is called like a maker's models, or like those of a known family."""
    lower, families = model.lower().rpartition("/")[2], set()
    for name, facts in catalogue.providers.items():
        if lower.startswith(facts.starts):
            return True
        if facts.kind in ("reseller", "own"):
            ids = (id.rpartition("/")[2].lower() for id in catalogue.ids.get(name, {}).values())
            families |= {word[0] for id in ids if (word := _FAMILY.match(id))}
    word = _FAMILY.match(lower)
    return word is not None and word[0] in families


def _facts(catalogue: Catalogue, provider: str, name: str) -> _Facts:
    table = catalogue.providers
    row = table.get(provider)
    is_own = row is not None and row.kind == "own"
    plain = _plain(name, is_own)
    last = plain.rpartition("/")[2]
    places = [(provider, name), (provider, plain), (provider, last)]
    home = table.makers.get(plain.removeprefix("~").partition("/")[0].lower())
    if home is not None:
        places.append((home, last))
    elif row is None:  # a server of the user may have any maker's model
        places += [(maker, last) for maker in table.bare]
    names, kinds, is_known = {name: None}, set(), False
    for place, spelling in places:
        ids, aliases = catalogue.ids.get(place, {}), catalogue.aliases.get(place, {})
        if place == provider or row is None:
            is_known = is_known or normal(spelling) in ids or normal(spelling) in aliases
        concrete = catalogue.concrete(place, spelling)
        names[concrete] = None
        entry = catalogue.entry(place, ids.get(normal(concrete), concrete))
        if entry is not None and entry.kind is not None:
            kinds.add(entry.kind)
    spellings = tuple(_spelling(_plain(text, is_own), is_own) for text in names)
    return _Facts(spellings, frozenset(kinds), is_known)


def _plain(name: str, is_own: bool) -> str:
    """Returns *name* without a variant such as :free; Ollama's tags are other models."""
    return name.rpartition(":")[0] if "/" in name and ":" in name and not is_own else name


def _spelling(name: str, is_own: bool) -> _Spelling:
    last = name.strip().lower().replace("\\", "/").rpartition("/")[2]
    last = _SUFFIX.sub("", last.removesuffix(f":{LATEST}"))
    last = normal(_PREFIXES.sub("", last).replace("@", "-"))
    base = base_of(last) or last
    tokens = re.split("[-:]", _TOKEN.sub(r"\1-\2", base))
    return _Spelling(
        words=frozenset(t for t in tokens if not t.isdigit() and t not in ("", LATEST)),
        versions=tuple(token for token in tokens if token.isdigit()),
        date=last[len(base) :].strip("-").replace("-", ""),
        floats=LATEST in tokens or (is_own and ":" not in last),
    )
