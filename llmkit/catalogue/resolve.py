"""What a model's name leads to on a day, and how; asks no network and no clock."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from datetime import date

from ..errors import ConfigError, UnknownModelError
from ..types import How
from .entry import Catalogue, StandardName, normal
from .loader import shipped
from .lookup import BARE, Lookup, Match
from .name_parser import ParsedName, bases, parse_name, provider_named
from .names import MAKERS, base_of, slips, unknown
from .resolution import Resolution


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
    catalogue = catalogue or shipped()
    asked = name.strip()
    if not asked:
        raise ConfigError("the model's name is empty; name one, such as local:smollm2")
    rules = _Rules(catalogue, on)
    wanted = None if provider is None else provider_named(provider, providers)
    written = parse_name(catalogue, asked, providers)
    if wanted and written.provider not in (None, wanted):
        if written.firm:
            raise ConfigError(
                f"{asked!r} names {written.provider}, but provider={wanted!r}; "
                f"for its counterpart there ask for {written.rest!r} with provider={wanted!r}"
            )
        return rules.translated(asked, written.rest, wanted)
    if verbatim or (wanted or written.provider) in providers:
        return rules.as_it_is(asked, wanted or written.provider, written.rest)
    if written.provider:
        return rules.there(asked, written)
    return rules.translated(asked, asked, wanted) if wanted else rules.bare(asked)


class _Rules:
    """One method for each way in which a name can be meant."""

    def __init__(self, catalogue: Catalogue, on: date) -> None:
        self._catalogue = catalogue
        self._look = Lookup(catalogue, on)

    def as_it_is(self, asked: str, provider: str | None, model: str) -> Resolution:
        """An id that is sent as it is written, known or not."""
        if provider is None:
            try:
                provider = self.bare(asked).provider
            except UnknownModelError as error:
                hint = f'say whose it is: "provider:{asked}", or provider=...'
                raise unknown(asked, hint=hint) from error
        return self._look.found(asked, provider, model, How.VERBATIM)

    def there(self, asked: str, written: ParsedName) -> Resolution:
        """A name that states its provider: that provider's id, and nobody else's."""
        provider, model = written.provider or "", written.rest
        known = self._look.known(asked, provider, model)
        if known is not None:
            return replace(known, ambiguous=True) if written.or_provider else known
        if not (provider == "local" and model.lower().endswith(".gguf")):
            self._refuse_strangers(asked, provider, model)
        return self._look.found(asked, provider, model, How.VERBATIM)

    def translated(self, asked: str, model: str, provider: str) -> Resolution:
        """A name wanted at one provider: its own id there, or its peer."""
        known = self._look.known(asked, provider, model)
        standard = self._catalogue.names.get(normal(model))
        if known is not None and (standard is None or self._look.home(standard) == provider):
            return known
        how = How.MAPPED if standard else How.EQUIVALENT
        standard = standard or self._standard(model)
        peers = standard.peers.get(provider, ()) if standard else ()
        if standard is not None and peers:
            if normal(peers[0]) == normal(model):
                return self._look.found(asked, provider, peers[0], How.EXACT, standard)
            return self._look.found(asked, provider, peers[0], how, standard, living=True)
        for place, same in self._look.elsewhere(model):
            if place == provider:
                return self._look.found(asked, provider, same, How.EQUIVALENT, standard)
        if known is not None:
            return known
        raise self._no_counterpart(asked, model, provider, standard)

    def bare(self, asked: str) -> Resolution:
        """A name that states nothing: the maker's, with the others named."""
        hits = self._hits(asked)
        standard = self._catalogue.names.get(normal(asked))
        if standard is not None:
            home = self._look.home(standard)
            hits.sort(key=lambda hit: hit[0] != home)
        if not hits:
            raise self._nobodys(asked)
        provider, hit = hits[0]
        found = self._look.found(asked, provider, hit.id, hit.how, verified=hit.verified)
        others = tuple(f"{place}:{other.id}" for place, other in hits[1:])
        return replace(found, ambiguous=True, alternatives=others) if others else found

    def _hits(self, name: str) -> list[tuple[str, Match]]:
        """Every provider that has an id of that name, in the order in which they are meant."""
        hits = ((place, self._look.hit(place, name)) for place in BARE)
        return [(place, hit) for place, hit in hits if hit is not None]

    def _standard(self, model: str) -> StandardName | None:
        """The standard name that an id of any maker belongs to."""
        places = [(place, model) for place in BARE]
        for place, wanted in (*places, *self._look.elsewhere(model)):
            hit = self._look.hit(place, wanted)
            standard = self._look.standard_of(place, hit.id) if hit else None
            if standard is not None:
                return standard
        slug = self._catalogue.ids.get("openrouter", {}).get(normal(model), "")
        return next(iter(self._catalogue.peers.get("openrouter", {}).get(slug, ())), None)

    def _refuse_strangers(self, asked: str, provider: str, model: str) -> None:
        """An id that another provider has, or a slip of the pen, is an error."""
        key = normal(model)
        for owner in (*MAKERS.values(), "openrouter"):
            if owner == provider or key not in self._catalogue.ids.get(owner, {}):
                continue
            if provider in ("local", "scripted"):
                raise unknown(asked, hint=f"{model} is {owner}'s; ask for {owner}:{model}")
            peer = self.translated(model, model, provider).model
            hint = f"{model} is {owner}'s; there, ask for {peer}"
            raise unknown(asked, hint=hint, suggestions=(f"{provider}:{peer}",))
        known = self._catalogue.ids.get(provider, {}).values()
        if provider in ("local", "scripted"):
            more = ", and the path of any .gguf file" if provider == "local" else ""
            hint = f"{provider} has {', '.join(known)}{more}"
            raise unknown(asked, known, hint)
        near = [] if provider == "ollama" else slips(model, known)
        if near:
            raise unknown(model, suggestions=near)

    def _no_counterpart(
        self, asked: str, model: str, provider: str, standard: StandardName | None
    ) -> UnknownModelError:
        hits = self._hits(model)
        if standard is None and not hits:
            return self._nobodys(asked)
        provider_of, named = (hits[0][0], hits[0][1].id) if hits else ("", model)
        entry = self._catalogue.entry(provider_of, named)
        named = standard.name if standard else named
        kind = standard.kind if standard else (entry.kind if entry else None)
        picks = self._catalogue.classes.get(kind or "", {}).get(provider, ())[:1]
        hint = f"{provider} has no counterpart of {named}"
        hint += f"; its pick of the class {kind} is {picks[0]}" if picks else ""
        return unknown(asked, hint=hint, suggestions=[f"{provider}:{pick}" for pick in picks])

    def _nobodys(self, asked: str) -> UnknownModelError:
        base = base_of(normal(asked))
        for place in BARE[:4]:
            known = base and self._catalogue.ids.get(place, {}).get(base)
            if known:
                hint = f"no such snapshot of {known} is known; for it ask for {place}:{asked}"
                return unknown(asked, hint=hint, suggestions=(known,))
        names = [standard.name for standard in self._catalogue.names.values()]
        for place in BARE:
            names += self._catalogue.ids.get(place, {}).values()
        return unknown(asked, [*names, *bases(self._catalogue)])
