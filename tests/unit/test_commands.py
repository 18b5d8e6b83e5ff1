"""The arguments of %llmkit: wrong usage gives one message with the right usage."""

from __future__ import annotations

import pytest
from IPython.core.error import UsageError

from llmkit.errors import ConfigError
from llmkit.notebook.commands import run_command


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("resolve", "%llmkit resolve NAME"),
        ("why", "%llmkit why NAME"),
        ("resolve gpt-4o mistral", "%llmkit resolve NAME"),
        ("resolve gpt-4o -p", "%llmkit resolve NAME"),
        ("resolve gpt-4o --provider=", "%llmkit resolve NAME"),
        ("why gpt-4o --provder mistral", "no option --provder; did you mean --provider"),
        ("resolv gpt-4o", "did you mean resolve"),
    ],
)
def test_a_wrong_use_shows_the_right_one(line, words):
    """A missing or extra name, an option without its value, a misspelling."""
    with pytest.raises(UsageError, match=words):
        run_command(line)


@pytest.mark.parametrize(
    "line",
    [
        "resolve openai:gpt-4o -p mistral",
        "resolve -p mistral openai:gpt-4o",
        "why openai:gpt-4o --provider mistral",
        "why openai:gpt-4o --provider=mistral",
        "why -p=mistral openai:gpt-4o",
    ],
)
def test_the_provider_may_stand_before_or_after_the_name(line):
    """Both spellings mean the same, which is a contradiction here."""
    with pytest.raises(ConfigError, match="names openai, but provider='mistral'"):
        run_command(line)
