"""What to call in the place of a model that is gone, by a rule that has a name."""

from __future__ import annotations

from datetime import date

from ..types import Capability, Lifecycle
from .entry import Catalogue

SAME = "same"
OFFICIAL = "official-successor"
CLASS = "class-default"
GONE = (Lifecycle.RETIRED, Lifecycle.REROUTED)


def lifecycle_of(catalogue: Catalogue, provider: str, model: str, on: date) -> Lifecycle:
    """The state of an id on that day; an alias has its target's."""
    found = catalogue.entry(provider, model)
    alias = catalogue.aliases.get(provider, {}).get(_key(model))
    own = found.lifecycle(on) if found is not None else Lifecycle.UNKNOWN
    if alias is None or own in (*GONE, Lifecycle.DEPRECATED):
        return own
    return lifecycle_of(catalogue, provider, alias.target, on)


def retires_on(catalogue: Catalogue, provider: str, model: str) -> date | None:
    """The day on which an id stops to answer as itself, None where none is known."""
    found = catalogue.entry(provider, model)
    if found is not None and (found.retires or found.rerouted):
        return found.retires or found.rerouted
    alias = catalogue.aliases.get(provider, {}).get(_key(model))
    return retires_on(catalogue, provider, alias.target) if alias is not None else None


def successor_of(catalogue: Catalogue, provider: str, model: str) -> str | None:
    """What the provider itself names instead, None where it names nothing."""
    found = catalogue.entry(provider, model)
    if found is not None and found.successors:
        return found.successors[0]
    alias = catalogue.aliases.get(provider, {}).get(_key(model))
    return successor_of(catalogue, provider, alias.target) if alias is not None else None


def known_capabilities(catalogue: Catalogue, provider: str, model: str) -> frozenset[Capability]:
    """What an id is known to have; an alias has what its target has."""
    found = catalogue.entry(provider, model)
    if found is not None and found.capabilities:
        return found.capabilities
    alias = catalogue.aliases.get(provider, {}).get(_key(model))
    if alias is None:
        return frozenset()
    return known_capabilities(catalogue, provider, alias.target)


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
    seen = {model}
    here = successor_of(catalogue, provider, model)
    last: str | None = None
    while here is not None and here not in seen:
        seen.add(here)
        state = lifecycle_of(catalogue, provider, here, on)
        onward = successor_of(catalogue, provider, here)
        if state not in GONE:
            last = here
            if state is not Lifecycle.DEPRECATED or onward is None:
                break
        here = onward
    if last is not None:
        return last, OFFICIAL
    return _pick(catalogue, provider, on, kind)


def _pick(
    catalogue: Catalogue, provider: str, on: date, kind: str | None
) -> tuple[str | None, str | None]:
    for model in catalogue.classes.get(kind or "", {}).get(provider, ()):
        if lifecycle_of(catalogue, provider, model, on) not in GONE:
            return model, CLASS
    return None, None


def _key(model: str) -> str:
    return model.lower().replace(".", "-").replace("_", "-")
