"""Computes what an answer costs. The only module that imports genai-prices."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cache
from typing import Any

from ..cell import ready, ready_soon, start_import
from ..errors import APITimeoutError
from ..types import Completion, Usage
from .entry import Catalogue, normal

SHORT = 1_000  # tokens; a prompt of this length is in the lowest price tier
FREE_RULE = "rule: made on your own machine"
TABLES = "genai_prices"
WAIT_S = 15.0  # for the tables, after an answer has arrived
LEAST_S = 1.0  # even if the call's own timeout leaves less: the import takes 0.25 s
NO_CHARGE = ("own", "script")  # provider kinds


@dataclass(frozen=True, slots=True)
class Cost:
    """US dollars, and the row of the price table they come from."""

    usd: float
    source: str


def version() -> str:
    """Returns the name and the version of the price tables, without importing them."""
    from importlib import metadata

    try:
        return f"genai-prices {metadata.version('genai-prices')}"
    except metadata.PackageNotFoundError:  # copied without its metadata
        return "genai-prices"


@cache
def load() -> Any:
    """Imports the price tables, which takes 0.25 s: never call it on a shared event loop."""
    ready(TABLES)
    import genai_prices

    genai_prices.calc_price(genai_prices.Usage(input_tokens=1), "gpt-4o", provider_id="openai")
    return genai_prices


def preload(provider: str, catalogue: Catalogue) -> None:
    """Starts loading the price tables if *provider* needs them, so that no answer waits."""
    if _needs_tables(provider, catalogue):
        start_import(TABLES, load)


def _needs_tables(provider: str, catalogue: Catalogue) -> bool:
    facts = catalogue.providers.get(provider)
    return facts is not None and facts.price_table is not None and not load.cache_info().currsize


async def priced(
    completion: Completion, catalogue: Catalogue, timeout: float | None = None
) -> Completion:
    """Returns *completion* with its cost, if it has none and a price is known.

    *timeout* is that of its call, in seconds. An answer without a cost has a warning if the import
    of the price tables does not end within it.
    """
    if completion.cost_usd is not None:
        return completion
    if _needs_tables(completion.provider, catalogue):
        used_s = completion.duration_s or 0.0
        limit_s = WAIT_S if timeout is None else min(WAIT_S, max(LEAST_S, timeout - used_s))
        try:
            await ready_soon(TABLES, load, limit_s=limit_s)
        except APITimeoutError as error:
            warning = f"cost_usd is unknown: {error}"
            return replace(completion, warnings=(*completion.warnings, warning))
    for model in filter(None, (completion.response_model, completion.request_model)):
        price = cost(
            completion.provider, model, completion.usage,
            on=completion.started_at, catalogue=catalogue,
        )  # fmt: skip
        if price is not None:
            return replace(completion, cost_usd=price.usd, cost_source=price.source)
    return completion


def cost(
    provider: str,
    model: str,
    usage: Usage,
    *,
    on: datetime | None,
    catalogue: Catalogue,
) -> Cost | None:
    """Returns what *usage* costs; None, never 0, if a price or a count is unknown.

    Args:
        on: When the request was sent, None for now; prices change over time.
        catalogue: Has the aliases, and the user's own prices, which override the tables.
    """
    own = _own_cost(catalogue, provider, model, usage) if catalogue.prices else None
    if own is not None:
        return own
    facts = catalogue.providers.get(provider)
    if facts is not None and facts.kind in NO_CHARGE:
        return Cost(0.0, FREE_RULE)
    table = facts.price_table if facts is not None else None
    if table is None or usage.input_tokens is None or usage.output_tokens is None:
        return None
    if normal(model) in catalogue.aliases.get(provider, ()):
        model = catalogue.concrete(provider, model)  # price tables lag behind floating names
    price = _calculated(table, model, usage, on)
    if price is None:
        return None
    return Cost(float(price.total_price), f"genai-prices {price.provider.id}:{price.model.id}")


def _own_cost(catalogue: Catalogue, provider: str, model: str, usage: Usage) -> Cost | None:
    """Returns what *usage* costs by the user's own price for that id, None without one."""
    if usage.input_tokens is None or usage.output_tokens is None:
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
    """Returns US dollars per million input and output tokens, None if no price is known.

    The prices are those of a short prompt: some models cost more per token above a length.
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
        # As in our `Usage`, input includes cached tokens, and output includes reasoning.
        input_tokens=usage.input_tokens,
        output_tokens=usage.output_tokens,
        cache_read_tokens=usage.cached_tokens or 0,
        cache_write_tokens=usage.cache_write_tokens or 0,
    )
    try:
        price = prices.calc_price(
            counts, model, provider_id=table, genai_request_timestamp=on or datetime.now(UTC)
        )
    except (LookupError, ValueError):  # unknown, or the server counts more cached tokens than input
        return None
    # The Google table also lists Claude on Vertex, at other prices.
    return None if table == "google" and "claude" in price.model.id else price
