"""Sends one short paid call to each hosted provider with a key in the environment; run by hand."""

from __future__ import annotations

import os
from datetime import UTC, datetime

import pytest

import llmkit
from llmkit.kit import Kit
from llmkit.providers.builtin import PROVIDERS
from llmkit.types import Status

pytestmark = pytest.mark.live

# The cheapest pick of each provider's smallest class in the catalogue.
CHEAP = {
    "openai": "gpt-6-luna",
    "anthropic": "claude-haiku-5-5",
    "google": "gemini-3.5-flash-lite",
    "mistral": "ministral-3b-latest",
    "openrouter": "openai/gpt-6-luna",
}


@pytest.fixture(scope="module")
def kit():
    made = Kit()
    yield made
    made.close()


@pytest.fixture(scope="module", autouse=True)
def table():
    lines = []
    yield lines
    print(f"\n\n| provider, {datetime.now(UTC):%Y-%m-%d} | key | answer | model | cost |")
    print("|---|---|---|---|---|", *lines, sep="\n")


@pytest.mark.parametrize("provider", CHEAP)
def test_a_hosted_provider_answers(provider, kit, table):
    """The key is accepted, and a question of a few tokens is answered."""
    if not any(os.environ.get(name) for name in PROVIDERS[provider].key_vars):
        pytest.skip(f"no key for {provider} in the environment")
    checked = kit.manager.run(kit.check(provider))
    asked = llmkit.compare(
        "Say hi.", f"{provider}:{CHEAP[provider]}", max_tokens=200, max_calls=1, retries=0
    )
    (row,) = asked.rows
    answer = row.completion
    table.append(
        f"| {provider} | {checked.state} | {row.error or answer.status} "
        f"| {answer.response_model} | {answer.cost_usd} |"
    )

    assert checked.ready, checked
    assert answer.status in (Status.COMPLETE, Status.LENGTH), row.error
