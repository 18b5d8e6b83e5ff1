"""From an id that is gone to the one that can be called, step by step."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from ..types import Lifecycle
from . import lifecycle
from .entry import Catalogue


@dataclass(frozen=True, slots=True)
class Link:
    """One id on the way; its state is the reason for the next one.

    Attributes:
        ends: The day on which it stops to answer as itself.
    """

    model: str
    lifecycle: Lifecycle
    ends: date | None


def chain(
    catalogue: Catalogue, provider: str, model: str, on: date, kind: str | None = None
) -> tuple[Link, ...]:
    """The id itself, then what follows on it up to the one that `next_live` gives.

    Args:
        kind: The class whose pick is taken where the successors end nowhere.
    """
    live, rule = lifecycle.next_live(catalogue, provider, model, on, kind)
    ids = [model]
    if live != model:
        for successor in lifecycle.successors(catalogue, provider, model):
            ids.append(successor)
            if successor == live:
                break
    if rule == lifecycle.CLASS and live is not None:
        ids.append(live)
    return tuple(
        Link(
            here,
            lifecycle.lifecycle_of(catalogue, provider, here, on),
            lifecycle.retires_on(catalogue, provider, here),
        )
        for here in ids
    )
