"""The tool calls of a model are in the answer, from a document and from a stream."""

from __future__ import annotations

import json

import pytest

from llmkit.providers.builtin import PROVIDERS
from llmkit.types import Completion, ToolCall
from llmkit.views.records import document, rows_from
from llmkit.wire.messages import HttpResponse
from tests.unit.rows import row

ASKED = {"city": "Genève"}
TEXT = json.dumps(ASKED, ensure_ascii=False)
CHAT = {
    "choices": [
        {
            "message": {
                "content": None,
                "tool_calls": [
                    {"id": "c1", "function": {"name": "weather", "arguments": TEXT}},
                    {"id": "c2", "function": {"name": "clock", "arguments": ""}},
                ],
            },
            "finish_reason": "tool_calls",
        }
    ]
}
DOCUMENTS = {
    "openai": CHAT,
    "mistral": CHAT,
    "openrouter": CHAT,
    "anthropic": {
        "content": [
            {"type": "tool_use", "id": "c1", "name": "weather", "input": ASKED},
            {"type": "tool_use", "id": "c2", "name": "clock", "input": {}},
        ],
        "stop_reason": "tool_use",
    },
    "google": {
        "candidates": [
            {
                "content": {
                    "parts": [
                        {"functionCall": {"id": "c1", "name": "weather", "args": ASKED}},
                        {"functionCall": {"id": "c2", "name": "clock"}},
                    ]
                },
                "finishReason": "STOP",
            }
        ]
    },
    "ollama": {
        "message": {
            "content": "",
            "tool_calls": [
                {"function": {"name": "weather", "arguments": ASKED}},
                {"function": {"name": "clock", "arguments": {}}},
            ],
        },
        "done": True,
        "done_reason": "stop",
    },
}


@pytest.mark.parametrize("provider", DOCUMENTS)
def test_calls_of_tools_are_in_the_answer(provider):
    """Name, arguments as JSON and id; the finish reason tells it."""
    body = json.dumps(DOCUMENTS[provider]).encode()

    answer = PROVIDERS[provider]().parse_chat(HttpResponse(200, {}, body))

    named = provider != "ollama"  # which gives its calls no ids
    assert answer.tool_calls == (
        ToolCall("weather", TEXT, "c1" if named else None),
        ToolCall("clock", "{}", "c2" if named else None),
    )
    assert answer.finish_reason == "tool_calls"


@pytest.mark.parametrize("odd", [[{}], [{"function": {"name": 7, "arguments": 7}}], "call", [None]])
def test_an_invalid_call_is_dropped(odd):
    """Unexpected forms make no call, and no exception."""
    message = {"content": "Hi", "tool_calls": odd}
    body = json.dumps({"choices": [{"message": message, "finish_reason": "stop"}]}).encode()

    answer = PROVIDERS["openai"]().parse_chat(HttpResponse(200, {}, body))

    assert (answer.text, answer.tool_calls, answer.finish_reason) == ("Hi", (), "stop")


def test_calls_of_tools_outlive_the_process():
    """They are written and read with the other fields of an answer."""
    kept = row(completion=Completion(tool_calls=(ToolCall("weather", TEXT, "c1"),)))

    (read,) = rows_from(json.loads(json.dumps(document([kept], about={}))))

    assert read.completion.tool_calls == kept.completion.tool_calls
