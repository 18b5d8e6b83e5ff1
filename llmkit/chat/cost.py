"""Puts what an answer cost to it, and what its substitution did to the price."""

from __future__ import annotations

import asyncio
import threading
from contextlib import suppress
from dataclasses import replace
from functools import cache

from ..catalogue import prices
from ..catalogue.entry import Catalogue
from ..catalogue.lifecycle import facts_of
from ..catalogue.token_estimate import guessed_usage
from ..types import Completion, Usage
from .call import Call


def preload(provider: str, catalogue: Catalogue) -> None:
    """Begins to read the price tables where *provider*'s answers need them; waits for nothing.

    A first answer would have to wait for them at its end; so they are read while it is made.
    """
    if not prices.ready(provider, catalogue):
        _begin()


@cache
def _begin() -> None:
    threading.Thread(target=_load, name="llmkit-prices").start()


def _load() -> None:
    with suppress(ImportError):  # whoever needs a price is told
        prices.load()


async def priced(completion: Completion, catalogue: Catalogue) -> Completion:
    """*completion* with its cost, where the provider did not say it and a price is known."""
    has_cost = completion.cost_usd is not None
    if has_cost and not completion.fallback:
        return completion
    if completion.fallback or not prices.ready(completion.provider, catalogue):
        await asyncio.to_thread(prices.load)
    usage, on = completion.usage, completion.started_at
    models = () if has_cost else (completion.response_model, completion.request_model)
    for model in filter(None, models):
        cost = prices.cost(completion.provider, model, usage, on=on, catalogue=catalogue)
        if cost is not None:
            completion = replace(completion, cost_usd=cost.usd, cost_source=cost.source)
            break
    if completion.fallback:
        from ..catalogue import fallback  # few answers come from another model than the one asked

        steps = (fallback.priced(catalogue, step, usage, on) for step in completion.fallback)
        completion = replace(completion, fallback=tuple(steps))
    return completion


def estimate_usage(call: Call, catalogue: Catalogue) -> tuple[Usage, prices.Cost | None]:
    """Roughly what *call* will use, and its cost; None where no price is known."""
    provider = call.provider.name
    facts = facts_of(catalogue, provider, call.model)
    usage = guessed_usage(call.prompt, facts.max_output if facts else None)
    return usage, prices.cost(provider, call.model, usage, on=None, catalogue=catalogue)


def estimate_cost(call: Call, catalogue: Catalogue) -> float | None:
    """Roughly what *call* will cost in US dollars, None where no price is known."""
    _, cost = estimate_usage(call, catalogue)
    return cost.usd if cost else None
