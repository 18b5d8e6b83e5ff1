"""The cost of an answer, from the shipped price tables."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from llmkit.catalogue import prices
from llmkit.providers.builtin import shipped
from llmkit.types import Usage


def test_an_answers_cost_follows_from_its_tokens():
    """A known price gives dollars, and names its row."""
    when = datetime(2026, 11, 20, tzinfo=UTC)

    usage = Usage(1_000_000, 1_000_000)
    found = prices.cost("openai", "gpt-6-luna", usage, on=when, catalogue=shipped())

    assert found is not None
    assert found.usd > 0
    assert found.source.startswith("genai-prices openai:gpt-6-luna")


@pytest.mark.parametrize(
    ("provider", "model", "usage"),
    [
        ("openai", "no-such-model", Usage(1, 1)),
        ("lab", "gpt-6-luna", Usage(1, 1)),
        ("openai", "gpt-6-luna", Usage()),
        ("google", "claude-3-haiku", Usage(1, 1)),
        ("openai", "gpt-6-luna", Usage(10, 10, 100)),
        ("anthropic", "claude-haiku-4-5", Usage(10, 10, 6, None, 6)),
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
