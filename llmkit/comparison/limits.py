"""Refuses a comparison that exceeds its limits on requests or cost, before anything is sent."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

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
    """Checks *plan* against both limits.

    Args:
        plan: The rows, with identical requests merged.
        max_calls: Maximum number of requests to providers that may charge for them.
        max_cost_usd: Maximum estimated cost in US dollars, None for no limit.
        cost: Estimates one call; returns None if the price is unknown.

    Raises:
        SpendLimitError: The plan exceeds a limit, or a price needed for the check is unknown.
    """
    unique_calls = [row.call for row in plan if row.call is not None and row.same_as is None]
    paid_calls = [call for call in unique_calls if call.provider.facts.paid]
    if len(paid_calls) > max_calls:
        raise SpendLimitError(
            f"{len(paid_calls)} paid requests exceed max_calls={max_calls}; "
            f"nothing was sent; pass max_calls={len(paid_calls)} to allow them"
        )
    if max_cost_usd is None or not paid_calls:
        return
    costs = [(call, cost(call)) for call in paid_calls]
    unknown_models = sorted({f"{c.provider.name}:{c.model}" for c, usd in costs if usd is None})
    if unknown_models:
        raise SpendLimitError(
            f"the price of {', '.join(unknown_models)} is unknown, so max_cost_usd cannot be "
            "checked; nothing was sent; omit the model or max_cost_usd"
        )
    total = sum(usd or 0.0 for _, usd in costs)
    if total > max_cost_usd:
        raise SpendLimitError(
            f"the estimated cost of ${total:.4f} exceeds max_cost_usd={max_cost_usd:g}; "
            "nothing was sent; lower max_tokens or raise the limit"
        )


def estimate_usage(call: Call, catalogue: Catalogue) -> tuple[Usage, prices.Cost | str]:
    """Returns roughly what *call* will use, and its cost or why no price is known."""
    provider = call.provider.name
    facts = facts_of(catalogue, provider, call.model)
    usage = guessed_usage(call.prompt, facts.max_output if facts else None)
    terms = replace(call.terms, is_estimate=True)
    return usage, prices.price_of(
        provider, call.model, None, usage, on=None, catalogue=catalogue, terms=terms
    )


def estimate_cost(call: Call, catalogue: Catalogue) -> float | None:
    """Returns roughly what *call* will cost in US dollars, None if no price is known."""
    _, cost = estimate_usage(call, catalogue)
    return None if isinstance(cost, str) else cost.usd
