"""What a model's name leads to today, and how; asks no network and no clock."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from datetime import date

from ..errors import ConfigError, UnknownProviderError
from ..types import How
from . import lifecycle
from .entry import Catalogue, StandardName, normal
from .load import shipped
from .resolution import Resolution
from .spelling import PREFIXES, SPELLINGS, close_to, digits, unknown

PROVIDERS = (
    "openai",
    "anthropic",
    "google",
    "mistral",
    "openrouter",
    "ollama",
    "local",
    "scripted",
)
# A bare name is looked for at the makers first, then where models of many makers are served.
BARE = ("openai", "anthropic", "google", "mistral", "ollama", "local")
MAKERS = {
    "gpt-oss": "ollama", "gpt": "openai", "o1": "openai", "o3": "openai", "o4": "openai",
    "openai": "openai", "text-embedding-3": "openai", "text-embedding-ada": "openai",
    "claude": "anthropic", "gemini": "google", "mistral": "mistral", "mixtral": "mistral",
    "codestral": "mistral", "ministral": "mistral", "magistral": "mistral", "pixtral": "mistral",
    "devstral": "mistral",
}  # fmt: skip
CATALOGUE_VARIANTS = ("free", "batch", "thinking", "extended", "online")


def resolve(
    name: str,
    provider: str | None = None,
    *,
    on: date,
    catalogue: Catalogue | None = None,
    providers: Collection[str] = (),
    verbatim: bool = False,
) -> Resolution:
    """What *name* leads to on that day.

    Args:
        name: A standard name, an id, "provider:id", or OpenRouter's "maker/id".
        provider: Translates the name to what is comparable there.
        providers: Further providers, whose ids are taken as they are.
        verbatim: Takes the id as it is, known or not.

    Raises:
        UnknownModelError: Nobody has it; nothing is ever corrected, only suggested.
        UnknownProviderError: *provider* is none.
        ConfigError: The name is empty or contradicts *provider*.
    """
    resolver = _Resolver(catalogue or shipped(), on, providers)
    asked = name.strip()
    if not asked:
        raise ConfigError("the model's name is empty; name one, such as local:smollm2")
    wanted = None if provider is None else resolver.provider(provider)
    stated, rest = resolver.stated(asked)
    if stated and wanted and stated != wanted:
        raise ConfigError(
            f"{asked!r} names {stated}, but provider={provider!r}; "
            f"for its counterpart there ask for {rest!r} with provider={provider!r}"
        )
    if verbatim or (wanted or stated) in providers:
        return resolver.as_it_is(asked, wanted or stated, rest)
    if stated:
        return resolver.at(asked, stated, rest)
    return resolver.translated(asked, wanted) if wanted else resolver.bare(asked)


class _Resolver:
    """The rules, over one catalogue on one day."""

    def __init__(self, catalogue: Catalogue, on: date, providers: Collection[str]) -> None:
        self._catalogue = catalogue
        self._on = on
        self._providers = (*PROVIDERS, *providers)

    def provider(self, name: str) -> str:
        found = SPELLINGS.get(name.strip().lower(), name.strip())
        if found in self._providers:
            return found
        if found.lower() in self._providers:
            return found.lower()
        known = ", ".join(self._providers)
        near = close_to(name, self._providers)
        hint = f"did you mean {' or '.join(near)}? " if near else ""
        raise UnknownProviderError(f"there is no provider {name!r}; {hint}known are {known}")

    def stated(self, asked: str) -> tuple[str | None, str]:
        """The provider that the name itself states, and the rest of the name."""
        left, colon, right = asked.partition(":")
        place = SPELLINGS.get(left.lower(), left.lower())
        if colon and place in self._providers and not self._is_ollama_tag(left, right):
            if not right.strip():
                raise ConfigError(f"{asked!r} names no model; write one after the colon")
            return place, right.strip()
        for prefix, provider in PREFIXES.items():
            if asked.lower().startswith(prefix):
                return provider, asked[len(prefix) :]
        if asked.startswith("ft:"):  # a fine-tune's colons are not ours
            return "openai", asked
        if "/" in asked and not asked.lower().endswith(".gguf"):
            return "openrouter", asked
        return None, asked

    def as_it_is(self, asked: str, provider: str | None, model: str) -> Resolution:
        if provider is None:
            provider = self.bare(asked).provider
        return self._found(asked, provider, model, How.VERBATIM)

    def at(self, asked: str, provider: str, model: str) -> Resolution:
        """A name that states its provider: that provider's id, and nobody else's."""
        if provider == "local" and model.lower().endswith(".gguf"):
            return self._found(asked, provider, model, How.VERBATIM)
        known = self._known(asked, provider, model)
        if known is not None:
            return known
        self._refuse_strangers(asked, provider, model)
        return self._found(asked, provider, model, How.VERBATIM)

    def translated(self, asked: str, provider: str) -> Resolution:
        """A name wanted at one provider: its own id there, or its peer."""
        known = self._known(asked, provider, asked)
        if known is not None and normal(asked) not in self._catalogue.names:
            return known
        standard, how = self._standard(asked)
        peers = standard.peers.get(provider, ()) if standard else ()
        if standard is None or not peers:
            if known is not None:
                return known
            raise self._no_counterpart(asked, provider, standard)
        how = How.EXACT if normal(peers[0]) == normal(asked) else how
        return self._found(asked, provider, peers[0], how, standard, living=how is not How.EXACT)

    def bare(self, asked: str) -> Resolution:
        """A name that states nothing: the maker's, with the others named."""
        hits = [found for p in BARE if (found := self._known(asked, p, asked)) is not None]
        standard = self._catalogue.names.get(normal(asked))
        if standard is not None:
            home = self._home(standard)
            mine = [hit for hit in hits if hit.provider == home]
            hits = [*mine, *(hit for hit in hits if hit.provider != home)]
            if not mine and standard.peers.get(home):
                peer = standard.peers[home][0]
                hits = [self._found(asked, home, peer, How.MAPPED, standard, living=True), *hits]
        if not hits:
            raise unknown(asked, self._names(), self._snapshot_hint(asked))
        return self._with_others(hits)

    def _with_others(self, hits: list[Resolution]) -> Resolution:
        others = tuple(f"{hit.provider}:{hit.id}" for hit in hits[1:])
        first = hits[0]
        return first if not others else replace(first, ambiguous=True, alternatives=others)

    def _known(self, asked: str, provider: str, model: str) -> Resolution | None:
        key = normal(model)
        alias = self._catalogue.aliases.get(provider, {}).get(key)
        if alias is not None and alias.kind == "short":
            return self._found(asked, provider, alias.target, How.ALIAS)
        found = self._catalogue.ids.get(provider, {}).get(key)
        if found is not None:
            return self._found(asked, provider, found, How.EXACT)
        if alias is not None:
            return self._found(asked, provider, alias.alias, How.ALIAS)
        if provider == "ollama":
            return self._ollama(asked, model)
        return self._openrouter(asked, model) if provider == "openrouter" else None

    def _ollama(self, asked: str, model: str) -> Resolution | None:
        base, _, tag = model.partition(":")
        bases = {
            found.partition(":")[0] for found in self._catalogue.ids.get("ollama", {}).values()
        }
        if base.lower() not in bases:
            return None
        # People make tags of their own, so one that nobody lists may well be there.
        known = not tag or tag == "latest"
        return self._found(asked, "ollama", model, How.EXACT, verified=known)

    def _openrouter(self, asked: str, model: str) -> Resolution | None:
        base, colon, variant = model.partition(":")
        if not colon or self._catalogue.ids["openrouter"].get(normal(base)) is None:
            return None
        if variant in CATALOGUE_VARIANTS:
            raise ConfigError(
                f"OpenRouter lists no {variant} variant of {base}; the paid one is never taken "
                f"in its place: ask for openrouter:{base} if you mean it"
            )
        return self._found(asked, "openrouter", model, How.EXACT)

    def _found(
        self,
        asked: str,
        provider: str,
        model: str,
        how: How,
        standard: StandardName | None = None,
        *,
        living: bool = False,
        verified: bool | None = None,
    ) -> Resolution:
        catalogue, on = self._catalogue, self._on
        standard = standard or self._standard_of(provider, model)
        listed = self._catalogue.ids.get(provider, {}).get(normal(model)) is not None
        alias = catalogue.aliases.get(provider, {}).get(normal(model))
        live, rule = lifecycle.next_live(
            catalogue, provider, model, on, standard.kind if standard else None
        )
        state = lifecycle.lifecycle_of(catalogue, provider, model, on)
        gone = living and state in lifecycle.GONE
        return Resolution(
            asked=asked,
            provider=provider,
            id=model,
            model=live if gone and live else model,
            how=how,
            standard=standard.name if standard else None,
            lifecycle=state,
            retires_on=lifecycle.retires_on(catalogue, provider, model),
            successor=lifecycle.successor_of(catalogue, provider, model),
            live=live,
            live_rule=rule,
            floating=_floats(provider, model, alias is not None and alias.kind == "floating"),
            verified=(listed or alias is not None) if verified is None else verified,
            alternatives=self._same_elsewhere(provider, model),
            as_of=catalogue.as_of,
        )

    def _same_elsewhere(self, provider: str, model: str) -> tuple[str, ...]:
        maker, slash, rest = model.partition("/")
        if provider != "openrouter" or not slash:
            return ()
        place = SPELLINGS.get(maker, maker)
        found = self._catalogue.ids.get(place, {}).get(normal(rest))
        return (f"{place}:{found}",) if found else ()

    def _standard(self, asked: str) -> tuple[StandardName | None, How]:
        standard = self._catalogue.names.get(normal(asked))
        if standard is not None:
            return standard, How.MAPPED
        for provider in BARE:
            known = self._known(asked, provider, asked)
            if known is not None and known.standard is not None:
                return self._catalogue.names[normal(known.standard)], How.EQUIVALENT
        return None, How.EQUIVALENT

    def _standard_of(self, provider: str, model: str) -> StandardName | None:
        names = self._catalogue.names
        own = names.get(normal(model))
        if own is not None and self._home(own) == provider:
            return own
        for wanted in (model, *self._targets(provider, model)):
            for standard in names.values():
                if wanted in standard.peers.get(provider, ()) and self._home(standard) == provider:
                    return standard
        return None

    def _targets(self, provider: str, model: str) -> tuple[str, ...]:
        alias = self._catalogue.aliases.get(provider, {}).get(normal(model))
        return (alias.target,) if alias else ()

    def _home(self, standard: StandardName) -> str:
        for prefix, maker in MAKERS.items():
            if standard.name.startswith(prefix):
                return maker
        return "google" if standard.name.startswith("text-embedding") else "ollama"

    def _is_ollama_tag(self, left: str, right: str) -> bool:
        # "mistral:7b" is Ollama's Mistral with a tag, and no model of the provider Mistral.
        tagged = f"{left}:{right}".lower()
        return tagged in self._catalogue.ids.get("ollama", {}) and (
            normal(right) not in self._catalogue.ids.get(left.lower(), {})
        )

    def _refuse_strangers(self, asked: str, provider: str, model: str) -> None:
        for other in BARE[:4]:
            strange = other != provider and provider in BARE[:4]
            if strange and self._catalogue.ids.get(other, {}).get(normal(model)):
                peer = self.translated(model, provider)
                raise unknown(asked, (), f"{model} is {other}'s; there, ask for {peer.model}")
        if provider in ("local", "scripted"):
            known = ", ".join(self._catalogue.ids[provider].values())
            more = ", and the path of any .gguf file" if provider == "local" else ""
            raise unknown(asked, (), f"{provider} has {known}{more}")
        # A newer version of a known name looks like it too, so only one with the same digits is
        # taken for a slip.
        near = close_to(model, self._catalogue.ids.get(provider, {}).values(), 0.85)
        slips = [n for n in near if digits(n) == digits(model) and ":" not in model]
        if slips and provider != "ollama":
            raise unknown(model, slips)

    def _no_counterpart(
        self, asked: str, provider: str, standard: StandardName | None
    ) -> ConfigError:
        if standard is not None:
            return unknown(asked, (), f"{provider} has no counterpart of {standard.name}")
        if any(self._known(asked, p, asked) for p in BARE):
            hint = f"the catalogue names no counterpart at {provider}; see models()"
            return unknown(asked, (), hint)
        return unknown(asked, self._names())

    def _names(self) -> tuple[str, ...]:
        standard = [s.name for s in self._catalogue.names.values()]
        ids = [i for p in BARE for i in self._catalogue.ids.get(p, {}).values()]
        return tuple(dict.fromkeys([*standard, *ids]))

    def _snapshot_hint(self, asked: str) -> str:
        base = normal(asked).rstrip("-0123456789")
        for provider in BARE[:4]:
            known = self._catalogue.ids.get(provider, {}).get(base)
            if known:
                return f"no such snapshot of {known} is known; for it ask for {provider}:{asked}"
        return ""


def _floats(provider: str, model: str, alias: bool) -> bool:
    if provider == "ollama":
        return ":" not in model or model.endswith(":latest")
    return alias or "-latest" in model
