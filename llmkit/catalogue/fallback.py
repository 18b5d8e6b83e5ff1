"""Finds the models that may replace an unavailable one, the nearest first, each once."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import NamedTuple

from ..types import FallbackStep, Lifecycle, Usage
from . import fallback_policy, lifecycle, prices, similarity
from .entry import Catalogue, StandardName, normal
from .names import qualified_name
from .requirements import FallbackLimits, Requirements, at_home, facts, objection_to
from .similarity import Place


@dataclass(frozen=True, slots=True)
class FallbackQuery:
    """The model that is unavailable.

    Attributes:
        standard: The standard name that was requested, or that the model belongs to; None for none.
        named: The models of the caller's list, in its order.
        own: The models that the user's own file names as its fallback.
    """

    provider: str
    model: str
    standard: str | None = None
    named: Sequence[Place] = ()
    own: Sequence[Place] = ()

    @property
    def place(self) -> Place:
        """Provider and id."""
        return self.provider, self.model


class Candidate(NamedTuple):
    """A possible fallback model, and the rule that found it."""

    provider: str
    model: str
    rule: str

    @property
    def place(self) -> Place:
        """Provider and id."""
        return self.provider, self.model


def choose(
    catalogue: Catalogue,
    query: FallbackQuery,
    need: Requirements,
    terms: FallbackLimits,
    rules: Sequence[str],
    failures: Sequence[Place] = (),
) -> tuple[Candidate | None, tuple[str, ...]]:
    """Returns the first allowed fallback model, and why each candidate before it is not allowed.

    Candidates come from *rules*, in this order. Models in *failures* are skipped.
    """
    failed_places = {_same(catalogue, place) for place in failures}
    objections: list[str] = []
    for candidate in candidates(catalogue, query, rules, terms.on):
        if _same(catalogue, candidate.place) in failed_places:
            continue
        is_named = candidate.rule in (fallback_policy.NAMED, fallback_policy.OWN)
        limits = terms
        if terms.home is not None and candidate.rule != fallback_policy.OWN:
            limits = replace(terms, providers=frozenset({terms.home}))
        reason = objection_to(catalogue, *candidate.place, need, limits, named=is_named)
        if reason is None:
            return candidate, tuple(objections)
        objections.append(f"{qualified_name(candidate.place)} {reason}")
    return None, tuple(objections)


def candidates(
    catalogue: Catalogue, query: FallbackQuery, rules: Sequence[str], on: date
) -> Iterator[Candidate]:
    """Yields the fallback candidates of *query* by *rules*, in order, without the model itself."""
    places = {_same(catalogue, query.place)}
    for rule in rules:
        for candidate in SOURCES[rule](catalogue, query, on):
            place = _same(catalogue, candidate.place)
            if place not in places:
                places.add(place)
                yield candidate


def step(
    catalogue: Catalogue, query: FallbackQuery, candidate: Candidate, reason: str
) -> FallbackStep:
    """Returns the report of a replacement, without its price, which depends on the answer."""
    entries = [facts(catalogue, *place) for place in (query.place, candidate.place)]
    old, new = (entry.capabilities if entry else frozenset() for entry in entries)
    return FallbackStep(
        asked=qualified_name(query.place),
        chosen=qualified_name(candidate.place),
        rule=candidate.rule,
        reason=reason,
        lost=tuple(sorted(old - new)),
        class_change=similarity.class_change(catalogue, query.place, candidate.place),
    )


def priced(
    catalogue: Catalogue, replacement: FallbackStep, usage: Usage, on: datetime | None
) -> FallbackStep:
    """Returns *replacement* with the ratio of its cost of *usage* to that of the asked model."""
    costs = []
    for name in (replacement.asked, replacement.chosen):
        provider, _, model = name.partition(":")
        costs.append(prices.cost(provider, model, usage, on=on, catalogue=catalogue))
    before, after = costs
    if before is None or after is None or before.usd == 0:
        return replacement
    return replace(replacement, price_ratio=after.usd / before.usd)


def _same(catalogue: Catalogue, place: Place) -> Place:
    # An alias and its target are one model: if one has failed, the other would fail too.
    provider, model = place
    return provider, normal(catalogue.concrete(provider, model))


def _named(catalogue: Catalogue, query: FallbackQuery, on: date) -> Iterator[Candidate]:
    return (Candidate(*place, fallback_policy.NAMED) for place in query.named)


def _own(catalogue: Catalogue, query: FallbackQuery, on: date) -> Iterator[Candidate]:
    return (Candidate(*place, fallback_policy.OWN) for place in query.own)


def _same_model(catalogue: Catalogue, query: FallbackQuery, on: date) -> Iterator[Candidate]:
    provider, model = query.place
    if provider == "openrouter":
        home = at_home(catalogue, model)
        if home is not None:
            yield Candidate(*home, fallback_policy.SAME_MODEL)
    slug = catalogue.providers[provider].slug if provider in catalogue.providers else None
    if slug is None:
        return
    # The maker has several names for one model; OpenRouter may list it under any of them.
    target = catalogue.concrete(provider, model)
    aliases = (
        alias.alias
        for alias in catalogue.aliases.get(provider, {}).values()
        if alias.kind != "short" and catalogue.concrete(provider, alias.alias) == target
    )
    for name in dict.fromkeys([model, target, *aliases]):
        model_id = catalogue.ids.get("openrouter", {}).get(normal(f"{slug}/{name}"))
        if model_id is not None:
            yield Candidate("openrouter", model_id, fallback_policy.SAME_MODEL)


def _successors(catalogue: Catalogue, query: FallbackQuery, on: date) -> Iterator[Candidate]:
    # Deprecated successors come after the others, the latest first.
    chain = list(lifecycle.successors(catalogue, *query.place))
    states = {m: lifecycle.lifecycle_of(catalogue, query.provider, m, on) for m in chain}
    deprecated_models = [m for m in chain if states[m] is Lifecycle.DEPRECATED]
    # OpenRouter recommends no successors: those listed there are the maker's.
    rule = lifecycle.VENDOR if query.provider == "openrouter" else lifecycle.OFFICIAL
    for model in [m for m in chain if m not in deprecated_models] + deprecated_models[::-1]:
        yield Candidate(query.provider, model, rule)


def _peers(catalogue: Catalogue, query: FallbackQuery, on: date) -> Iterator[Candidate]:
    for standard in _standards(catalogue, query):
        for provider, ids in _home_first(standard.peers, query.provider):
            for peer in ids:
                live, _ = lifecycle.next_live(catalogue, provider, peer, on)
                if live is not None:
                    yield Candidate(provider, live, fallback_policy.PEER)


def _standards(catalogue: Catalogue, query: FallbackQuery) -> Sequence[StandardName]:
    standard = catalogue.names.get(normal(query.standard)) if query.standard else None
    if standard is not None:
        return (standard,)
    names = catalogue.peers.get(query.provider, {}).get(query.model, ())
    return sorted(names, key=lambda name: name.released, reverse=True)[:1]


def _picks(catalogue: Catalogue, query: FallbackQuery, on: date) -> Iterator[Candidate]:
    standards = _standards(catalogue, query)
    kind = standards[0].kind if standards else similarity.kind_of(catalogue, *query.place)
    picks = catalogue.classes.get(kind or "", {})
    for provider, ids in _home_first(picks, query.provider):
        for model in ids:
            yield Candidate(provider, model, lifecycle.CLASS)


def _ranked(catalogue: Catalogue, query: FallbackQuery, on: date) -> Iterator[Candidate]:
    if facts(catalogue, *query.place) is None:
        return  # similarity needs the catalogue's facts
    places = [
        (provider, model)
        for provider, models in catalogue.models.items()
        for model in models
        # The embedded model and scripts never replace a model of a real provider.
        if not (provider in catalogue.providers and catalogue.providers[provider].closed)
        and lifecycle.lifecycle_of(catalogue, provider, model, on) not in lifecycle.GONE
    ]
    for place in similarity.ranked(catalogue, query.place, places, on):
        yield Candidate(*place, fallback_policy.RANKED)


def _home_first(
    by_provider: Mapping[str, tuple[str, ...]], home: str
) -> list[tuple[str, tuple[str, ...]]]:
    return sorted(by_provider.items(), key=lambda item: item[0] != home)


SOURCES: dict[str, Callable[[Catalogue, FallbackQuery, date], Iterator[Candidate]]] = {
    fallback_policy.NAMED: _named,
    fallback_policy.OWN: _own,
    fallback_policy.SAME_MODEL: _same_model,
    lifecycle.OFFICIAL: _successors,
    fallback_policy.PEER: _peers,
    lifecycle.CLASS: _picks,
    fallback_policy.RANKED: _ranked,
}
