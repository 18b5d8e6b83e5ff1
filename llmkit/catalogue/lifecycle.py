"""Finds a model's lifecycle state on a date, its retirement date and its successors."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from ..types import Capability, Lifecycle
from .entry import LONGEST_CHAIN, Catalogue, ModelEntry, normal

SAME = "same"
OFFICIAL = "official-successor"
VENDOR = "vendor-successor"
CLASS = "class-default"
GONE = (Lifecycle.RETIRED, Lifecycle.REROUTED)


def lifecycle_of(catalogue: Catalogue, provider: str, model: str, on: date) -> Lifecycle:
    """Returns the state of an id on a date; an alias or a snapshot has the state of its target."""
    first_state = Lifecycle.UNKNOWN
    for entry in entries_of(catalogue, provider, model):
        state = entry.lifecycle(on)
        if state in (*GONE, Lifecycle.DEPRECATED):
            return state
        first_state = state if first_state is Lifecycle.UNKNOWN else first_state
    return first_state


def is_listed(catalogue: Catalogue, provider: str, model: str) -> bool | None:
    """Returns whether the provider's own list has the id, None without a recent list."""
    answer = None
    for entry in entries_of(catalogue, provider, model):
        if entry.listed:
            return True
        answer = entry.listed if answer is None else answer
    return answer


def retires_on(catalogue: Catalogue, provider: str, model: str) -> date | None:
    """Returns the date on which an id is retired or rerouted, None if unknown."""
    ends = (entry.ends for entry in entries_of(catalogue, provider, model))
    return next(filter(None, ends), None)


def reroutes_on(catalogue: Catalogue, provider: str, model: str) -> date | None:
    """Returns the date from which another model answers an id, None if the id is retired before."""
    rows = entries_of(catalogue, provider, model)
    row = next((entry for entry in rows if entry.ends is not None), None)
    return row.rerouted if row is not None and row.rerouted == row.ends else None


def successor_of(catalogue: Catalogue, provider: str, model: str) -> str | None:
    """Returns the replacement that the provider names (a reseller: the maker), or None."""
    for entry in entries_of(catalogue, provider, model):
        if entry.rerouted_to or entry.successors:
            return entry.rerouted_to or entry.successors[0]
    return None


def known_capabilities(catalogue: Catalogue, provider: str, model: str) -> frozenset[Capability]:
    """Returns the known capabilities of an id; an alias has those of its target."""
    entry = facts_of(catalogue, provider, model)
    return entry.capabilities if entry else frozenset()


def facts_of(catalogue: Catalogue, provider: str, model: str) -> ModelEntry | None:
    """Returns the row with limits and capabilities: the id's, or its target's if that has none."""
    rows = list(entries_of(catalogue, provider, model))
    full_rows = (entry for entry in rows if entry.input_limit or entry.capabilities or entry.lacks)
    return next(full_rows, rows[0] if rows else None)


def entries_of(catalogue: Catalogue, provider: str, model: str) -> Iterator[ModelEntry]:
    """Yields the row of an id, then those of its alias target, base model or base variant."""
    ids: set[str] = set()
    here: str | None = model
    while here is not None and here not in ids and len(ids) < LONGEST_CHAIN:
        ids.add(here)
        entry = catalogue.entry(provider, here)
        if entry is not None:
            yield entry
        base, colon, tag = here.partition("@preset/" if "@preset/" in here else ":")
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
    """Returns the id to call on that date and the rule that found it, (None, None) if none.

    A deprecated successor is followed by its own successors, so that the replacement lasts.

    Args:
        kind: The class whose default is used if no successor is available.
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
        # OpenRouter names no successors: those in its rows are the maker's.
        return last, VENDOR if provider == "openrouter" else OFFICIAL
    for pick in catalogue.classes.get(kind or "", {}).get(provider, ()):
        if lifecycle_of(catalogue, provider, pick, on) not in GONE:
            return pick, CLASS
    return None, None


def successors(catalogue: Catalogue, provider: str, model: str) -> Iterator[str]:
    """Yields the successors of *model*, each named by the one before, without repetition."""
    ids = {model}
    here = successor_of(catalogue, provider, model)
    while here is not None and here not in ids and len(ids) < LONGEST_CHAIN:
        ids.add(here)
        yield here
        here = successor_of(catalogue, provider, here)


@dataclass(frozen=True, slots=True)
class Successor:
    """One id of a chain of successors; `ends` is the date it is retired or rerouted."""

    model: str
    lifecycle: Lifecycle
    ends: date | None


def chain(
    catalogue: Catalogue, provider: str, model: str, on: date, kind: str | None = None
) -> tuple[Successor, ...]:
    """Returns the id, then its successors up to the result of `next_live`."""
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
            here, lifecycle_of(catalogue, provider, here, on), retires_on(catalogue, provider, here)
        )
        for here in ids
    )
