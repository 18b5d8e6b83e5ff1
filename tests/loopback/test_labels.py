"""The labels of models in views, figures and frames, given back as names."""

from __future__ import annotations

import pytest

from llmkit.chat.arguments import chat_arguments
from llmkit.comparison.arguments import comparison_arguments
from llmkit.errors import LlmkitError
from llmkit.kit import Kit
from llmkit.views.answers.place import label_of
from llmkit.views.plots.aggregates import grouped
from tests.fakes.server import PREFIXES

NAMES = [
    "gpt-6-luna", "openai/gpt-6-luna", "claude-haiku-5-5", "anthropic:claude-sonnet-9",
    "gemini-3.5-flash-lite", "mistral-small-latest", "magistral-huge-9", "gpt-3.5-turbo",
    "openrouter:openai/gpt-6-luna", "x-ai/grok-4.3", "openai/gpt-4o:free", "@preset/mail",
    "openrouter/auto", "openai:ft:gpt-4o-2024-08-06:org::id", "google:models/gemini-3.8-flash",
    "ollama:llama3.2:1b", "ollama:hf.co/bartowski/Llama-3.2-3B-Instruct-GGUF:Q4_K_M",
    "ollama:my-own-model", "scripted:echo", "scripted:openai", "lab:my/model:tag", "lab:gpt-4o",
    "nothing-like-it", "unknown:model",
]  # fmt: skip


@pytest.fixture
def kit(fakes):
    """A kit whose providers are the fakes, and with an OpenAI-compatible server of its own."""
    urls = {f"LLMKIT_{name.upper()}_BASE_URL": fakes.base_url(name) for name in PREFIXES}
    keys = {f"{name.upper()}_API_KEY": fakes.key for name in PREFIXES}
    made = Kit(environ={**urls, **keys}, notify=lambda text: None)
    made.add_provider("lab", fakes.base_url("openai"))
    yield made
    made.close()


def rows_of(kit, names, **options):
    asked = comparison_arguments("hi", names, max_calls=None, **options)
    return kit.manager.run(kit.compare(asked.requests, asked.options)).rows


@pytest.mark.parametrize("fallback", ["error", "successor"])
def test_a_label_is_a_name_of_the_model_that_it_stands_for(kit, fallback):
    """Asked again by its label, each row leads to the same model, or to the same error."""
    rows = rows_of(kit, NAMES, fallback=fallback)
    again = rows_of(kit, [label_of(row) for row in rows], fallback=fallback)

    assert [(row.provider, row.request_model, label_of(row)) for row in again] == [
        (row.provider, row.request_model, label_of(row)) for row in rows
    ]
    assert [row.error_type for row in again] == [row.error_type for row in rows]


def test_ask_takes_the_names_that_a_figure_prints(kit):
    """The answer comes from the provider in the label."""
    rows = rows_of(kit, NAMES)
    answered = {}
    for group in grouped(rows):
        arguments = chat_arguments("hi", group.name)
        try:
            answer = kit.manager.run(kit.answer(arguments.request, arguments.options))
        except LlmkitError:
            continue
        model = f"{answer.provider}:{answer.request_model}"
        answered[group.name] = answer.fallback[0].asked if answer.fallback else model

    assert len(answered) > 15
    assert [pair for pair in answered.items() if pair[0] != pair[1]] == []
