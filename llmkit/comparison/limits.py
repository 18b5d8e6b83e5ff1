"""Refuses a run that would send or cost more than was allowed, before anything is sent."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from ..catalogue import prices
from ..catalogue.entry import Catalogue
from ..catalogue.lifecycle import facts_of
from ..catalogue.token_estimate import guessed_usage
from ..chat.call import Call
from ..errors import SpendLimitError
from ..types import Usage
from .plan import PlannedRow


def check_limits(
    plan: Sequence[PlannedRow],
    *,
    max_calls: int,
    max_cost_usd: float | None,
    cost: Callable[[Call], float | None],
) -> None:
    """Passes when the run is within both limits.

    Args:
        plan: Identical requests already merged.
        max_calls: Most requests to providers that may charge for them.
        max_cost_usd: Most US dollars by *cost*'s estimate, None for no limit.
        cost: The estimate for one call, None where no price is known.

    Raises:
        SpendLimitError: One of the limits would be passed, or cannot be vouched for.
    """
    paid_calls = [
        row.call
        for row in plan
        if row.call is not None and row.same_as is None and row.call.provider.facts.paid
    ]
    if len(paid_calls) > max_calls:
        raise SpendLimitError(
            f"this would send {len(paid_calls)} paid requests, more than max_calls={max_calls}; "
            f"nothing was sent; pass max_calls={len(paid_calls)} if you mean it"
        )
    if max_cost_usd is None or not paid_calls:
        return
    costs = [(call, cost(call)) for call in paid_calls]
    unknown_models = sorted({f"{c.provider.name}:{c.model}" for c, usd in costs if usd is None})
    if unknown_models:
        raise SpendLimitError(
            f"no price is known for {', '.join(unknown_models)}, so max_cost_usd cannot be kept; "
            "nothing was sent; leave the model out, or drop max_cost_usd"
        )
    total = sum(usd or 0.0 for _, usd in costs)
    if total > max_cost_usd:
        raise SpendLimitError(
            f"this would cost about ${total:.4f}, more than max_cost_usd={max_cost_usd:g}; "
            "nothing was sent; lower max_tokens or raise the limit"
        )


def estimate_usage(call: Call, catalogue: Catalogue) -> tuple[Usage, prices.Cost | None]:
    """Returns roughly what *call* will use, and its cost; None if no price is known."""
    provider = call.provider.name
    facts = facts_of(catalogue, provider, call.model)
    usage = guessed_usage(call.prompt, facts.max_output if facts else None)
    return usage, prices.cost(provider, call.model, usage, on=None, catalogue=catalogue)


def estimate_cost(call: Call, catalogue: Catalogue) -> float | None:
    """Returns roughly what *call* will cost in US dollars, None if no price is known."""
    _, cost = estimate_usage(call, catalogue)
    return cost.usd if cost else None
