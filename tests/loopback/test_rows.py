"""Rows of a comparison against fake providers: who answered, and what was asked."""

from __future__ import annotations

import json

import pytest

from llmkit.chat.arguments import chat_arguments
from llmkit.kit import Kit
from tests.fakes.reply import Reply
from tests.fakes.server import PREFIXES

EVENTS = {"content-type": "text/event-stream"}


@pytest.fixture
def kit(fakes):
    """A kit whose six providers are the fakes, with a valid key for each."""
    urls = {f"LLMKIT_{name.upper()}_BASE_URL": fakes.base_url(name) for name in PREFIXES}
    keys = {f"{name.upper()}_API_KEY": fakes.key for name in PREFIXES}
    made = Kit(environ={**urls, **keys}, notify=lambda text: None)
    yield made
    made.close()


def gemini(model: str | None) -> Reply:
    chunk = {"candidates": [{"content": {"parts": [{"text": "hi"}]}, "finishReason": "STOP"}]}
    chunk |= {"modelVersion": model} if model else {}
    return Reply(pieces=(f"data: {json.dumps(chunk)}\n\n".encode(),), headers=EVENTS)


@pytest.mark.parametrize(
    ("asked", "response_model", "found"),
    [
        ("gemini-3.8-flash", "gemini-3.8-flash", False),
        ("gemini-3.7-flash", "gemini-3.7-flash", True),
        ("gemini-3.8-flash", "gemini-3.5-flash-lite", True),
        ("gemini-3.8-flash", None, None),
    ],
)
def test_an_answer_says_if_it_was_rerouted(fakes, kit, asked, response_model, found):
    """A model that Google reroutes counts so from that day on, even if it returns the old name."""
    fakes.answer("google", gemini(response_model))
    arguments = chat_arguments("hi", f"google:{asked}")

    answer = kit.manager.run(kit.answer(arguments.request, arguments.options))

    assert answer.rerouted is found
