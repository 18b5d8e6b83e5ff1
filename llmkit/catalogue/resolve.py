"""Resolves a model's name to a provider and an id on a date, without network or clock."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from datetime import date
from itertools import islice

from ..errors import ConfigError, UnknownModelError, shorten
from ..types import How
from .entry import Catalogue, StandardName, normal
from .lookup import ROUTING, VARIANTS, Lookup, Match
from .name_parser import (
    ParsedName,
    as_typed,
    bases,
    openrouter_makers,
    parse_name,
    provider_named,
)
from .names import base_of, close_to, qualified_name, slips, unknown
from .resolution import Resolution
from .vocabulary import (
    SHOWN_NAME,
    added_for,
    as_name,
    elsewhere,
    model_in,
    ollama_library,
    service_of,
)


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
    text = as_typed(name)
    if not text:
        raise ConfigError("the model name is empty; pass one, such as local:smollm2")
    rules = _Rules(catalogue, on)
    provider_name = None if provider is None else provider_named(catalogue, provider, providers)
    parts = parse_name(catalogue, text, providers)
    is_other = provider_name is not None and parts.provider not in (None, provider_name)
    if provider_name and (verbatim or provider_name in providers):
        if is_other and ":" in text.partition("/")[0]:
            raise _contradiction(text, parts, provider_name)
        # A server may give its models names with any prefix.
        is_whole = is_other or not parts.firm
        return rules.as_it_is(text, provider_name, text if is_whole else parts.rest)
    if provider_name and is_other:
        if parts.firm:
            raise _contradiction(text, parts, provider_name)
        return rules.translated(text, parts.rest, provider_name)
    if parts.lost and provider_name and catalogue.providers[provider_name].kind != "maker":
        return rules.at_provider(text, ParsedName(provider_name, text, firm=True))
    if parts.service or parts.lost:
        raise rules.nowhere(text, parts)
    if verbatim or parts.provider in providers:
        return rules.as_it_is(text, parts.provider, parts.rest)
    if parts.provider:
        return rules.with_own(rules.at_provider(text, parts), parts, providers)
    return (
        rules.translated(text, text, provider_name)
        if provider_name
        else rules.without_provider(text)
    )


def _contradiction(name: str, parts: ParsedName, provider: str) -> ConfigError:
    return ConfigError(
        f"{name!r} names {parts.provider}, but provider={provider!r}; "
        f"for its counterpart there pass {parts.rest!r} with provider={provider!r}"
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
            return replace(
                resolution,
                ambiguous=parts.or_provider is not None,
                by_maker=not (parts.firm or parts.or_provider),
            )
        if not (provider == "local" and model.lower().endswith(".gguf")):
            self._refuse_strangers(name, provider, model)
        resolution = self._look.resolution_for(name, provider, model, How.VERBATIM)
        if parts.firm:
            return resolution
        maker, _, rest = model.partition("/")
        home = self._catalogue.providers.makers.get(maker.lower().lstrip("~"))
        guess = (f"{home}:{rest.partition(':')[0]}",) if home else ()
        return replace(resolution, by_maker=True, alternatives=resolution.alternatives or guess)

    def with_own(
        self, resolution: Resolution, parts: ParsedName, further: Collection[str]
    ) -> Resolution:
        """Adds the user's own provider of that maker to the alternatives of OpenRouter's id."""
        if not (resolution.by_maker and further):
            return resolution
        maker, _, rest = parts.rest.partition("/")
        own = added_for(maker.lower().lstrip("~"), further)
        others = (f"{own}:{rest.partition(':')[0]}",) if own else ()
        return replace(resolution, alternatives=(*resolution.alternatives, *others))

    def nowhere(self, name: str, parts: ParsedName) -> UnknownModelError:
        """Returns the error for a name of a service or path that leads to no provider."""
        others = self._others(parts.rest)
        if parts.service is not None:
            hint = elsewhere(name, parts.rest, parts.word, parts.service)
        elif name.lower().startswith(("http:", "https:")):
            hint = "it is a web address; write the model's name, as in openrouter:maker/model"
        elif name.partition("/")[0].lower() in openrouter_makers(self._catalogue):
            hint = 'OpenRouter has no such ids; write "provider:id" to send one as it is'
            others = others or self._tuned(name)
        else:
            shown_name, maker = shorten(name, 40), shorten(name.partition("/")[0], 40)
            hint = (
                f"{maker} is neither a provider nor a maker at OpenRouter; write openrouter: or "
                f"ollama: before it to send it there as it is, hf.co/{shown_name} to take it from "
                f"Hugging Face with Ollama, or the name of a provider that you added and a colon"
            )
        if others:
            hint += f"; the same model is {' or '.join(others)}"
        return unknown(shorten(name, SHOWN_NAME), hint=hint, suggestions=others)

    def _others(self, path: str) -> list[str]:
        """Returns at most three available models that are called like the end of *path*."""
        catalogue = self._catalogue
        prefix, _, rest = path.partition(":")  # gateway/openai:gpt-5.5
        is_nested = service_of(prefix) or catalogue.providers.name_of(prefix) in catalogue.providers
        names = dict.fromkeys((model_in(path), model_in(rest if is_nested else path)))
        places = [
            (place, match.id)
            for place, facts in catalogue.providers.items()
            for name in names
            if facts.kind == "maker" and (match := self._look.match(place, name))
        ]
        forms = {normal(name) for name in (path, *names)}
        places += [
            ("openrouter", slug)
            for slug in catalogue.ids.get("openrouter", {}).values()
            if normal(slug.partition("/")[2]) in forms
        ]
        living = (place for place in places if self._look.is_available(*place))
        return [qualified_name(place) for place in islice(living, 3)]

    def _tuned(self, name: str) -> list[str]:
        maker, _, rest = name.partition("/")
        home = self._catalogue.providers.makers.get(maker.lower())
        return [f"{home}:{rest}"] if home and rest.lower().startswith("ft:") else []

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
        maker, slash, rest = model.partition("/")
        if slash and maker.lower() == provider == "openrouter":
            model = rest  # openrouter/gpt-4o
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
        is_maker = provider in table and table[provider].kind == "maker"
        is_double = provider in (table.name_of(maker), table.makers.get(maker.lower()))
        last = rest if slash and is_double else model.rpartition(":")[2]
        if is_maker and last != model and (match := self._look.match(provider, last)):
            # openai:openai/gpt-4o; promptfoo writes openai:chat:gpt-4o.
            raise unknown(name, suggestions=(f"{provider}:{match.id}",))
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
        others = self._others(name)
        base, _, tag = name.partition(":")
        is_variant = tag.lower() in (*ROUTING, *VARIANTS)
        if is_variant:
            slugs = [other for other in self._others(base) if other.startswith("openrouter:")]
            others = [f"{slug}:{tag.lower()}" for slug in slugs]
        if base.lower() in ollama_library():
            others = [*others, f"ollama:{base}"] if is_variant else [f"ollama:{name}", *others]
            others = others[:3]
            hint = f"it is in Ollama's library; ask for {' or '.join(others)}"
            return unknown(name, hint=hint, suggestions=others)
        if name.lower().endswith(".gguf"):
            others = [f"local:{name}"]
        if others:
            return unknown(name, hint=f"ask for {' or '.join(others)}", suggestions=others)
        undated = base_of(normal(name))
        for place in self._catalogue.providers.makers.values():
            base_id = undated and self._catalogue.ids.get(place, {}).get(undated)
            if base_id:
                hint = (
                    f"no such snapshot of {base_id} is known; to send it as is, use {place}:{name}"
                )
                return unknown(name, hint=hint, suggestions=(base_id,))
        names = [standard.name for standard in self._catalogue.names.values()]
        for place in self._catalogue.providers.bare:
            names += self._catalogue.ids.get(place, {}).values()
        error = unknown(name, [*names, *bases(self._catalogue)])
        if base and tag and not error.suggestions:
            return self._no_such_place(name, base, tag)
        home = self._catalogue.providers.home_of(normal(name))
        if tag or not self._catalogue.providers[home].paid:
            return error
        hint = f"did you mean {' or '.join(error.suggestions)}? " if error.suggestions else ""
        day = self._catalogue.as_of
        hint += f"if it is newer than the catalogue of {day}, {home}:{name} sends it as it is"
        return unknown(name, hint=hint, suggestions=error.suggestions)

    def _no_such_place(self, name: str, place: str, model: str) -> UnknownModelError:
        """Returns the error for "place:model" if *place* is neither a provider nor a model."""
        near = [f"{provider}:{model}" for provider in close_to(place, self._catalogue.providers)]
        shown_place = shorten(place, 40)
        next_step = (
            f"did you mean {' or '.join(near)}?"
            if near
            else f'add_provider("{as_name(shown_place)}", base_url) adds a server, '
            f"ollama:{shorten(name, 40)} asks Ollama"
        )
        hint = (
            f"{shown_place} names neither a provider nor a model of Ollama's library; {next_step}"
        )
        return unknown(shorten(name, SHOWN_NAME), hint=hint, suggestions=near)
