"""Which answers are of another model than the requested one."""

from __future__ import annotations

import gc
import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from llmkit.catalogue.entry import Catalogue, Model
from llmkit.catalogue.names import base_of
from llmkit.catalogue.provider_lists import ProviderModelList, with_lists
from llmkit.catalogue.rerouting import is_rerouted
from llmkit.providers.builtin import shipped

SLUGS = json.loads((Path(__file__).parents[1] / "data/openrouter/slugs.json").read_text())["slugs"]


@pytest.mark.parametrize("request_model", SLUGS)
def test_a_canonical_name_of_openrouter_is_no_rerouting(request_model):
    """OpenRouter answers with its canonical name, which is unlike the id for some models."""
    slug = SLUGS[request_model]

    assert is_rerouted(shipped(), "openrouter", request_model, slug) is not True


def test_few_canonical_names_are_unknown():
    """Four delisted ids have a name that no rule or list explains."""
    found = [name for name, slug in SLUGS.items()
             if is_rerouted(shipped(), "openrouter", name, slug) is None]  # fmt: skip

    assert found == [
        "kwaipilot/kat-coder-pro:free", "google/gemini-2.5-pro-preview-05-06",
        "inception/mercury-coder", "qwen/qwen-2.5-vl-7b-instruct",
    ]  # fmt: skip


def test_an_id_in_another_spelling_is_no_rerouting():
    """Every id of OpenRouter is the same with a date, and every alias as its target."""
    catalogue = shipped()
    ids = catalogue.models["openrouter"]
    aliases = [
        (place, alias.alias, target)
        for place, rows in catalogue.aliases.items()
        for alias in rows.values()
        for target in (alias.target, catalogue.concrete(place, alias.alias))
    ]
    dated = [
        ("openrouter", name, f"{name.partition(':')[0]}-20261120")
        for name in ids
        if base_of(name) is None
    ]

    assert [place for place in (*aliases, *dated) if is_rerouted(catalogue, *place)] == []


@pytest.mark.parametrize(
    ("provider", "request_model", "response_model"),
    [
        ("openai", "gpt-5.4-mini", "gpt-5.4-mini-2026-03-17"),
        ("openai", "gpt-4o", "gpt-4o-2024-11-20"),
        ("openai", "GPT-4o", "gpt-4o-2024-08-06"),
        ("anthropic", "claude-3-5-sonnet-latest", "claude-3-5-sonnet-20241022"),
        ("anthropic", "claude-opus-5-7", "claude-opus-5-7-20261120"),
        ("google", "models/gemini-3.8-flash", "gemini-3.8-flash"),
        ("google", "gemini-flash-latest", "gemini-3.8-flash"),
        ("google", "gemini-flash-latest", "gemini-4.1-flash"),
        ("google", "gemini-2.0-flash", "gemini-2.0-flash-001"),
        ("mistral", "mistral-large-latest", "mistral-large-2512"),
        ("mistral", "mistral-large-latest", "mistral-large-4-0"),
        ("mistral", "mistral-medium-3", "mistral-medium-2604"),
        ("mistral", "magistral-medium-latest", "mistral-medium-3-7"),
        ("openrouter", "anthropic/claude-opus-4.5", "anthropic/claude-4.5-opus-20251124"),
        ("openrouter", "anthropic/claude-opus-5.5:nitro", "claude-opus-5-5"),
        ("openrouter", "openai/gpt-4o-mini", "gpt-4o-mini-2024-07-18"),
        ("openrouter", "~openai/gpt-sol-latest", "openai/gpt-6.2-sol-20261201"),
        ("openrouter", "openrouter/auto", "mistralai/mistral-nemo"),
        ("ollama", "llama3.2", "llama3.2:latest"),
        ("ollama", "qwen3:8b", "qwen3:8b"),
        ("lab", "accounts/fireworks/models/llama-v3p1-8b-instruct", "llama-v3p1-8b-instruct"),
        ("lab", "us.anthropic.claude-haiku-4-5-20251001-v1:0", "claude-haiku-4-5-20251001"),
        ("lab", "claude-haiku-4-5@20251001", "claude-haiku-4-5"),
        ("lab", "openai/gpt-35-turbo", "gpt-3.5-turbo-0125"),
        ("lab", "qwen-max-latest", "qwen3-max"),
        ("lab", "/models/Qwen3-8B.gguf", "qwen3-8b"),
        ("lab", "qwen3-8b", "/models/Qwen3-8B-Q4_K_M.gguf"),
    ],
)
def test_another_name_of_the_same_model_is_no_rerouting(provider, request_model, response_model):
    """Dates, aliases, variants, prefixes and spellings name the same model."""
    assert is_rerouted(shipped(), provider, request_model, response_model) is False


@pytest.mark.parametrize(
    ("provider", "request_model", "response_model"),
    [
        ("mistral", "mistral-large-latest", "mistral-small-2603"),
        ("mistral", "mistral-large-latest", "mistral-small-2711"),
        ("mistral", "mistral-medium-2508", "mistral-medium-2604"),
        ("google", "gemini-3.7-flash", "gemini-3.8-flash"),
        ("google", "gemini-flash-latest", "gemini-3.5-flash-lite"),
        ("google", "gemini-flash-lite-latest", "gemini-3.8-flash"),
        ("google", "gemini-flash-latest", "gemini-4.1-pro"),
        ("openai", "gpt-4o-2024-05-13", "gpt-4o-2024-08-06"),
        ("openai", "gpt-4o", "gpt-4o-mini-2024-07-18"),
        ("openai", "gpt-5", "gpt-5.1-2025-11-13"),
        ("openai", "gpt-5-chat-latest", "gpt-5.4"),
        ("anthropic", "claude-3-5-sonnet-latest", "claude-3-7-sonnet-20250219"),
        ("anthropic", "claude-opus-5-5", "claude-opus-5"),
        ("openrouter", "anthropic/claude-opus-5.5", "anthropic/claude-haiku-5.5"),
        ("openrouter", "openai/gpt-6.1-sol", "mistralai/mistral-nemo"),
        ("openrouter", "~openai/gpt-sol-latest", "openai/gpt-6-luna"),
        ("openrouter", "deepseek/deepseek-chat", "deepseek/deepseek-chat-v3-0324"),
        ("ollama", "llama3.2:1b", "llama3.2:3b"),
        ("lab", "gpt-4o", "gpt-3.5-turbo"),
        ("lab", "tiny", "huge"),
        ("lab", "glm-5.2", "Qwen/Qwen3-8B"),
        ("lab", "gpt-9-nova", "claude-haiku-5-5"),
        ("lab", "mistral-large-latest", "mistral-small-2603"),
    ],
)
def test_another_model_is_a_rerouting(provider, request_model, response_model):
    """Another size, version, line or snapshot is another model, whatever the name began with."""
    assert is_rerouted(shipped(), provider, request_model, response_model) is True


@pytest.mark.parametrize(
    ("provider", "request_model", "response_model"),
    [
        ("openai", "gpt-4o", None),
        ("google", "gemini-flash-latest", "gemini-4.1-flash-lite"),
        ("openrouter", "qwen/qwen3.8-27b", "qwen/qwen3.8-27b-dense-instruct"),
        ("ollama", "llama3.2", "llama3.2:3b"),
        ("lab", "my-deployment", "gpt-4o-2024-08-06"),
        ("lab", "default", "Qwen/Qwen3-8B"),
        ("openai", "my-deployment", "gpt-4o-2024-08-06"),
    ],
)
def test_what_the_names_do_not_tell_is_unknown(provider, request_model, response_model):
    """Neither the good case nor the bad one is assumed."""
    assert is_rerouted(shipped(), provider, request_model, response_model) is None


def test_the_list_of_openrouter_explains_its_canonical_names():
    """A list that was read has the canonical name of each model as an alias."""
    now = datetime(2026, 11, 30, tzinfo=UTC)
    row = Model("openrouter", "inception/mercury-coder",
                aliases=("inception/mercury-coder-small-beta",))  # fmt: skip
    read = ProviderModelList("openrouter", "https://openrouter.ai/api/v1", now, (row,))
    catalogue = with_lists(shipped(), [read], now)

    assert is_rerouted(catalogue, "openrouter", row.id, row.aliases[0]) is False


def test_a_catalogue_that_was_replaced_is_released():
    """Each reading of a list makes another catalogue, of megabytes."""
    now = datetime(2026, 11, 30, tzinfo=UTC)
    read = ProviderModelList("openai", "https://api.openai.com/v1", now, (Model("openai", "x"),))
    catalogue = with_lists(shipped(), [read], now)
    assert is_rerouted(catalogue, "openai", "gpt-4o", "gpt-4.1") is True
    number, catalogue = id(catalogue), with_lists(shipped(), [read], now)

    gc.collect()

    assert number not in [id(item) for item in gc.get_objects() if isinstance(item, Catalogue)]
