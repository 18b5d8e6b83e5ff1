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


BERN, ROME = '{"city": "Bern"}', '{"city": "Rome"}'
TWO = [("a", BERN), ("b", ROME)]


def call(id=None, arguments="", *, name=None, **place):
    """A piece of a tool call; a piece with an id has a name, unless it is ""."""
    name = "weather" if name is None and id else name
    function = {"arguments": arguments} | ({"name": name} if name else {})
    return {"function": function} | ({"id": id} if id else {}) | place


@pytest.mark.parametrize(
    ("deltas", "calls"),
    [
        # Whole calls at one index: https://github.com/su-kaka/gcli2api/issues/406 (read 2026-11-30)
        ([[call("a", BERN, index=0)], [call("b", ROME, index=0)]], TWO),
        ([[call("a", index=0)], [call(None, BERN, index=0)], [call("b", index=0)],
          [call(None, ROME, index=0)]], TWO),
        # The id, or id and name, in each piece.
        ([[call("a", BERN[:5], index=0)], [call("a", BERN[5:], name="", index=0)],
          [call("b", ROME[:5], index=0)], [call("b", ROME[5:], index=0)]], TWO),
        # Pieces of both in turn.
        ([[call("a", index=0)], [call("b", index=0)], [call("a", BERN, name="", index=0)],
          [call("b", ROME, name="", index=0)]], TWO),
        # A new id in each piece of one call.
        ([[call("a", index=0)], [call("x", BERN[:5], name="", index=0)],
          [call("y", BERN[5:], name="", index=0)]], TWO[:1]),
        # One id for both.
        ([[call("a", BERN, index=0)], [call("a", ROME, index=1)]], [("a", BERN), ("a", ROME)]),
        ([[call("a", BERN, index=0)], [call("a", ROME, index=0)]], [("a", BERN), ("a", ROME)]),
        # A closing chunk that repeats the call.
        ([[call("a", BERN[:5], index=0)], [call(None, BERN[5:], index=0)],
          [call("a", BERN, index=0)]], TWO[:1]),
        # No ids.
        ([[call(None, BERN, name="weather", index=0)], [call(None, ROME, name="weather", index=0)]],
         [(None, BERN), (None, ROME)]),
        ([[call(None, BERN[:5], name="weather", index=0)],
          [call(None, BERN[5:], name="weather", index=0)]], [(None, BERN)]),
        # No index.
        ([[call("a", index=None), call("b", index=None)], [call("b", ROME, name="")],
          [call("a", BERN, name="")]], TWO),
        ([[call("a")], [call(None, BERN[:5])], [call(None, BERN[5:])], [call("b")],
          [call(None, ROME)]], TWO),
        ([[call("a"), call("b")], [call(None, BERN), call(None, ROME)]], TWO),
        ([[call("a", BERN), call("b", ROME)]], TWO),
    ],
)  # fmt: skip
def test_parallel_calls_are_told_apart(deltas, calls):
    """By index and id, and by complete arguments if neither differs."""
    parser = PROVIDERS["openai"]().stream_parser()
    for pieces in deltas:
        event = {"choices": [{"index": 0, "delta": {"tool_calls": pieces}}]}
        parser.feed(f"data: {json.dumps(event)}\n\n".encode())

    assert [(call.id, call.arguments) for call in parser.end().tool_calls] == calls


def test_parallel_calls_of_claude_at_one_index_are_told_apart():
    """A gateway numbers them all 0."""
    parser = PROVIDERS["anthropic"]().stream_parser()
    for id, arguments in TWO:
        block = {"type": "tool_use", "id": id, "name": "weather", "input": {}}
        for event in (
            {"type": "content_block_start", "index": 0, "content_block": block},
            {"type": "content_block_delta", "index": 0, "delta": {"partial_json": arguments}},
        ):
            parser.feed(f"data: {json.dumps(event)}\n\n".encode())

    assert [(call.id, call.arguments) for call in parser.end().tool_calls] == TWO
