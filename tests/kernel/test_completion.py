"""Tests completion in the magics, as a front end requests it."""

from __future__ import annotations

import os

import pytest

from .driver import Kernel

pytestmark = pytest.mark.kernel

HEAVY = ["pandas", "aiohttp", "mistralai", "genai_prices"]


def test_models_follow_ask_and_compare(kernel):
    """Standard names, ids and "provider:id" complete only the word before the cursor."""
    assert "gpt-3.5-turbo" in kernel.complete("%%ask gpt-3")
    assert kernel.complete("%%compare local:smollm2 anthropic:claude-haiku-5") == [
        "anthropic:claude-haiku-5-5"
    ]
    assert "openai:" in kernel.complete("%%compare ope")
    assert kernel.complete("%%compare --models a, openai:gpt-6-lu") == ["openai:gpt-6-luna"]


def test_a_retired_id_is_not_offered_at_its_provider(kernel):
    """After "provider:" nothing would translate a retired id, so it is not offered."""
    found = kernel.complete("%%ask openai:gpt-")

    assert "openai:gpt-6-luna" in found
    assert "openai:gpt-3.5-turbo" not in found


def test_providers_follow_p(kernel):
    """-p and its long forms take providers."""
    assert kernel.complete("%%ask gpt-4 -p mis") == ["mistral"]
    assert set(kernel.complete("%%compare gpt-4 --providers ")) >= {"openai", "local", "ollama"}
    assert kernel.complete("%llmkit resolve gpt-4 -p goo") == ["google"]


def test_a_list_goes_on_after_a_comma(kernel):
    """With or without a blank after the comma; only the part after it is replaced."""
    code = "%%compare local:smollm2,openai:gpt-6-lu"
    reply = kernel.completion(code)

    assert reply["matches"] == ["openai:gpt-6-luna"]
    assert code[reply["cursor_start"] : reply["cursor_end"]] == "openai:gpt-6-lu"
    assert kernel.complete("%%compare a, openai:gpt-6-lu") == ["openai:gpt-6-luna"]
    assert kernel.complete("%%compare x -p openai, mis") == ["mistral"]
    assert kernel.complete("%%compare x -p openai,mis") == ["mistral"]
    assert kernel.complete("%%ask x --fallback a:b, gpt-6-lu") == ["gpt-6-luna"]
    assert kernel.complete("%%compare x --temperature 0, gpt-6-lu") == []


def test_options_and_policies_are_completed(kernel):
    """A dash completes the options of the magic, --fallback the policies."""
    assert "--max-cost-usd" in kernel.complete("%%compare x --max")
    assert "--max-cost-usd" not in kernel.complete("%%ask x --max")
    assert kernel.complete("%%ask x --fallback e") == ["equivalent", "error"]
    assert kernel.complete("%%ask --strict gpt-6-lu") == ["gpt-6-luna"]


def test_words_follow_llmkit(kernel):
    """Each word of %llmkit, and what may follow it."""
    assert kernel.complete("%llmkit re") == ["refresh", "resolve"]
    assert "claude-haiku-5-5" in kernel.complete("%llmkit why claude-haiku-5")
    assert kernel.complete("%llmkit refresh openr") == ["openrouter"]
    assert kernel.complete("%llmkit close st") == ["stale"]


@pytest.mark.parametrize(
    "code", ["%%ask gpt-4\ngpt-", "gpt = 1\n%%ask gp", "# %%ask gpt-6-lu", "%%time gpt-6-lu"]
)
def test_other_lines_are_left_to_python(kernel, code):
    """A prompt, an assignment, a comment and another magic get no model's name."""
    assert not [name for name in kernel.complete(code) if name.startswith(("gpt-", "gp:"))]


def test_only_the_word_is_replaced(kernel):
    """A colon in the word does not cut it, as it would in Python."""
    code = "%%ask openai:gpt-6-lu"

    reply = kernel.completion(code)

    assert reply["matches"] == ["openai:gpt-6-luna"]
    assert code[reply["cursor_start"] : reply["cursor_end"]] == "openai:gpt-6-lu"


def test_a_second_load_completes_once_and_an_unload_no_more(kernel):
    """A reload does not duplicate completions, and an unload removes them."""
    kernel.run("%reload_ext llmkit", "%load_ext llmkit")
    twice = kernel.complete("%llmkit wh")

    kernel.one("%unload_ext llmkit")
    left = kernel.one(
        "from tests.ours import ours\n"
        "print([type(m).__module__ for m in get_ipython().Completer.custom_matchers if ours(m)])"
    )
    kernel.one("%load_ext llmkit")

    assert twice == ["why"]
    assert left.out.strip() == "[]"


def test_completing_loads_nothing_heavy(tmp_path):
    """Completion uses the catalogue, without a price table or the network."""
    places = {"IPYTHONDIR": str(tmp_path), "LLMKIT_CACHE_DIR": str(tmp_path)}
    with Kernel(env={**places, "LLMKIT_CONFIG": os.devnull}) as fresh:
        fresh.one("%load_ext llmkit")
        found = fresh.complete("%%ask gpt-6-lu")
        ran = fresh.one(f"import sys; print([m for m in {HEAVY} if m in sys.modules])")

    assert (found, ran.out.strip()) == (["gpt-6-luna"], "[]")
