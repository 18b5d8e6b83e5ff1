"""Computes what an answer costs. The only module that imports genai-prices."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cache, lru_cache
from typing import Any

from ..cell import ready, ready_soon
from ..errors import APITimeoutError
from ..types import Completion, Status, Usage
from ..wire.base_urls import private_host
from .entry import Catalogue, normal
from .names import is_dated
from .price_rules import (
    IN_CLOUD,
    PER_PROMPT,
    STANDARD,
    STANDARD_TERMS,
    Terms,
    conditions,
    doubt,
    factor,
    is_cloud,
    price_names,
    unpriced_part,
)
from .provider_table import ProviderFacts
from .rerouting import is_of_a_family, is_rerouted

SHORT = 1_000  # tokens; a prompt of this length is in the lowest price tier
FREE_RULE = "rule: made on your own machine"
FREE_VARIANT = "rule: a free variant"
CUT_OFF = (Status.TRUNCATED, Status.CANCELLED, Status.ERROR)
NOT_FINAL = "the answer was cut off, so its token counts are not final"
UNCOUNTED = "the answer has no token counts"
PARTLY_COUNTED = "the answer does not count both input and output tokens"
NO_USAGE = Usage()
TABLES = "genai_prices"
WAIT_S = 15.0  # for the tables, after an answer has arrived
PRELOAD_S = 3.0  # for the tables, before a request; on a busy machine the import takes a second
LEAST_S = 1.0  # even if the call's own timeout leaves less: the import takes 0.25 s
NO_CHARGE = ("own", "script")  # provider kinds


@dataclass(frozen=True, slots=True)
class Cost:
    """US dollars, and the row of the price table they come from."""

    usd: float
    source: str


FREE = Cost(0.0, FREE_RULE)
DECLARED_FREE = Cost(0.0, "priced=False: you declared that its answers cost nothing")


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


async def preload(provider: str, catalogue: Catalogue) -> None:
    """Loads the price tables if *provider* needs them.

    Called before a request: their import would slow down the event loop that measures the answer.
    """
    facts = catalogue.providers.get(provider)
    if facts is not None and facts.price_table is not None and not load.cache_info().currsize:
        with suppress(APITimeoutError, ImportError):  # `priced` reports it
            await ready_soon(TABLES, load, limit_s=PRELOAD_S)


async def priced(
    completion: Completion,
    catalogue: Catalogue,
    terms: Terms = STANDARD_TERMS,
    timeout: float | None = None,
    **more: Any,
) -> Completion:
    """Returns *completion* with its cost, or with the reason why the cost is not known.

    *timeout* is that of its call, in seconds. An answer without a cost has a warning if the import
    of the price tables does not end within it. A request without any answer has no reason. *more*
    are further fields to set: one copy of an answer costs less than two.
    """
    if completion.cost_usd is not None:
        return replace(completion, **more) if more else completion
    has_no_answer = completion.usage == NO_USAGE and not (completion.text or completion.reasoning)
    if has_no_answer and completion.status in (Status.ERROR, Status.CANCELLED):
        return replace(completion, **more) if more else completion
    facts = catalogue.providers.get(completion.provider)
    if facts is not None and facts.price_table is not None and not load.cache_info().currsize:
        used_s = completion.duration_s or 0.0
        limit_s = WAIT_S if timeout is None else min(WAIT_S, max(LEAST_S, timeout - used_s))
        try:
            await ready_soon(TABLES, load, limit_s=limit_s)
        except APITimeoutError as error:
            warning = f"cost_usd is unknown: {error}"
            warnings = (*completion.warnings, warning)
            return replace(completion, cost_source=warning, warnings=warnings, **more)
    price = price_of(
        completion.provider, completion.request_model, completion.response_model,
        completion.usage, on=completion.started_at, catalogue=catalogue,
        terms=replace(terms, tier=completion.service_tier) if completion.service_tier else terms,
    )  # fmt: skip
    is_cut = completion.status in CUT_OFF and completion.finish_reason is None
    if is_cut and isinstance(price, Cost) and price not in (FREE, DECLARED_FREE):
        price = NOT_FINAL
    if isinstance(price, str):
        return replace(completion, cost_source=price, **more)
    return replace(completion, cost_usd=price.usd, cost_source=price.source, **more)


def cost(
    provider: str,
    model: str,
    usage: Usage,
    *,
    on: datetime | None,
    catalogue: Catalogue,
    terms: Terms = STANDARD_TERMS,
) -> Cost | None:
    """Returns what *usage* costs; None, never 0, if it is unknown. See `price_of`."""
    price = price_of(provider, model, None, usage, on=on, catalogue=catalogue, terms=terms)
    return None if isinstance(price, str) else price


def price_of(
    provider: str,
    asked: str,
    answering: str | None,
    usage: Usage,
    *,
    on: datetime | None,
    catalogue: Catalogue,
    terms: Terms,
) -> Cost | str:
    """Returns what *usage* costs, or why that is not known.

    Args:
        asked: The model of the request.
        answering: The model that the answer names. It is never priced as the one that was asked.
        on: When the request was sent, None for now; prices change over time.
        catalogue: Has the aliases, and the user's own prices, which override the tables.
        terms: Whatever else decides the price.
    """
    if terms.is_free:
        return DECLARED_FREE
    facts = catalogue.providers.get(provider)
    table = facts.price_table if facts is not None else None
    is_maker = facts is not None and facts.kind == "maker"
    names = price_names(answering or asked, asked, is_reseller=not is_maker)
    # A server of the user's own may give a model any name, such as that of a file; only a name
    # like those of known models tells of another one. The target of a floating name may have moved.
    is_own = table is None or (is_maker and private_host(terms.base_url) is not None)
    is_named = is_own and table is not None and is_of_a_family(names[0], catalogue)
    floats = "latest" in asked or normal(asked) in catalogue.aliases.get(provider, ())
    is_same = not floats and is_rerouted(catalogue, provider, asked, answering) is False
    if is_same or (is_own and not is_named):
        names = (*names, *price_names(asked, asked, is_reseller=not is_maker))
    own = _own_cost(catalogue, provider, names, usage) if catalogue.prices else None
    known = own or usage.unpriced
    known = known or _by_rule(provider, facts, asked, terms.base_url, all_hosts=terms.all_hosts)
    if usage.input_tokens is None or usage.output_tokens is None:
        known = known or (UNCOUNTED if usage == NO_USAGE else PARTLY_COUNTED)
    found: dict[str, str] = {}
    is_special = usage.speed or usage.inference_geo or (terms.tier or "default") not in STANDARD
    if is_special or terms.options or terms.is_batch:
        found, reason = conditions(usage, terms)
        known = known or reason
    if known is not None:
        return known
    for name in names:
        # Price tables lag behind floating names.
        is_alias = normal(name) in catalogue.aliases.get(provider, ())
        model = catalogue.concrete(provider, name) if is_alias else name
        price = _listed(table or "", model, usage, found, on or datetime.now(UTC))
        if price is not None:
            return price
    if names[0].endswith(":free"):
        return Cost(0.0, FREE_VARIANT)
    return f"no price is known for {names[0]}{', which answered' if answering else ''}"


@lru_cache(maxsize=256)
def _by_rule(
    provider: str, facts: ProviderFacts | None, model: str, base_url: str, *, all_hosts: bool
) -> Cost | str | None:
    """Returns the cost or the reason that holds for all tokens of *model*, None if none does."""
    if facts is not None and facts.kind in NO_CHARGE:
        return IN_CLOUD if is_cloud(model, base_url) else FREE
    if facts is None or facts.price_table is None:
        return f"llmkit knows no prices of {provider}; write them into the catalogue file"
    host = None if all_hosts else private_host(base_url)
    if host is None:
        return None
    return f'{host} served it; list_prices="all" prices such answers like those of {provider}'


def _own_cost(
    catalogue: Catalogue, provider: str, names: Sequence[str], usage: Usage
) -> Cost | None:
    """Returns what *usage* costs by the user's own price for one of *names*, None without one."""
    if usage.input_tokens is None or usage.output_tokens is None:
        return None
    for name in names:
        price = catalogue.prices.get((provider, normal(name))) or catalogue.prices.get(
            (provider, normal(catalogue.concrete(provider, name)))
        )
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
        row = price.source.partition(":")[2]
        if is_dated(row) and is_rerouted(catalogue, provider, model, row):
            return None  # that of another version: Mistral's table has only the latest
        prices.append(round(price.usd * 1_000_000 / SHORT, 9))
    return prices[0], prices[1]


def _listed(
    table: str, model: str, usage: Usage, found: Mapping[str, str], on: datetime
) -> Cost | str | None:
    """Returns the cost by a row of the price tables, why it is unknown, None without a row."""
    prices = load()
    searches = usage.web_searches
    if searches and PER_PROMPT.search(model):
        searches = 1
    counts = prices.Usage(
        # As in our `Usage`, input includes cached tokens, and output includes reasoning.
        input_tokens=usage.input_tokens,
        output_tokens=usage.output_tokens,
        cache_read_tokens=usage.cached_tokens or 0,
        cache_write_tokens=usage.cache_write_tokens or 0,
        cache_write_1h_tokens=usage.cache_write_1h_tokens,
        input_audio_tokens=usage.input_audio_tokens,
        cache_audio_read_tokens=usage.cached_audio_tokens,
        output_audio_tokens=usage.output_audio_tokens,
        input_image_tokens=usage.input_image_tokens,
        output_image_tokens=usage.output_image_tokens,
        web_searches=searches,
    )
    try:
        price = prices.calc_price(
            counts, model, provider_id=table, genai_request_timestamp=on,
            price_context=found or None,
        )  # fmt: skip
    except LookupError:
        return None
    except ValueError:  # such as more cached tokens than input tokens
        return "the token counts of the answer are incomplete or contradict each other"
    least, reason = doubt(table, model, price.model.id) or (0, "")
    if reason and (usage.input_tokens or 0) >= least:
        return reason
    is_split = (
        usage.input_audio_tokens or usage.output_audio_tokens or usage.output_image_tokens
        or usage.cache_write_1h_tokens or searches
    )  # fmt: skip
    listed = price.model_price
    part = unpriced_part(table, listed, usage) if is_split else None
    if listed.input_mtok is None and listed.output_mtok is None and vars(listed):
        part = "tokens"  # it is billed by the second or the page
    if part is not None:
        return f"no price is known for {part} of {model}"
    multiplier = _multiplier(table, price, found, on) if found else 1.0
    if multiplier is None:
        words = " and ".join(f"{name}={word}" for name, word in found.items())
        return f"no price is known for {model} with {words}"
    tokens = price.input_price + price.output_price
    usd = float(tokens) * multiplier + float(price.total_price - tokens)
    row = f"genai-prices {price.provider.id}:{price.model.id}"
    return Cost(usd, ", ".join((row, *found.values())))


def _multiplier(table: str, price: Any, found: Mapping[str, str], on: datetime) -> float | None:
    """Returns the factor of the token prices of *price* under the conditions *found*.

    None if it is unknown. Conditions that the tables list are in *price* already.
    """
    multiplier, listed = 1.0, 0
    for condition in found.items():
        variants = [v for v in price.model.price_variants or () if dict([condition]) == v.when]
        if any(v.constraint is None or v.constraint.active(on) for v in variants):
            listed += 1
            continue
        rate = factor(table, price.model.id, condition)
        if rate is None:
            return None
        multiplier *= rate
    return multiplier if listed <= 1 else None  # the prices of two variants together are unknown
