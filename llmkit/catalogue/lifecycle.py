"""Whether a model can be called on a day, until when, and what can be called in its place."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from ..types import Capability, Lifecycle
from .entry import Catalogue, ModelEntry, normal

SAME = "same"
OFFICIAL = "official-successor"
VENDOR = "vendor-successor"
CLASS = "class-default"
GONE = (Lifecycle.RETIRED, Lifecycle.REROUTED)


def lifecycle_of(catalogue: Catalogue, provider: str, model: str, on: date) -> Lifecycle:
    """The state of an id on that day; an alias or a snapshot has its target's."""
    first_state = Lifecycle.UNKNOWN
    for entry in entries_of(catalogue, provider, model):
        state = entry.lifecycle(on)
        if state in (*GONE, Lifecycle.DEPRECATED):
            return state
        first_state = state if first_state is Lifecycle.UNKNOWN else first_state
    return first_state


def is_listed(catalogue: Catalogue, provider: str, model: str) -> bool | None:
    """Whether its provider's own list has it, None where none was read that counts."""
    answer = None
    for entry in entries_of(catalogue, provider, model):
        if entry.listed:
            return True
        answer = entry.listed if answer is None else answer
    return answer


def retires_on(catalogue: Catalogue, provider: str, model: str) -> date | None:
    """The day on which an id stops to answer as itself, None where none is known."""
    ends = (entry.ends for entry in entries_of(catalogue, provider, model))
    return next(filter(None, ends), None)


def successor_of(catalogue: Catalogue, provider: str, model: str) -> str | None:
    """What is named instead by its provider, at a reseller by its maker; None for nothing."""
    for entry in entries_of(catalogue, provider, model):
        if entry.rerouted_to or entry.successors:
            return entry.rerouted_to or entry.successors[0]
    return None


def known_capabilities(catalogue: Catalogue, provider: str, model: str) -> frozenset[Capability]:
    """What an id is known to have; an alias has what its target has."""
    entry = facts_of(catalogue, provider, model)
    return entry.capabilities if entry else frozenset()


def facts_of(catalogue: Catalogue, provider: str, model: str) -> ModelEntry | None:
    """The row with an id's limits and capabilities: its own, or its target's where that is bare."""
    rows = list(entries_of(catalogue, provider, model))
    full_rows = (entry for entry in rows if entry.input_limit or entry.capabilities or entry.lacks)
    return next(full_rows, rows[0] if rows else None)


def entries_of(catalogue: Catalogue, provider: str, model: str) -> Iterator[ModelEntry]:
    """The row of an id, then those of what it is an alias, a variant or a fine-tune of."""
    ids: set[str] = set()
    here: str | None = model
    while here is not None and here not in ids:
        ids.add(here)
        entry = catalogue.entry(provider, here)
        if entry is not None:
            yield entry
        base, colon, tag = here.partition(":")
        if provider == "openai" and base == "ft":
            here = tag.partition(":")[0] or None
        elif colon and (provider == "openrouter" or (provider, tag) == ("ollama", "latest")):
            here = base
        else:
            alias = catalogue.aliases.get(provider, {}).get(normal(here))
            here = alias.target if alias else None


def next_live(
    catalogue: Catalogue, provider: str, model: str, on: date, kind: str | None = None
) -> tuple[str | None, str | None]:
    """The id to call today and the rule that found it; (None, None) where there is none.

    The whole chain of successors is walked: one that is itself about to go leads on, because a
    replacement that must be replaced next month is none.

    Args:
        kind: The class whose pick is taken where the chain ends nowhere.
    """
    if lifecycle_of(catalogue, provider, model, on) not in GONE:
        return model, SAME
    last = None
    for here in successors(catalogue, provider, model):
        state = lifecycle_of(catalogue, provider, here, on)
        if state not in GONE:
            last = here
        if state not in (*GONE, Lifecycle.DEPRECATED):
            break
    if last is not None:
        # OpenRouter itself recommends nothing: a successor there is the maker's own.
        return last, VENDOR if provider == "openrouter" else OFFICIAL
    for pick in catalogue.classes.get(kind or "", {}).get(provider, ()):
        if lifecycle_of(catalogue, provider, pick, on) not in GONE:
            return pick, CLASS
    return None, None


def successors(catalogue: Catalogue, provider: str, model: str) -> Iterator[str]:
    """The chain of ids that follow on *model*, each named by the one before; no id comes twice."""
    ids = {model}
    here = successor_of(catalogue, provider, model)
    while here is not None and here not in ids:
        ids.add(here)
        yield here
        here = successor_of(catalogue, provider, here)


@dataclass(frozen=True, slots=True)
class Successor:
    """One id on the way; its state is the reason for the next one.

    Attributes:
        ends: The day on which it stops to answer as itself.
    """

    model: str
    lifecycle: Lifecycle
    ends: date | None


def chain(
    catalogue: Catalogue, provider: str, model: str, on: date, kind: str | None = None
) -> tuple[Successor, ...]:
    """The id itself, then what follows on it up to the one that `next_live` gives.

    Args:
        kind: The class whose pick is taken where the successors end nowhere.
    """
    live, rule = next_live(catalogue, provider, model, on, kind)
    ids = [model]
    if live != model:
        for successor in successors(catalogue, provider, model):
            ids.append(successor)
            if successor == live:
                break
    if rule == CLASS and live is not None:
        ids.append(live)
    return tuple(
        Successor(
            here,
            lifecycle_of(catalogue, provider, here, on),
            retires_on(catalogue, provider, here),
        )
        for here in ids
    )
