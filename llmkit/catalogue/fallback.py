"""Which models may answer in the place of one that cannot, the nearest first, none twice."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import NamedTuple

from ..types import FallbackStep, Lifecycle, Usage
from . import fallback_policy, lifecycle, prices, similarity
from .entry import Catalogue, StandardName, normal
from .names import MAKERS, qualified_name
from .requirements import FallbackLimits, Requirements, at_home, facts, objection_to
from .similarity import Place

SLUGS = {home: slug for slug, home in MAKERS.items()}


@dataclass(frozen=True, slots=True)
class FallbackQuery:
    """The model that cannot answer.

    Attributes:
        standard: The standard name that it was asked by, or belongs to; None for none.
        named: What the caller's own list means, in its order.
        own: What the person's own rows name in its place.
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
    """A model that may answer in its place, and the rule that found it."""

    provider: str
    model: str
    rule: str

    @property
    def place(self) -> Place:
        """Provider and id."""
        return self.provider, self.model


def choose(
    catalogue: Catalogue,
    asked: FallbackQuery,
    need: Requirements,
    terms: FallbackLimits,
    rules: Sequence[str],
    tried: Sequence[Place] = (),
) -> tuple[Candidate | None, tuple[str, ...]]:
    """The first model that may answer, and why those before it may not.

    Args:
        rules: Where one may come from, in order.
        tried: Those that have failed already.
    """
    gone = {_same(catalogue, place) for place in tried}
    against: list[str] = []
    for candidate in candidates(catalogue, asked, rules, terms.on):
        if _same(catalogue, candidate.place) in gone:
            continue
        named = candidate.rule in (fallback_policy.NAMED, fallback_policy.OWN)
        reason = objection_to(catalogue, *candidate.place, need, terms, named=named)
        if reason is None:
            return candidate, tuple(against)
        against.append(f"{qualified_name(candidate.place)} {reason}")
    return None, tuple(against)


def candidates(
    catalogue: Catalogue, asked: FallbackQuery, rules: Sequence[str], on: date
) -> Iterator[Candidate]:
    """Who could stand in for *asked*, by *rules* in their order; itself is not among them."""
    seen = {_same(catalogue, asked.place)}
    for rule in rules:
        for found in SOURCES[rule](catalogue, asked, on):
            same = _same(catalogue, found.place)
            if same not in seen:
                seen.add(same)
                yield found


def step(
    catalogue: Catalogue, asked: FallbackQuery, chosen: Candidate, reason: str
) -> FallbackStep:
    """What is told of a replacement; its price comes with the answer."""
    known = [facts(catalogue, *place) for place in (asked.place, chosen.place)]
    had, has = (entry.capabilities if entry else frozenset() for entry in known)
    return FallbackStep(
        asked=qualified_name(asked.place),
        chosen=qualified_name(chosen.place),
        rule=chosen.rule,
        reason=reason,
        lost=tuple(sorted(had - has)),
        class_change=similarity.class_change(catalogue, asked.place, chosen.place),
    )


def priced(
    catalogue: Catalogue, told: FallbackStep, usage: Usage, on: datetime | None
) -> FallbackStep:
    """*told* with what *usage* costs at the chosen model over what it would have cost."""
    costs = []
    for name in (told.asked, told.chosen):
        provider, _, model = name.partition(":")
        costs.append(prices.cost(provider, model, usage, on=on, catalogue=catalogue))
    before, after = costs
    if before is None or after is None or before.usd == 0:
        return told
    return replace(told, price_ratio=after.usd / before.usd)


def _same(catalogue: Catalogue, place: Place) -> Place:
    # An alias and its target are one model, so the one is no way out where the other has failed.
    provider, model = place
    return provider, normal(catalogue.concrete(provider, model))


def _named(catalogue: Catalogue, asked: FallbackQuery, on: date) -> Iterator[Candidate]:
    return (Candidate(*place, fallback_policy.NAMED) for place in asked.named)


def _own(catalogue: Catalogue, asked: FallbackQuery, on: date) -> Iterator[Candidate]:
    return (Candidate(*place, fallback_policy.OWN) for place in asked.own)


def _same_model(catalogue: Catalogue, asked: FallbackQuery, on: date) -> Iterator[Candidate]:
    provider, model = asked.place
    if provider == "openrouter":
        home = at_home(catalogue, model)
        if home is not None:
            yield Candidate(*home, fallback_policy.SAME_MODEL)
    if provider not in SLUGS:
        return
    # Its other names at its maker are all one model; OpenRouter may list it under any of them.
    target = catalogue.concrete(provider, model)
    aliases = (
        alias.alias
        for alias in catalogue.aliases.get(provider, {}).values()
        if alias.kind != "short" and catalogue.concrete(provider, alias.alias) == target
    )
    for name in dict.fromkeys([model, target, *aliases]):
        found = catalogue.ids.get("openrouter", {}).get(normal(f"{SLUGS[provider]}/{name}"))
        if found is not None:
            yield Candidate("openrouter", found, fallback_policy.SAME_MODEL)


def _successors(catalogue: Catalogue, asked: FallbackQuery, on: date) -> Iterator[Candidate]:
    # What is itself about to go comes after what stays, and among those the last one first.
    chain = list(lifecycle.successors(catalogue, *asked.place))
    states = {m: lifecycle.lifecycle_of(catalogue, asked.provider, m, on) for m in chain}
    leaving = [m for m in chain if states[m] is Lifecycle.DEPRECATED]
    # OpenRouter recommends nothing: a successor there is the maker's own.
    rule = lifecycle.VENDOR if asked.provider == "openrouter" else lifecycle.OFFICIAL
    for model in [m for m in chain if m not in leaving] + leaving[::-1]:
        yield Candidate(asked.provider, model, rule)


def _peers(catalogue: Catalogue, asked: FallbackQuery, on: date) -> Iterator[Candidate]:
    for standard in _standards(catalogue, asked):
        for provider, ids in _home_first(standard.peers, asked.provider):
            for peer in ids:
                live, _ = lifecycle.next_live(catalogue, provider, peer, on)
                if live is not None:
                    yield Candidate(provider, live, fallback_policy.PEER)


def _standards(catalogue: Catalogue, asked: FallbackQuery) -> Sequence[StandardName]:
    named = catalogue.names.get(normal(asked.standard)) if asked.standard else None
    if named is not None:
        return (named,)
    found = catalogue.peers.get(asked.provider, {}).get(asked.model, ())
    return sorted(found, key=lambda name: name.released, reverse=True)[:1]


def _picks(catalogue: Catalogue, asked: FallbackQuery, on: date) -> Iterator[Candidate]:
    standards = _standards(catalogue, asked)
    kind = standards[0].kind if standards else similarity.kind_of(catalogue, *asked.place)
    picks = catalogue.classes.get(kind or "", {})
    for provider, ids in _home_first(picks, asked.provider):
        for model in ids:
            yield Candidate(provider, model, lifecycle.CLASS)


def _ranked(catalogue: Catalogue, asked: FallbackQuery, on: date) -> Iterator[Candidate]:
    if facts(catalogue, *asked.place) is None:
        return  # nothing is like what nobody knows
    alive = [
        (provider, model)
        for provider, models in catalogue.models.items()
        for model in models
        if provider not in UNRANKED
        and lifecycle.lifecycle_of(catalogue, provider, model, on) not in lifecycle.GONE
    ]
    for place in similarity.ranked(catalogue, asked.place, alive, on):
        yield Candidate(*place, fallback_policy.RANKED)


def _home_first(
    found: Mapping[str, tuple[str, ...]], home: str
) -> list[tuple[str, tuple[str, ...]]]:
    return sorted(found.items(), key=lambda item: item[0] != home)


UNRANKED = ("local", "scripted")  # never what somebody meant who asked for another model
SOURCES: dict[str, Callable[[Catalogue, FallbackQuery, date], Iterator[Candidate]]] = {
    fallback_policy.NAMED: _named,
    fallback_policy.OWN: _own,
    fallback_policy.SAME_MODEL: _same_model,
    lifecycle.OFFICIAL: _successors,
    fallback_policy.PEER: _peers,
    lifecycle.CLASS: _picks,
    fallback_policy.RANKED: _ranked,
}
