"""Finds an id at one provider, and collects what the catalogue knows about it."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator
from datetime import date
from typing import NamedTuple

from ..types import How
from . import lifecycle
from .entry import Catalogue, StandardName, normal
from .name_parser import bases
from .names import base_of, is_dated, unknown
from .resolution import Resolution
from .vocabulary import ollama_library

ROUTING = ("nitro", "floor", "exacto", "online")  # valid with any id of OpenRouter
# Ids of their own, which OpenRouter may have and the catalogue may lack. Source:
# https://openrouter.ai/docs/guides/routing/model-variants/overview (read 2026-11-30).
VARIANTS = ("free", "extended", "thinking", "beta", "batch")
_VARIANT = re.compile("(?::|@preset/).*")


class Match(NamedTuple):
    """The id that a name means; `verified` is None if the catalogue's rows decide that."""

    id: str
    how: How
    verified: bool | None = None


class Lookup:
    """Looks up the rows of one catalogue as they are on one date."""

    def __init__(self, catalogue: Catalogue, on: date) -> None:
        self.catalogue = catalogue
        self._on = on

    def known(self, name: str, provider: str, model: str) -> Resolution | None:
        """Resolves *model* at *provider*; returns None if it is unknown there."""
        match = self.match(provider, model)
        if match is None and provider == "ollama":
            match = self._tagged(model, ollama_library())
        if match is None:
            return None
        return self.resolution_for(name, provider, match.id, match.how, verified=match.verified)

    def match(self, provider: str, model: str) -> Match | None:
        """Returns the provider's id for a name, None if there is none."""
        key = normal(model)
        alias = self.catalogue.aliases.get(provider, {}).get(key)
        if alias is not None and alias.kind == "short":
            return Match(alias.target, How.ALIAS)
        model_id = self.catalogue.ids.get(provider, {}).get(key)
        if model_id is not None:
            return Match(model_id, How.EXACT)
        if alias is not None:
            return Match(alias.alias, How.ALIAS)
        standard = self.catalogue.names.get(key)
        if standard is not None and self.home(standard) == provider:
            peers = standard.peers.get(provider, ())
            if peers:
                return Match(peers[0], How.ALIAS)
        if provider == "ollama":
            return self._tagged(model, bases(self.catalogue))
        return self._variant(model) if provider == "openrouter" else None

    def resolution_for(
        self,
        name: str,
        provider: str,
        model: str,
        how: How,
        standard: StandardName | None = None,
        *,
        living: bool = False,
        verified: bool | None = None,
    ) -> Resolution:
        """Returns all that is known about an id.

        Args:
            living: Sends the available successor of a retired id. For ids that llmkit chose by
                translation; an id that the caller named is never replaced here.
            verified: True if the id is confirmed, None to look it up in the catalogue.
        """
        catalogue, on = self.catalogue, self._on
        standard = standard or self.standard_of(provider, model)
        kind = standard.kind if standard else None
        live, rule = lifecycle.next_live(catalogue, provider, model, on, kind)
        state = lifecycle.lifecycle_of(catalogue, provider, model, on)
        alias = catalogue.aliases.get(provider, {}).get(normal(model))
        row = next(lifecycle.entries_of(catalogue, provider, model), None) or alias
        target = catalogue.concrete(provider, model)
        in_catalogue = catalogue.entry(provider, model) is not None or alias is not None
        at_maker = self.elsewhere(model) if provider == "openrouter" else ()
        return Resolution(
            asked=name, provider=provider, id=model, how=how, lifecycle=state, live=live,
            live_rule=rule, as_of=catalogue.as_of, on=on,
            model=live if living and live and state in lifecycle.GONE else model,
            standard=standard.name if standard else None,
            retires_on=lifecycle.retires_on(catalogue, provider, model),
            reroutes_on=lifecycle.reroutes_on(catalogue, provider, model),
            successor=lifecycle.successor_of(catalogue, provider, model),
            target=None if target == model else target,
            floating=_floats(provider, model, alias is not None and alias.kind == "floating"),
            verified=in_catalogue if verified is None else verified,
            alternatives=tuple(f"{home}:{model_id}" for home, model_id in at_maker),
            listed=lifecycle.is_listed(catalogue, provider, model),
            source=row.source if row else "",
            read=row.read if row else None,
        )  # fmt: skip

    def standard_of(self, provider: str, model: str) -> StandardName | None:
        """Returns the standard name of an id at its maker, None if it has none."""
        own = self.catalogue.names.get(normal(model))
        if own is not None and self.home(own) == provider:
            return own
        alias = self.catalogue.aliases.get(provider, {}).get(normal(model))
        peers = self.catalogue.peers.get(provider, {})
        for spelling in (model, alias.target if alias else "", base_of(model) or ""):
            for name in peers.get(spelling, ()):
                if self.home(name) == provider:
                    return name
        return None

    def home(self, standard: StandardName) -> str:
        """Returns the provider that makes the model of a standard name."""
        return self.catalogue.providers.home_of(standard.name)

    def is_available(self, provider: str, model: str) -> bool:
        """Returns True if the id can be called, as far as the catalogue knows."""
        state = lifecycle.lifecycle_of(self.catalogue, provider, model, self._on)
        return state not in lifecycle.GONE

    def elsewhere(self, model: str) -> Iterator[tuple[str, str]]:
        """Yields the same model elsewhere: "maker/id" at its maker, a maker's id at OpenRouter."""
        maker, slash, rest = model.partition("/")
        ids, makers = self.catalogue.ids, self.catalogue.providers.makers
        if slash:
            home = makers.get(maker.lower(), "")
            match = self.match(home, _VARIANT.sub("", rest)) if home else None
            if match is not None:
                yield home, match.id
            return
        for maker, home in makers.items():
            model_id = ids.get("openrouter", {}).get(normal(f"{maker}/{model}"))
            if model_id and (normal(model) in ids.get(home, {})):
                yield "openrouter", model_id

    def _tagged(self, model: str, names: Collection[str]) -> Match | None:
        base, _, tag = model.partition(":")
        if base.lower() not in names or tag.lower() in (*ROUTING, *VARIANTS):
            return None
        # Tags are case-sensitive, and users create tags, so an unknown tag may exist.
        model_id = f"{base.lower()}:{tag}" if tag else base.lower()
        return Match(model_id, How.EXACT, verified=not tag or tag == "latest")

    def _variant(self, model: str) -> Match | None:
        ids = self.catalogue.ids.get("openrouter", {})
        if "/" not in model:  # the short form of OpenRouter's own ids, such as auto
            model = f"openrouter/{model}"
            if normal(model) in ids:
                return Match(ids[normal(model)], How.EXACT)
        base, at, preset = model.partition("@preset/")  # of the user's account
        slug = ids.get(normal(base)) if base else ""
        if at and slug is not None:
            return Match(f"{slug}@preset/{preset}", How.VERBATIM, verified=True)
        base, colon, variant = model.rpartition(":")
        slug = ids.get(normal(base))
        if not colon or slug is None:
            return None
        if variant.lower() in ROUTING:
            return Match(f"{slug}:{variant.lower()}", How.EXACT, verified=True)
        if variant.lower() in VARIANTS:
            return Match(f"{slug}:{variant.lower()}", How.VERBATIM, verified=False)
        raise unknown(
            model,
            hint=f"OpenRouter has no variant called {variant}; to use the model without a "
            f"variant, ask for openrouter:{slug}",
            suggestions=(f"openrouter:{slug}",),
        )


def _floats(provider: str, model: str, alias: bool) -> bool:
    if provider == "ollama":
        return ":" not in model or model.endswith(":latest")
    if provider == "openai" and not model.startswith("ft:"):
        return not is_dated(model)
    return alias or re.search(r"-latest\b", model) is not None


def names_beginning(
    prefix: str,
    catalogue: Catalogue,
    *,
    on: date,
    providers: Iterable[str] = (),
    own: Iterable[str] = (),
) -> list[str]:
    """Returns the names that begin with *prefix*, in alphabetical order, for completion.

    With "provider:" these are the provider's available ids, with "maker/" those of OpenRouter.
    Without either they are standard names, the available ids of makers and local servers, and the
    providers. The user's *own* names may have a slash, too.
    """
    place, colon, _ = prefix.partition(":")
    provider = catalogue.providers.name_of(place)
    if "/" in prefix and not colon:  # openrouter/openai/gpt-4o is openai/gpt-4o
        start = "openrouter/" if prefix.lower().startswith("openrouter/") else ""
        ids = list(_alive(catalogue, "openrouter", on))
        candidates: Iterable[str] = [*own, *ids, *(f"{start}{name}" for name in ids)]
    elif colon and (provider in catalogue.models or provider in providers):
        candidates = (f"{place}:{name}" for name in _alive(catalogue, provider, on))
    else:
        names = (name.name for name in catalogue.names.values())
        bare = (name for place in catalogue.providers.bare for name in _alive(catalogue, place, on))
        candidates = [*names, *own, *bare, *(f"{name}:" for name in providers)]
    start = prefix.lower()
    return sorted({name for name in candidates if name.lower().startswith(start)})


def _alive(catalogue: Catalogue, provider: str, on: date) -> Iterator[str]:
    for name in catalogue.models.get(provider, {}):
        if lifecycle.lifecycle_of(catalogue, provider, name, on) not in lifecycle.GONE:
            yield name
    for alias in catalogue.aliases.get(provider, {}).values():
        state = lifecycle.lifecycle_of(catalogue, provider, alias.target, on)
        if alias.kind != "short" and state not in lifecycle.GONE:
            yield alias.alias
