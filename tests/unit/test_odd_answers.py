"""The text of an answer is its text, however a server spreads it over fields and chunks."""

from __future__ import annotations

import json

import pytest

from llmkit.providers.builtin import PROVIDERS, compatible
from llmkit.providers.chat_completions import OTHER, REFUSAL
from llmkit.providers.stream_parser import SECOND
from llmkit.wire.messages import HttpResponse

LAB = compatible("lab", "http://127.0.0.1/v1")
OPENAI = PROVIDERS["openai"]()


def chunk(delta=None, message=None, finish=None, index=0):
    """One chunk with a delta, a whole message, or both."""
    pieces = {"delta": delta, "message": message}
    return {"index": index, "finish_reason": finish} | {
        name: piece for name, piece in pieces.items() if piece is not None
    }


def streamed(provider, *choices, size=None):
    """Returns the answer in a stream of *choices*, read in pieces of *size* bytes."""
    events = [json.dumps({"choices": [choice]}) for choice in choices]
    data = "".join(f"data: {event}\n\n" for event in [*events, "[DONE]"]).encode()
    parser, size = provider.stream_parser(), size or len(data)
    deltas = [parser.feed(data[at : at + size]) for at in range(0, len(data), size)]
    deltas = [delta for delta in [*deltas, parser.close()] if delta is not None]
    answer = parser.end()

    assert "".join(delta.text for delta in deltas) == answer.text
    assert "".join(delta.reasoning for delta in deltas) == answer.reasoning
    return answer


def whole(content, **more):
    return chunk(message={"role": "assistant", "content": content, **more}, finish="stop")


STOP = chunk({}, finish="stop")


@pytest.mark.parametrize("size", [None, 7])
@pytest.mark.parametrize(
    ("choices", "text", "warnings"),
    [
        ([chunk({"content": "Hello"}), whole("Hello")], "Hello", ()),
        ([chunk({"content": "Hello "}), whole("Hello world")], "Hello world", ()),
        ([chunk({"content": "Hel"}), whole("Hello \ud83d\ude00")], "Hello \U0001f600", ()),
        ([whole("Hello")], "Hello", ()),
        ([chunk(message={"content": "He"}), whole("Hello")], "Hello", ()),
        ([chunk({"content": "Hello"}), STOP, whole("Hello")], "Hello", ()),
        ([STOP, whole("Hello")], "Hello", ()),
        # Perplexity: both in each chunk.
        ([chunk({"content": w}, {"content": t}) for w, t in (("a", "a"), ("b", "ab"))]
         + [chunk({"content": ""}, {"content": "ab"}, "stop")], "ab", ()),
        ([chunk({"role": "", "content": None}, {"content": "ab"}, "stop")], "ab", ()),
        ([chunk({"content": " Hello"}), whole("Hello")], " Hello", ()),
        ([chunk({"content": "Hello"}), whole("Good morning")], "Hello", (OTHER,)),
        ([STOP, chunk({"content": "a"}), whole("a")], "a", ()),
    ],
)  # fmt: skip
def test_a_whole_message_in_a_stream_adds_only_what_is_missing(choices, text, warnings, size):
    """A closing chunk with all of the text is not a further piece of it.

    https://github.com/infiniflow/ragflow/pull/15443 (MiniMax), https://docs.perplexity.ai (read
    2026-11-30).
    """
    answer = streamed(OPENAI, *choices, size=size)

    assert (answer.text, answer.warnings) == (text, warnings)


def test_a_whole_message_repeats_reasoning_and_tool_calls_too():
    """Each is completed, and nothing is told twice."""
    call = {"id": "c1", "type": "function", "function": {"name": "clock", "arguments": '{"a": 1}'}}
    cut = {**call, "index": 0, "function": {"name": "clock", "arguments": '{"a"'}}
    other = {**call, "id": "c2"}

    answer = streamed(
        OPENAI, chunk({"reasoning_content": "hm"}), chunk({"tool_calls": [cut]}),
        whole("Hi", reasoning_content="hm, yes", tool_calls=[call, other]),
    )  # fmt: skip

    assert (answer.text, answer.reasoning) == ("Hi", "hm, yes")
    assert [(call.id, call.arguments) for call in answer.tool_calls] == [
        ("c1", '{"a": 1}'),
        ("c2", '{"a": 1}'),
    ]


def test_many_whole_messages_take_no_longer_than_their_bytes():
    """A message that is not longer than the text so far is not compared with it."""
    choices = [chunk({"content": "x" * 100_000})]
    choices += [chunk({"content": "x"}), chunk(message={"content": "x"})] * 20_000

    assert len(streamed(OPENAI, *choices, STOP, size=2**16).text) == 120_000


@pytest.mark.parametrize(
    ("content", "text", "reasoning"),
    [
        ("Hi", "Hi", ""),
        (None, "", ""),
        (7, "", ""),
        (["Hi", None, 7, {"type": "image_url", "image_url": {"url": "x"}}], "Hi", ""),
        ({"type": "text", "text": "Hi"}, "Hi", ""),
        ([{"type": "output_text", "text": "Hi"}, {"text": None}], "Hi", ""),
        ([{"type": "thinking", "thinking": "hm"}, {"type": "text", "text": "Hi"}], "Hi", "hm"),
        ([{"type": "thinking", "thinking": [{"type": "text", "text": "hm"}]}], "", "hm"),
        ([{"type": "reasoning", "text": "hm"}], "", "hm"),
        ([{"type": "reasoning", "summary": [{"type": "summary_text", "text": "hm"}]}], "", "hm"),
        ([{"type": {"odd": 1}, "thinking": "hm"}], "", "hm"),
    ],
)
def test_content_has_many_forms(content, text, reasoning):
    """Text, a list of parts or of texts, nothing: also in a document."""
    body = json.dumps({"choices": [whole(content)]}).encode()
    document = OPENAI.parse_chat(HttpResponse(200, {}, body))
    stream = streamed(OPENAI, chunk({"content": content}), STOP)

    for answer in (document, stream):
        assert (answer.text, answer.reasoning) == (text, reasoning)


def test_a_refusal_among_the_parts_is_text_with_a_warning():
    """It is what the model said."""
    answer = streamed(OPENAI, chunk({"content": [{"type": "refusal", "refusal": "No."}]}), STOP)

    assert (answer.text, answer.warnings) == ("No.", (REFUSAL,))


DETAILS = [{"type": "reasoning.text", "text": "hm"}, {"type": "reasoning.encrypted", "data": "x"}]


@pytest.mark.parametrize(
    "piece",
    [
        {"reasoning_content": "hm"},
        {"reasoning": "hm"},
        {"thinking": "hm"},
        {"reasoning": "hm", "reasoning_content": "hm", "reasoning_details": DETAILS},
        {"reasoning": None, "reasoning_details": DETAILS},
        {"reasoning_details": [{"type": "reasoning.summary", "summary": "hm"}]},
        {"reasoning_content": "hm", "content": [{"type": "thinking", "thinking": "hm"}]},
    ],
)
def test_reasoning_that_is_sent_in_several_fields_is_told_once(piece):
    """https://openrouter.ai/docs/guides/best-practices/reasoning-tokens (read 2026-11-30)."""
    assert streamed(PROVIDERS["openrouter"](), chunk(piece), STOP).reasoning == "hm"


@pytest.mark.parametrize("size", [1, 5, None])
@pytest.mark.parametrize(
    ("said", "text", "reasoning"),
    [
        ("<think>a plan</think>Hi", "Hi", "a plan"),
        ("\n<think>\na </thin plan\n</think>\n\nHi <think>!", "Hi <think>!", "a </thin plan"),
        ("<think>\n\n</think>\n\nHi", "Hi", ""),
        ("<think>a plan that was cu", "", "a plan that was cu"),
        ("<think>a plan</th", "", "a plan</th"),
        ("Use <think> tags</think>", "Use <think> tags</think>", ""),
        ("<thinking>a</thinking> Hi", "<thinking>a</thinking> Hi", ""),
        ("  <thi", "  <thi", ""),
        ("  ", "  ", ""),
    ],
)
def test_a_block_of_thinking_at_the_start_is_reasoning(said, text, reasoning, size):
    """Servers without a reasoning parser send it as text, and cut its tags anywhere."""
    size = size or len(said)
    pieces = [chunk({"content": said[at : at + size]}) for at in range(0, len(said), size)]
    body = json.dumps({"choices": [whole(said)]}).encode()

    for answer in (
        streamed(LAB, *pieces, STOP),
        streamed(LAB, *pieces, whole(said), size=11),
        LAB.parse_chat(HttpResponse(200, {}, body)),
    ):
        assert (answer.text, answer.reasoning) == (text, reasoning)
        assert OTHER not in answer.warnings


def test_tags_stay_text_if_the_server_separates_the_reasoning():
    """It knows its model, and so does a maker."""
    said = "<think>is a tag</think>"

    answer = streamed(LAB, chunk({"reasoning": "hm"}), chunk({"content": said}), STOP)

    assert (answer.text, answer.reasoning) == (said, "hm")
    assert streamed(OPENAI, chunk({"content": said}), STOP).text == said


def test_an_old_ollama_sends_tags_as_well():
    """Since version 0.9 it has a field for the reasoning."""
    parser = PROVIDERS["ollama"]().stream_parser()
    for piece in ("<think>a", " plan</think>", "\nHi"):
        parser.feed(json.dumps({"message": {"content": piece}, "done": False}).encode() + b"\n")
    parser.feed(b'{"done": true, "done_reason": "stop"}\n')

    answer = parser.end()
    assert (answer.text, answer.reasoning) == ("Hi", "a plan")


def test_a_second_choice_is_ignored_with_a_warning():
    """A row holds one answer."""
    answer = streamed(
        OPENAI, chunk({"content": "A"}), chunk({"content": "B"}, index=1),
        chunk({"content": "C"}, index=1), STOP,
    )  # fmt: skip
    candidates = [{"index": i, "content": {"parts": [{"text": t}]}} for i, t in enumerate("AB")]
    body = json.dumps({"candidates": candidates}).encode()
    google = PROVIDERS["google"]().parse_chat(HttpResponse(200, {}, body))

    assert (answer.text, answer.warnings) == ("A", (SECOND,))
    assert (google.text, google.warnings[0]) == ("A", SECOND)
    assert "repeats=" in SECOND


def test_a_claude_gateway_may_send_the_content_as_text():
    """It is not lost."""
    body = json.dumps({"content": "Hi", "stop_reason": "end_turn"}).encode()

    assert PROVIDERS["anthropic"]().parse_chat(HttpResponse(200, {}, body)).text == "Hi"
