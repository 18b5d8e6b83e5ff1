"""Decides from the known facts if a model can serve as a fallback for a request."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

from ..types import Capability, Lifecycle, Prompt, Usage
from . import lifecycle, prices, token_estimate
from .entry import Catalogue, ModelEntry, normal

MARGIN = 1.1  # on an estimate of tokens
# All available chat models accept this many tokens (the smallest window of the catalogue is 4,096),
# so a short question can go to a model with an unknown context window.
SMALLEST_WINDOW = 2048


@dataclass(frozen=True, slots=True)
class Requirements:
    """The requirements of one request.

    Attributes:
        usage: The estimated tokens.
        output_tokens: The limit of output tokens that the caller set, None if none.
        capabilities: The capabilities that the answer needs.
        more_than: An input limit, in tokens, that was too small.
    """

    usage: Usage
    output_tokens: int | None = None
    capabilities: tuple[Capability, ...] = ()
    more_than: int | None = None

    @property
    def input_tokens(self) -> int:
        """The required input limit, with a margin for the estimate."""
        return round((self.usage.input_tokens or 0) * MARGIN)


def need_of(prompt: Prompt, capabilities: tuple[Capability, ...] = ()) -> Requirements:
    """Returns the requirements of *prompt*."""
    return Requirements(token_estimate.guessed_usage(prompt), prompt.max_tokens, capabilities)


@dataclass(frozen=True, slots=True)
class FallbackLimits:
    """The limits on fallback models.

    Attributes:
        on: The date for which the lifecycle is looked up.
        has_key: Returns True for a provider that the user can call.
        providers: The allowed providers, None for all.
        home: The provider that only the user's own rows may leave, None for none.
        max_cost_usd: The limit of the estimated cost of one answer, in US dollars.
        allow_unknown: Accepts a model of which the catalogue lacks the needed facts.
    """

    on: date
    has_key: Callable[[str], bool] = lambda provider: True
    providers: frozenset[str] | None = None
    home: str | None = None
    max_cost_usd: float | None = None
    allow_unknown: bool = False


def objection_to(
    catalogue: Catalogue,
    provider: str,
    model: str,
    need: Requirements,
    terms: FallbackLimits,
    *,
    named: bool,
) -> str | None:
    """Returns the reason why that model cannot be used, None if it can.

    Args:
        named: True if the caller named the model. It then passes if its lifecycle or limits are
            unknown, but not if known facts exclude it.
    """
    for objection in _reasons(catalogue, provider, model, need, terms):
        is_vouched_for = terms.allow_unknown or (named and not objection.of_ability)
        if objection.proven or not is_vouched_for:
            return objection.words
    return None


class Objection(NamedTuple):
    """A reason against a model.

    Attributes:
        proven: False if a fact is unknown, so that the model may still be suitable.
        of_ability: True if the request needs a capability that the model lacks.
    """

    words: str
    proven: bool = True
    of_ability: bool = False


def _reasons(
    catalogue: Catalogue, provider: str, model: str, need: Requirements, terms: FallbackLimits
) -> Iterator[Objection]:
    entry = facts(catalogue, provider, model)
    if terms.providers is not None and provider not in terms.providers:
        yield Objection("is at a provider that is not allowed")
    yield from _life(catalogue, provider, model, terms.on)
    if not terms.has_key(provider):
        yield Objection(f"needs a key for {provider}")
    yield from _abilities(entry, need)
    window = entry.input_limit if entry else None
    if need.more_than is not None and window is not None and window <= need.more_than:
        yield Objection(f"takes at most the {need.more_than:,} tokens that were too few")
    yield from _size("takes", window, need.input_tokens, always=need.more_than is not None)
    yield from _size("writes", entry.max_output if entry else None, need.output_tokens or 0)
    total = entry.context_total if entry else None
    if total is not None and need.input_tokens + (need.output_tokens or 0) > total:
        yield Objection(f"has {total:,} tokens for prompt and answer together")
    if terms.max_cost_usd is not None:
        cost = prices.cost(provider, model, need.usage, on=None, catalogue=catalogue)
        if cost is None:
            yield Objection("has no known price", proven=False)
        elif cost.usd > terms.max_cost_usd:
            yield Objection(f"would cost about ${cost.usd:.2g}, more than ${terms.max_cost_usd:g}")


def _life(catalogue: Catalogue, provider: str, model: str, on: date) -> Iterator[Objection]:
    state = lifecycle.lifecycle_of(catalogue, provider, model, on)
    is_listed = lifecycle.is_listed(catalogue, provider, model)
    if state in lifecycle.GONE:
        yield Objection(f"is {state}")
    elif is_listed is False:
        yield Objection(f"is not in {provider}'s own list")
    elif is_listed is None:
        # A reseller's model ends when its maker retires it.
        home = at_home(catalogue, model)
        at_maker = lifecycle.lifecycle_of(catalogue, *home, on) if home else None
        if state is Lifecycle.UNKNOWN or at_maker is Lifecycle.RETIRED:
            yield Objection("is not known to be alive", proven=False)
        elif provider == "ollama":
            yield Objection("is not known to be on this machine", proven=False)


def facts(catalogue: Catalogue, provider: str, model: str) -> ModelEntry | None:
    """Returns the facts about an id; OpenRouter's ids get those of the maker if they have none."""
    entry = lifecycle.facts_of(catalogue, provider, model)
    bare = entry is None or not (entry.input_limit or entry.capabilities or entry.lacks)
    home = at_home(catalogue, model) if bare and provider == "openrouter" else None
    return (lifecycle.facts_of(catalogue, *home) if home else None) or entry


def at_home(catalogue: Catalogue, model: str) -> tuple[str, str] | None:
    """Returns provider and id of an OpenRouter id at its maker's own API, None if unknown."""
    maker, _, rest = model.partition(":")[0].partition("/")
    home, key = catalogue.providers.makers.get(maker, ""), normal(rest)
    model_id = catalogue.ids.get(home, {}).get(key)
    alias = catalogue.aliases.get(home, {}).get(key)
    name = model_id or (alias.alias if alias else None)
    return (home, name) if name else None


def _abilities(entry: ModelEntry | None, need: Requirements) -> Iterator[Objection]:
    if entry is not None and entry.output_modalities and "text" not in entry.output_modalities:
        yield Objection("writes no text")
    if entry is not None and (entry.kind == "embedding" or entry.has(Capability.EMBEDDING) is True):
        yield Objection("makes embeddings and no text")
    for ability in need.capabilities:
        has_it = entry.has(ability) if entry else None
        if has_it is not True:
            words = f"has no {ability}" if has_it is False else f"is not known to have {ability}"
            yield Objection(words, proven=has_it is False, of_ability=True)


def _size(
    verb: str, limit: int | None, tokens: int, *, always: bool = False
) -> Iterator[Objection]:
    if limit is None:
        if always or tokens > SMALLEST_WINDOW:
            what = "take" if verb == "takes" else "write"
            yield Objection(f"is not known to {what} {tokens:,} tokens", proven=False)
    elif tokens > limit:
        yield Objection(f"{verb} {limit:,} tokens, and about {tokens:,} are needed")
