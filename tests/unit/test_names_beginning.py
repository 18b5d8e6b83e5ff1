"""The completions for the beginning of a name."""

from __future__ import annotations

from datetime import date

import pytest

from llmkit.catalogue.lookup import names_beginning
from llmkit.providers.builtin import shipped

DAY = date(2026, 11, 24)


def offered(typed, **more):
    return names_beginning(typed, shipped(), on=DAY, **more)


def test_a_name_that_states_nothing_may_be_standard_own_or_an_id():
    """Retired standard names are offered, because they are translated; the user's names, too."""
    found = offered("", own=["my-cheap-one"], providers=["openai", "lab"])

    assert {"gpt-3.5-turbo", "my-cheap-one", "claude-haiku-5-5", "lab:"} <= set(found)
    assert found == sorted(found)


@pytest.mark.parametrize(
    ("typed", "there", "not_there"),
    [
        ("openai:gpt-", "openai:gpt-6-luna", "openai:gpt-3.5-turbo"),
        ("gemini:gemini-3", "gemini:gemini-3.8-flash", "gemini:gemini-3-pro-preview"),
        ("anthropic/claude-", "anthropic/claude-haiku-5.5", "claude-haiku-5-5"),
        ("openrouter/a", "openrouter/auto", "anthropic/claude-haiku-5.5"),
        ("openrouter/a", "openrouter/anthropic/claude-haiku-5.5", "openrouter/openrouter/auto"),
        ("openrouter:anthropic/", "openrouter:anthropic/claude-haiku-5.5", "claude-haiku-5-5"),
    ],
)
def test_after_a_provider_come_the_ids_that_live_there(typed, there, not_there):
    """In the spelling of the typed provider, and without retired ids."""
    found = offered(typed)

    assert there in found
    assert not_there not in found


def test_a_colon_after_no_provider_is_part_of_a_name():
    """Ollama's tags have colons."""
    assert "llama2:13b" in offered("llama2:1")


def test_case_does_not_matter():
    """A completion has the spelling of the name."""
    assert offered("MY-C", own=["my-cheap-one", "other"]) == ["my-cheap-one"]


def test_a_server_of_ones_own_has_no_known_ids():
    """After its colon nothing is offered."""
    assert offered("lab:", providers=["lab"]) == []
