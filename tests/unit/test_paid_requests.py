"""Which requests max_calls counts, and what an answer of a declared free server costs."""

from __future__ import annotations

import asyncio

import pytest

from llmkit.catalogue import prices
from llmkit.comparison.arguments import comparison_arguments
from llmkit.comparison.estimate import estimated
from llmkit.comparison.limits import highest_cost, is_paid
from llmkit.errors import ConfigError, SpendLimitError
from llmkit.kit import Kit
from llmkit.transport.scripted import Script, ScriptedTransport
from llmkit.types import Completion, Status, Usage

KEY = "key-of-a-lab-0123456789"
LOOPBACK = "http://127.0.0.1:9/v1"
HOSTED = "https://lab.example/v1"
USED = Completion(Status.COMPLETE, "hi", provider="lab", usage=Usage(1000, 1000))


def call_of(asked, *, environ=None, base_urls=None, **server):
    """Returns the planned call to *asked*; *server* adds the provider lab."""
    kit = Kit(environ=environ or {}, base_urls=base_urls or {})
    if server:
        kit.add_provider("lab", **server)
    arguments = comparison_arguments("hi", asked)
    row = asyncio.run(kit.plan_row(arguments.requests[0], arguments.options))
    assert row.call is not None, row.error
    return row.call, kit


@pytest.mark.parametrize(
    ("asked", "given", "counts"),
    [
        ("lab:m", {"base_url": LOOPBACK}, False),
        ("lab:m", {"base_url": "http://[::1]:9/v1"}, False),
        ("lab:m", {"base_url": "http://localhost:9/v1"}, False),
        ("lab:m", {"base_url": LOOPBACK, "key_var": "LAB_KEY"}, True),
        ("lab:m", {"base_url": "http://gpu.lan/v1"}, True),
        ("lab:m", {"base_url": HOSTED}, True),
        ("lab:m", {"base_url": HOSTED, "priced": False}, False),
        ("lab:m", {"base_url": HOSTED, "key_var": "LAB_KEY", "priced": False}, False),
        ("local:smollm2", {}, False),
        ("scripted:echo", {}, False),
        ("ollama:qwen3:8b", {}, False),
        ("ollama:qwen3:8b", {"base_urls": {"ollama": "http://gpu.lan:11434"}}, False),
        ("ollama:gpt-oss:120b-cloud", {}, True),
        ("ollama:glm-4.6:cloud", {}, True),
        ("ollama:gpt-oss:120b", {"base_urls": {"ollama": "https://ollama.com"}}, True),
        ("openai:gpt-6-luna", {}, True),
        ("openai:gpt-6-luna", {"base_urls": {"openai": LOOPBACK}}, True),
    ],
)
def test_only_what_may_cost_money_counts(asked, given, counts):
    """Loopback without a key, own models and servers with priced=False are free."""
    call, _ = call_of(asked, environ={"LAB_KEY": KEY, "OPENAI_API_KEY": KEY}, **given)

    assert is_paid(call) is counts


def test_an_estimate_takes_a_provider_that_needs_a_key_for_a_paid_one():
    """It reads no key, also of a provider that is reached over loopback."""
    kit = Kit(environ={}, base_urls={"openai": LOOPBACK}, list_prices="all")
    table = estimated(kit.registry, comparison_arguments("hi", "openai:gpt-6-luna"))

    assert "one answer may cost up to $" in table.note


def compared(kit, asked, **limits):
    arguments = comparison_arguments(["a", "b", "c"], asked, **limits)
    return asyncio.run(kit.compare(arguments.requests, arguments.options, **arguments.limits))


@pytest.mark.parametrize(
    ("server", "refused"),
    [({"base_url": HOSTED}, True), ({"base_url": HOSTED, "priced": False}, False)],
)
def test_a_model_without_a_price_is_refused_under_a_cost_limit(server, refused):
    """The message names the model and how to give a price; nothing is sent."""
    transport = ScriptedTransport({"m": Script("hi")})
    kit = Kit(environ={}, transports={"lab": transport}, progress_after_s=1e6)
    kit.add_provider("lab", **server)
    if not refused:
        run = compared(kit, "lab:m", max_calls=0, max_cost_usd=0.01)
        assert [row.completion.cost_usd for row in run] == [0.0, 0.0, 0.0]
        assert all("priced=False" in row.completion.cost_source for row in run)
        return

    with pytest.raises(SpendLimitError, match=r"lab:m is unknown.*\[\[prices\]\].*priced=False"):
        compared(kit, "lab:m", max_cost_usd=0.01)
    assert transport.requests == []


def test_a_declared_free_answer_costs_nothing_in_every_state():
    """Also one that was cut off, and one whose tokens were not counted."""
    call, kit = call_of("lab:m", base_url=HOSTED, priced=False)
    cut = Completion(Status.TRUNCATED, "hi", provider="lab")
    catalogue = kit.registry.catalogue

    found = [asyncio.run(prices.priced(one, catalogue, call.terms)) for one in (USED, cut)]
    assert [(one.cost_usd, one.cost_source) for one in found] == [
        (0.0, "priced=False: you declared that its answers cost nothing")
    ] * 2
    assert highest_cost(call, catalogue).usd == 0.0
    assert not call.provider.facts.paid  # so no failure of it is possibly billed


def test_priced_is_a_field_of_both_files(tmp_path):
    """[providers.NAME] of the settings and [[providers]] of the catalogue file have it."""
    settings, catalogue = tmp_path / "config.toml", tmp_path / "catalogue.toml"
    settings.write_text(f'[providers.lab]\nbase_url = "{HOSTED}"\npriced = false\n')
    catalogue.write_text(f'[[providers]]\nname = "shed"\nbase_url = "{HOSTED}"\npriced = false\n')
    registry = Kit(environ={"LLMKIT_CONFIG": str(settings)}).registry

    assert registry.settings.providers == {"lab": {"base_url": HOSTED, "priced": False}}
    assert not registry.provider("lab").facts.priced
    assert not registry.provider("shed").facts.priced
    catalogue.write_text(f'[[providers]]\nname = "a"\nbase_url = "{HOSTED}"\npriced = 0\n')
    with pytest.raises(ConfigError, match="priced must be true or false, not 0"):
        registry.provider("a")


def test_a_server_is_priced_if_nothing_else_is_said():
    """priced=True is the default, and a later addition replaces an earlier one."""
    kit = Kit(environ={})
    kit.add_provider("lab", HOSTED, priced=False)
    kit.add_provider("lab", HOSTED)

    assert kit.settings.providers == {"lab": {"base_url": HOSTED}}
    assert kit.registry.provider("lab").facts.paid
