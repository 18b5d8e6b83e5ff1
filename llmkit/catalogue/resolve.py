"""Resolves a model's name to a provider and an id on a date, without network or clock."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from datetime import date

from ..errors import ConfigError, UnknownModelError
from ..types import How
from .entry import Catalogue, StandardName, normal
from .lookup import Lookup, Match
from .name_parser import ParsedName, bases, parse_name, provider_named
from .names import base_of, slips, unknown
from .resolution import Resolution


def resolve(
    name: str,
    provider: str | None = None,
    *,
    on: date,
    catalogue: Catalogue,
    providers: Collection[str] = (),
    verbatim: bool = False,
) -> Resolution:
    """Returns what *name* means on that date.

    Args:
        name: A standard name, an id, "provider:id", or OpenRouter's "maker/id".
        provider: Translates the name to a comparable model of this provider.
        providers: Further providers, whose ids are used as written.
        verbatim: Uses the id as written, even if it is unknown.

    Raises:
        UnknownModelError: No provider has the name. Misspellings are never corrected.
        UnknownProviderError: *provider* is unknown.
        ConfigError: The name is empty or contradicts *provider*.
    """
    text = name.strip()
    if not text:
        raise ConfigError("the model name is empty; pass one, such as local:smollm2")
    rules = _Rules(catalogue, on)
    provider_name = None if provider is None else provider_named(catalogue, provider, providers)
    parts = parse_name(catalogue, text, providers)
    if provider_name and parts.provider not in (None, provider_name):
        if parts.firm:
            raise ConfigError(
                f"{text!r} names {parts.provider}, but provider={provider_name!r}; "
                f"for its counterpart there pass {parts.rest!r} with provider={provider_name!r}"
            )
        return rules.translated(text, parts.rest, provider_name)
    if verbatim or (provider_name or parts.provider) in providers:
        return rules.as_it_is(text, provider_name or parts.provider, parts.rest)
    if parts.provider:
        return rules.at_provider(text, parts)
    return (
        rules.translated(text, text, provider_name)
        if provider_name
        else rules.without_provider(text)
    )


class _Rules:
    """The rules by which names are resolved, one method each."""

    def __init__(self, catalogue: Catalogue, on: date) -> None:
        self._catalogue = catalogue
        self._look = Lookup(catalogue, on)

    def as_it_is(self, name: str, provider: str | None, model: str) -> Resolution:
        """Resolves an id that is sent as written, even if it is unknown."""
        if provider is None:
            try:
                provider = self.without_provider(name).provider
            except UnknownModelError as error:
                hint = f'name its provider: "provider:{name}", or provider=...'
                raise unknown(name, hint=hint) from error
        return self._look.resolution_for(name, provider, model, How.VERBATIM)

    def at_provider(self, name: str, parts: ParsedName) -> Resolution:
        """Resolves a name that states its provider, only to an id of that provider."""
        provider, model = parts.provider or "", parts.rest
        resolution = self._look.known(name, provider, model)
        if resolution is not None:
            return replace(resolution, ambiguous=True) if parts.or_provider else resolution
        if not (provider == "local" and model.lower().endswith(".gguf")):
            self._refuse_strangers(name, provider, model)
        return self._look.resolution_for(name, provider, model, How.VERBATIM)

    def translated(self, name: str, model: str, provider: str) -> Resolution:
        """Resolves a name to an id of the requested provider: the same model, or its peer."""
        resolution = self._look.known(name, provider, model)
        standard = self._catalogue.names.get(normal(model))
        if resolution is not None and (standard is None or self._look.home(standard) == provider):
            return resolution
        how = How.MAPPED if standard else How.EQUIVALENT
        standard = standard or self._standard(model)
        peers = standard.peers.get(provider, ()) if standard else ()
        if standard is not None and peers:
            if normal(peers[0]) == normal(model):
                return self._look.resolution_for(name, provider, peers[0], How.EXACT, standard)
            return self._look.resolution_for(name, provider, peers[0], how, standard, living=True)
        for place, model_id in self._look.elsewhere(model):
            if place == provider:
                return self._look.resolution_for(name, provider, model_id, How.EQUIVALENT, standard)
        if resolution is not None:
            return resolution
        raise self._no_counterpart(name, model, provider, standard)

    def without_provider(self, name: str) -> Resolution:
        """Resolves a name without a provider to its maker's id, the others as alternatives."""
        hits = self._matches(name)
        standard = self._catalogue.names.get(normal(name))
        if standard is not None:
            home = self._look.home(standard)
            hits.sort(key=lambda match: match[0] != home)
        if not hits:
            raise self._unknown(name)
        provider, match = hits[0]
        resolution = self._look.resolution_for(
            name, provider, match.id, match.how, verified=match.verified
        )
        others = tuple(f"{place}:{other.id}" for place, other in hits[1:])
        return replace(resolution, ambiguous=True, alternatives=others) if others else resolution

    def _matches(self, name: str) -> list[tuple[str, Match]]:
        """Returns the providers that have an id of that name, by descending precedence."""
        hits = ((place, self._look.match(place, name)) for place in self._catalogue.providers.bare)
        return [(place, match) for place, match in hits if match is not None]

    def _standard(self, model: str) -> StandardName | None:
        """Returns the standard name of any maker's id, None if it has none."""
        places = [(place, model) for place in self._catalogue.providers.bare]
        for place, model_id in (*places, *self._look.elsewhere(model)):
            match = self._look.match(place, model_id)
            standard = self._look.standard_of(place, match.id) if match else None
            if standard is not None:
                return standard
        slug = self._catalogue.ids.get("openrouter", {}).get(normal(model), "")
        return next(iter(self._catalogue.peers.get("openrouter", {}).get(slug, ())), None)

    def _refuse_strangers(self, name: str, provider: str, model: str) -> None:
        """Raises UnknownModelError for another provider's id and for a misspelled id."""
        key = normal(model)
        table = self._catalogue.providers
        is_closed = provider in table and table[provider].closed
        for owner in (name for name, facts in table.items() if facts.paid):
            if owner == provider or key not in self._catalogue.ids.get(owner, {}):
                continue
            if is_closed:
                raise unknown(name, hint=f"{model} is a model of {owner}; use {owner}:{model}")
            peer = self.translated(model, model, provider).model
            hint = f"{model} is a model of {owner}; at {provider} use {peer}"
            raise unknown(name, hint=hint, suggestions=(f"{provider}:{peer}",))
        ids = self._catalogue.ids.get(provider, {}).values()
        if is_closed:
            more = ", and the path of any .gguf file" if provider == "local" else ""
            hint = f"{provider} has {', '.join(ids)}{more}"
            raise unknown(name, ids, hint)
        near = [] if provider == "ollama" else slips(model, ids)
        if near:
            raise unknown(model, suggestions=near)

    def _no_counterpart(
        self, name: str, model: str, provider: str, standard: StandardName | None
    ) -> UnknownModelError:
        hits = self._matches(model)
        if standard is None and not hits:
            return self._unknown(name)
        provider_of, subject = (hits[0][0], hits[0][1].id) if hits else ("", model)
        entry = self._catalogue.entry(provider_of, subject)
        subject = standard.name if standard else subject
        kind = standard.kind if standard else (entry.kind if entry else None)
        picks = self._catalogue.classes.get(kind or "", {}).get(provider, ())[:1]
        hint = f"{provider} has no counterpart of {subject}"
        hint += f"; its default for the class {kind} is {picks[0]}" if picks else ""
        return unknown(name, hint=hint, suggestions=[f"{provider}:{pick}" for pick in picks])

    def _unknown(self, name: str) -> UnknownModelError:
        base = base_of(normal(name))
        for place in self._catalogue.providers.makers.values():
            base_id = base and self._catalogue.ids.get(place, {}).get(base)
            if base_id:
                hint = (
                    f"no such snapshot of {base_id} is known; to send it as is, use {place}:{name}"
                )
                return unknown(name, hint=hint, suggestions=(base_id,))
        names = [standard.name for standard in self._catalogue.names.values()]
        for place in self._catalogue.providers.bare:
            names += self._catalogue.ids.get(place, {}).values()
        return unknown(name, [*names, *bases(self._catalogue)])
