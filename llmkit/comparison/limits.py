"""Refuses a comparison that exceeds its limits on requests or cost, before anything is sent.

Also computes the highest cost of one answer, for the budget of a running comparison.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import replace
from functools import partial

from ..catalogue import prices
from ..catalogue.entry import Catalogue
from ..catalogue.lifecycle import facts_of
from ..catalogue.price_rules import is_cloud
from ..catalogue.token_estimate import guessed_usage
from ..chat.call import Call
from ..errors import SpendLimitError, shorten
from ..types import Usage
from ..wire.base_urls import is_loopback, url_parts
from ..wire.messages import as_dict, as_int, parse_json
from .budget import Budget, HighestCost
from .plan import PlannedRow, merge_identical

# Fields of requests that limit the tokens of an answer.
OUTPUT_LIMITS = ("max_tokens", "max_completion_tokens", "max_output_tokens", "maxOutputTokens")
GIVE_PRICE = (
    "write its price into [[prices]] of catalogue.toml, or add its server with priced=False"
)
TEMPLATE_TOKENS = 64  # that a provider's chat template may add to the text of a request


def limited_plan(
    rows: Iterable[PlannedRow],
    *,
    max_calls: int,
    max_cost_usd: float | None,
    catalogue: Catalogue,
) -> tuple[PlannedRow, ...]:
    """Returns *rows* with identical requests merged, after checking both limits.

    Args:
        max_calls: Maximum number of requests that may cost money; see `is_paid`.
        max_cost_usd: Maximum estimated cost in US dollars, None for no limit.

    Raises:
        SpendLimitError: The plan exceeds a limit, or a price needed for the check is unknown.
    """
    plan = merge_identical(rows)
    unique_calls = [row.call for row in plan if row.call is not None and row.same_as is None]
    paid_calls = [call for call in unique_calls if is_paid(call)]
    if len(paid_calls) > max_calls:
        raise SpendLimitError(
            f"max_calls={max_calls} is exceeded by paid requests: {len(paid_calls)}; "
            f"nothing was sent; pass max_calls={len(paid_calls)} to allow them"
        )
    if max_cost_usd is None or not paid_calls:
        return plan
    costs = [(call, estimate_cost(call, catalogue)) for call in paid_calls]
    unknown_models = sorted({f"{c.provider.name}:{c.model}" for c, usd in costs if usd is None})
    if unknown_models:
        raise SpendLimitError(
            f"the price of {shorten(', '.join(unknown_models), 120)} is unknown, so max_cost_usd "
            f"cannot be checked; nothing was sent; {GIVE_PRICE}, or omit the model or max_cost_usd"
        )
    total = sum(usd or 0.0 for _, usd in costs)
    if total > max_cost_usd:
        raise SpendLimitError(
            f"the estimated cost of ${total:.4f} exceeds max_cost_usd={max_cost_usd:g}; "
            "nothing was sent; lower max_tokens or raise the limit"
        )
    return tuple(replace(row, highest_usd=open_ended_cost(row.call, catalogue)) for row in plan)


def is_paid(call: Call) -> bool:
    """Returns True if an answer to *call* may cost money.

    Free are the local model, scripts, Ollama's own models, servers that were added with
    `priced=False`, and a server on this machine that gets no key and no header of the user's. A
    model that Ollama passes on to its cloud is not its own.
    """
    provider = call.provider
    if provider.facts.kind == "own":
        return is_cloud(call.model, provider.base_url)
    if not provider.facts.paid:
        return False
    if call.key is not None or provider.needs_key or provider.headers:  # estimates read no keys
        return True
    return not is_loopback(url_parts(provider.base_url).hostname or "")


def budget_of(max_cost_usd: float | None, catalogue: Catalogue) -> Budget | None:
    """Returns the budget of a run, None if it has no limit."""
    if max_cost_usd is None:
        return None
    return Budget(max_cost_usd, partial(highest_cost, catalogue=catalogue))


def highest_cost(call: Call, catalogue: Catalogue) -> HighestCost:
    """Returns an upper bound of what *call* may cost in US dollars.

    A token of a request has at least one byte. An answer has at most `max_tokens`, or else as many
    tokens as the model can write. The cost is infinite if the catalogue does not know them.

    Raises:
        SpendLimitError: The price is unknown.
    """
    provider, model, prompt = call.provider, call.model, call.prompt
    if not is_paid(call):
        return HighestCost(0.0)
    body = provider.chat_request(prompt, model=model, key=call.key, stream=True).body
    fields = as_dict(parse_json(body))
    fields = {**fields, **as_dict(fields.get("generationConfig"))}
    most = max((as_int(fields.get(name)) or 0 for name in OUTPUT_LIMITS), default=0)
    if not most:
        facts = facts_of(catalogue, provider.name, model)
        most = (facts and facts.max_output) or 0
    size = len(body) + TEMPLATE_TOKENS
    # Writing to a cache costs more than reading a prompt.
    usage = Usage(size, most, cache_write_tokens=size if b"cache_control" in body else 0)
    terms = replace(call.terms, is_estimate=True)
    cost = prices.cost(provider.name, model, usage, on=None, catalogue=catalogue, terms=terms)
    if cost is None:
        raise SpendLimitError(
            f"the price of {provider.name}:{model} is unknown, so max_cost_usd cannot be checked, "
            f"and it was not asked; {GIVE_PRICE}, or omit the model or max_cost_usd"
        )
    names = {name for name, _ in prompt.options}
    is_open = prompt.max_tokens is None and names.isdisjoint(OUTPUT_LIMITS)
    return HighestCost(cost.usd if most else math.inf, is_open)


def open_ended_cost(call: Call | None, catalogue: Catalogue) -> float | None:
    """Returns the highest cost of a paid call without max_tokens, None for other calls."""
    highest = None if call is None else highest_cost(call, catalogue)
    return highest.usd if highest is not None and highest.is_open else None


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
