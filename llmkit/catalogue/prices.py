"""What an answer costs, from the price tables of genai-prices (its keeper)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import Any

from ..types import Usage
from .entry import Catalogue, normal

SHORT = 1_000  # tokens of a prompt that is in no higher tier
FREE_RULE = "rule: made on your own machine"


@dataclass(frozen=True, slots=True)
class Cost:
    """US dollars, and the row of the price table that they follow from."""

    usd: float
    source: str


@cache
def load() -> Any:
    """Imports the price tables, a quarter of a second; off a loop that others use."""
    import genai_prices

    genai_prices.calc_price(genai_prices.Usage(input_tokens=1), "gpt-4o", provider_id="openai")
    return genai_prices


def ready(provider: str, catalogue: Catalogue) -> bool:
    """True if the cost of an answer can be computed without importing the tables first."""
    return catalogue.providers.price_table(provider) is None or load.cache_info().currsize > 0


def cost(
    provider: str,
    model: str,
    usage: Usage,
    *,
    on: datetime | None,
    catalogue: Catalogue,
) -> Cost | None:
    """What *usage* costs, None where no price or no count is known; never 0 for want of one.

    Args:
        on: When the request was sent, None for now; prices have dates.
        catalogue: Knows aliases, which are resolved first, and a person's own prices, which win.
    """
    own = _own_cost(catalogue, provider, model, usage)
    if own is not None:
        return own
    facts = catalogue.providers.get(provider)
    if facts is not None and not facts.paid:
        return Cost(0.0, FREE_RULE)
    table = catalogue.providers.price_table(provider)
    if table is None or usage.input_tokens is None or usage.output_tokens is None:
        return None
    # Price tables lag behind names that move on.
    price = _calculated(table, catalogue.concrete(provider, model), usage, on)
    if price is None:
        return None
    return Cost(float(price.total_price), f"genai-prices {price.provider.id}:{price.model.id}")


def _own_cost(catalogue: Catalogue, provider: str, model: str, usage: Usage) -> Cost | None:
    """What *usage* costs by the person's own price for that id, None where there is none."""
    if not catalogue.prices or usage.input_tokens is None or usage.output_tokens is None:
        return None
    for name in (model, catalogue.concrete(provider, model)):
        price = catalogue.prices.get((provider, normal(name)))
        if price is not None:
            cached_tokens = usage.cached_tokens or 0
            per_cached = price.input if price.cached is None else price.cached
            total = (usage.input_tokens - cached_tokens) * price.input + cached_tokens * per_cached
            total += usage.output_tokens * price.output
            return Cost(total / 1_000_000, price.source)
    return None


def per_million(provider: str, model: str, catalogue: Catalogue) -> tuple[float, float] | None:
    """US dollars for a million input and output tokens, None where no price is known.

    The plain price: of a short prompt, for some models cost more a token from a length on.
    """
    prices = []
    for usage in (Usage(SHORT, 0), Usage(0, SHORT)):
        price = cost(provider, model, usage, on=None, catalogue=catalogue)
        if price is None:
            return None
        prices.append(round(price.usd * 1_000_000 / SHORT, 9))
    return prices[0], prices[1]


def _calculated(table: str, model: str, usage: Usage, on: datetime | None) -> Any:
    prices = load()
    counts = prices.Usage(
        # Its input tokens include those of the cache, and its output those of reasoning: as ours.
        input_tokens=usage.input_tokens,
        output_tokens=usage.output_tokens,
        cache_read_tokens=usage.cached_tokens or 0,
        cache_write_tokens=usage.cache_write_tokens or 0,
    )
    try:
        price = prices.calc_price(
            counts, model, provider_id=table, genai_request_timestamp=on or datetime.now(UTC)
        )
    except LookupError:
        return None
    # Its Google table also lists Claude as Vertex sells it, at other prices.
    return None if table == "google" and "claude" in price.model.id else price
