"""The cost of an answer: from its own counts, the shipped price tables, and the user's prices."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from llmkit.catalogue import prices
from llmkit.catalogue.entry import Price
from llmkit.catalogue.price_rules import Terms
from llmkit.providers.builtin import PROVIDERS, shipped
from llmkit.types import Completion, Status, Usage
from llmkit.wire.messages import HttpResponse

COSTS = json.loads((Path(__file__).parents[1] / "data/costs.json").read_text("utf-8"))
DAY = datetime.fromisoformat(COSTS["day"]).replace(tzinfo=UTC)
CELLS = [pytest.param(cell, id=cell["name"]) for cell in COSTS["cells"]]
USED = Usage(1_000, 500)


def answer(cell):
    """Returns the answer to a cell's request, as its provider's parser reads it."""
    provider, served = cell["provider"], cell.get("served", cell["model"])
    usage = cell["usage"]
    if provider == "anthropic":
        body = {"model": served, "content": [{"type": "text", "text": "hi"}],
                "stop_reason": "end_turn", "usage": usage}  # fmt: skip
    elif provider == "google":
        candidate = {"content": {"parts": [{"text": "hi"}]}, "finishReason": "STOP",
                     "groundingMetadata": cell.get("grounding")}  # fmt: skip
        body = {"candidates": [candidate], "modelVersion": served, "usageMetadata": usage}
    elif provider == "ollama":
        body = {"model": served, "message": {"content": "hi"}, "done": True, **usage}
    else:
        choice = {"index": 0, "message": {"content": "hi"}, "finish_reason": "stop"}
        body = {"model": served, "choices": [choice], "usage": usage}
    data = json.dumps({**body, **cell.get("answer", {})}).encode()
    completion = PROVIDERS[provider]().parse_chat(HttpResponse(200, {}, data))
    return replace(completion, provider=provider, request_model=cell["model"], started_at=DAY)


def priced(completion, catalogue=None, **terms):
    return asyncio.run(prices.priced(completion, catalogue or shipped(), Terms(**terms)))


def price_of(provider, model, served=None, usage=USED, catalogue=None, **terms):
    return prices.price_of(
        provider, model, served, usage,
        on=DAY, catalogue=catalogue or shipped(), terms=Terms(**terms),
    )  # fmt: skip


@pytest.mark.parametrize("cell", CELLS)
def test_the_cost_of_an_answer_follows_from_what_it_says(cell):
    """Each cost is that of the calculation in the data, or unknown for the reason there."""
    options = tuple(cell.get("options", {}).items())
    base_url = PROVIDERS[cell["provider"]]().base_url

    found = priced(answer(cell), options=options, base_url=base_url)

    if "reason" in cell:
        assert found.cost_usd is None
        assert cell["reason"] in found.cost_source
    else:
        tokens = sum(count * price for count, price in cell["sum"]) / 1_000_000
        total = tokens * cell.get("times", 1) + cell.get("fee", 0)
        assert found.cost_usd == pytest.approx(total, rel=1e-9)
        assert found.cost_source


def test_the_source_names_the_row_and_the_conditions():
    """It tells which prices were used."""
    flex = price_of("openai", "gpt-6-luna", tier="flex", options=(("service_tier", "flex"),))
    fast = price_of(
        "anthropic", "claude-opus-5-5", usage=replace(USED, speed="fast", inference_geo="us")
    )

    assert flex.source == "genai-prices openai:gpt-6-luna, flex"
    assert fast.source == "genai-prices anthropic:claude-opus-5-5, fast, us"


@pytest.mark.parametrize(
    ("provider", "model"),
    [
        ("openai", "gpt-6-luna"),
        ("anthropic", "claude-opus-5-5"),
        ("google", "gemini-3.7-flash"),
        ("google", "gemini-2.5-flash"),
        ("mistral", "mistral-large-4"),
    ],
)
def test_a_batch_costs_half(provider, model):
    """The tables and the rules have the prices of batches."""
    single = price_of(provider, model)
    batch = price_of(provider, model, is_batch=True)

    assert batch.usd == pytest.approx(single.usd / 2)


def test_two_discounts_together_have_no_known_price():
    """A batch in the flex tier is not in any table."""
    found = price_of("openai", "gpt-6-luna", is_batch=True, tier="flex")

    assert found == "no price is known for gpt-6-luna with processing=batch and service_tier=flex"


@pytest.mark.parametrize(
    ("provider", "model", "usage"),
    [
        ("openai", "no-such-model", Usage(1, 1)),
        ("lab", "gpt-6-luna", Usage(1, 1)),
        ("openai", "gpt-6-luna", Usage()),
        ("google", "claude-3-haiku", Usage(1, 1)),
        ("openai", "gpt-6-luna", Usage(10, 10, 100)),
        ("anthropic", "claude-haiku-4-5", Usage(10, 10, 6, None, 6)),
        ("openai", "whisper-1", Usage(10, 10)),
    ],
)
def test_an_unknown_price_is_none_and_never_zero(provider, model, usage):
    """No price, another provider's price, no count and impossible counts are all unknown."""
    assert prices.cost(provider, model, usage, on=None, catalogue=shipped()) is None


def test_what_ones_own_machine_answers_costs_nothing():
    """Local, Ollama and scripted answers cost 0 by rule."""
    found = [
        prices.cost(p, "x", Usage(), on=None, catalogue=shipped())
        for p in ("local", "ollama", "scripted")
    ]

    assert [cost.usd for cost in found if cost] == [0.0, 0.0, 0.0]


@pytest.mark.parametrize("url", ["https://ollama.com", "https://eu.ollama.com/api"])
def test_ollamas_own_servers_are_not_free(url):
    """Their models have no suffix that tells it."""
    assert "Ollama's cloud" in price_of("ollama", "gpt-oss:120b", base_url=url)


def test_a_server_in_a_private_network_has_not_the_makers_price():
    """The setting list_prices says otherwise; the user's own price holds in any case."""
    url = "http://127.0.0.1:8080/v1"
    own = Price(1.0, 2.0, None, "catalogue.toml [[prices]] 1")
    with_own = replace(shipped(), prices={("openai", "gpt-6-luna"): own})

    refused = price_of("openai", "gpt-6-luna", base_url=url)

    assert refused.startswith("127.0.0.1 served it")
    assert price_of("openai", "gpt-6-luna", base_url=url, all_hosts=True).usd > 0
    assert price_of("openai", "gpt-6-luna", base_url="https://gateway.example.com/v1").usd > 0
    assert price_of("openai", "gpt-6-luna", base_url=url, catalogue=with_own).usd == 0.002


def test_a_server_of_ones_own_may_name_the_model_as_it_likes():
    """With list_prices="all" only a name like those of known models tells of another one."""
    about = {"base_url": "http://localhost:4000/v1", "all_hosts": True}

    for name in ("model.gguf", "m-1", "team-default"):
        price = price_of("openai", "gpt-6-luna", name, **about)
        assert price.source == "genai-prices openai:gpt-6-luna"
    for name in ("gpt-7-nova", "glm-5.3-air", "qwen/Qwen4-8B", "claude-opus-7", "smollm3.gguf"):
        price = price_of("openai", "gpt-6-luna", name, **about)
        assert price == f"no price is known for {name.rpartition('/')[2]}, which answered"


def test_ones_own_price_is_that_of_the_model_that_answered():
    """On a server of the user's own, whose names are free, it is also that of the request."""
    rows = {("openai", "gpt-6-luna"): Price(1.0, 2.0, None, "mine"),
            ("lab", "small"): Price(1.0, 2.0, None, "mine")}  # fmt: skip
    own = replace(shipped(), prices=rows)

    assert price_of("openai", "gpt-6-luna", "gpt-6-luna-2026-09-09", catalogue=own).source == "mine"
    assert price_of("openai", "gpt-6-luna", "gpt-7-nova", catalogue=own).startswith("no price")
    assert price_of("lab", "small", "/models/small.gguf", catalogue=own).source == "mine"


def test_an_answered_row_has_a_reason_and_a_refused_request_has_none():
    """Without an answer there is nothing to price."""
    cut = Completion(provider="openai", request_model="gpt-6-luna", text="Hal")
    refused = Completion(provider="openai", request_model="gpt-6-luna", status=Status.ERROR)

    assert priced(cut).cost_source == "the answer has no token counts"
    assert priced(refused) is refused


def test_the_counts_of_an_answer_that_was_cut_off_are_not_final():
    """Gemini counts in every chunk; the provider may bill more than the last one says."""
    chunk = {"candidates": [{"content": {"parts": [{"text": "Hal"}]}}],
             "usageMetadata": {"promptTokenCount": 9, "candidatesTokenCount": 1}}  # fmt: skip
    parser = PROVIDERS["google"]().stream_parser()
    parser.feed(f"data: {json.dumps(chunk)}\n\n".encode())
    cut = replace(parser.end(), provider="google", request_model="gemini-3.8-flash")

    assert (cut.status, priced(cut).cost_usd) == (Status.TRUNCATED, None)
    assert priced(cut).cost_source.startswith("the answer was cut off")
    assert priced(replace(cut, provider="ollama")).cost_usd == 0.0


def test_an_estimate_counts_with_what_is_asked_for():
    """No answer can say yet which tier was used."""
    asked = {"options": (("service_tier", "flex"), ("inference_geo", "eu")), "is_estimate": True}

    assert price_of("openai", "gpt-6-luna", options=asked["options"][:1], is_estimate=True).usd == (
        pytest.approx(price_of("openai", "gpt-6-luna").usd / 2)
    )
    assert price_of("openai", "gpt-6-luna", **asked).startswith("no price is known")
