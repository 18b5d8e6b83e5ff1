"""How an answer ends: every dialect, every finish reason, whole and cut."""

from __future__ import annotations

import json

import pytest

from llmkit.errors import Outcome, ServerError
from llmkit.providers.builtin import PROVIDERS
from llmkit.providers.finish_reasons import FINISHES, STATUSES, finish_of
from llmkit.types import Status
from llmkit.wire.messages import HttpResponse
from tests.fakes.misbehaviour import FINISH, body_of, ending_with, going_on
from tests.fakes.reply import document, stream

SIX = sorted(FINISH)
STRANGE = ("pause_turn", "OTHER", "MALFORMED_FUNCTION_CALL", "TOO_MANY_TOOL_CALLS", "load", "new")
WORDS = (*(word for word, finish in FINISHES.items() if finish), *STRANGE)
# One word for each status, which is cut at every byte.
CUT = ("STOP", "max_tokens", "sensitive", "insufficient_system_resource", "pause_turn")
TEXT = "A river carries silt"
CHAT = ("openai", "mistral", "openrouter")


def read(provider, raw):
    """Returns the parser of a stream and its answer."""
    parser = PROVIDERS[provider]().stream_parser()
    parser.feed(raw)
    return parser, parser.end()


def whole(provider, word):
    """Returns a document that ends with *word*."""
    body = b"".join(document(provider, "chat").pieces)
    finish = FINISH[provider].partition(b":")[0]
    value = json.loads(body)
    place = value
    if provider != "anthropic" and provider != "ollama":
        place = value["candidates" if provider == "google" else "choices"][0]
        place.pop("native_finish_reason", None)
    place[finish.strip(b'"').decode()] = word
    return HttpResponse(200, {}, json.dumps(value).encode())


@pytest.mark.parametrize("word", WORDS)
@pytest.mark.parametrize("provider", SIX)
def test_every_reason_means_the_same_at_every_provider(provider, word):
    """A gateway may pass on the words of any dialect; streams and documents agree."""
    finish = FINISHES.get(word, word)
    status = STATUSES.get(finish, Status.INCOMPLETE)

    parser, streamed = read(provider, body_of(ending_with(provider, word)))
    try:
        document, error = PROVIDERS[provider]().parse_chat(whole(provider, word)), None
    except ServerError as raised:
        document, error = raised.completion, raised

    for answer in (streamed, document):
        assert answer.text.startswith("A river carries silt")
        assert (answer.status, answer.finish_reason) == (status, finish)
        assert answer.native_finish_reason == word
        assert (word in " ".join(answer.warnings)) is (status is Status.INCOMPLETE)
        assert answer.usage.output_tokens
    for failure in (parser.error, error):
        assert (type(failure) is ServerError) is (status is Status.ERROR)
        assert failure is None or failure.outcome is Outcome.STREAMED


@pytest.mark.parametrize("word", CUT)
@pytest.mark.parametrize("provider", SIX)
def test_a_cut_never_changes_what_an_end_means(provider, word):
    """Before the reason has arrived whole the answer is truncated, after it has its status."""
    raw = body_of(ending_with(provider, word))
    _, expected = read(provider, raw)

    cuts = [read(provider, raw[:at])[1] for at in range(len(raw))]

    assert {answer.status for answer in cuts} == {Status.TRUNCATED, expected.status}
    assert all(expected.text.startswith(answer.text) for answer in cuts)
    ended = [answer for answer in cuts if answer.status is not Status.TRUNCATED]
    assert {(answer.text, answer.finish_reason) for answer in ended} == {
        (expected.text, expected.finish_reason)
    }
    assert all(answer.finish_reason is None for answer in cuts if answer not in ended)


@pytest.mark.parametrize("provider", ["google", *CHAT])
def test_a_reason_with_every_chunk_ends_nothing(provider):
    """The text after it is text, at every cut."""
    _, answer = read(provider, body_of(going_on(provider)))
    _, expected = read(provider, body_of(stream(provider)))

    assert (answer.text, answer.status) == (expected.text, Status.COMPLETE)
    assert (answer.usage, answer.warnings) == (expected.usage, ())


@pytest.mark.parametrize("word", ["", "null", "NULL", "none", "FINISH_REASON_UNSPECIFIED"])
@pytest.mark.parametrize("provider", SIX)
def test_a_word_for_no_reason_is_none(provider, word):
    """Some servers write it in every chunk; only an end mark then ends the answer."""
    _, answer = read(provider, body_of(ending_with(provider, word)))
    _, without = read(provider, body_of(ending_with(provider, None)))

    assert answer == without
    assert (answer.finish_reason, answer.native_finish_reason) == (None, None)
    marked = provider != "google"
    assert answer.status is (Status.COMPLETE if marked else Status.TRUNCATED)
    assert answer.warnings == (("the provider sent no finish reason",) if marked else ())


@pytest.mark.parametrize(
    ("word", "finish"),
    [
        ("MaxTokens", "length"),
        ("max-tokens", "length"),
        ("FinishReason.MAX_TOKENS", "length"),
        ("FINISH_REASON_SAFETY", "filtered"),
        ("content-filter", "filtered"),
        ("Content Filter", "filtered"),
        ("Stop", "stop"),
        ("toolUse", "tool_calls"),
        ("Network-Error", "error"),
        ("PAUSE_TURN", "PAUSE_TURN"),
        ("\u505c\u6b62", "\u505c\u6b62"),
    ],
)
def test_the_spelling_of_a_reason_does_not_matter(word, finish):
    """Case, separators and the name of the enumeration differ between servers."""
    assert finish_of(word) == finish


@pytest.mark.parametrize(
    ("reason", "native", "status"),
    [
        ("stop", "completed", Status.COMPLETE),
        ("stop", "SAFETY", Status.FILTERED),
        ("stop", "max_output_tokens", Status.LENGTH),
        ("stop", "abort", Status.ERROR),
        ("length", "stop", Status.LENGTH),
        ("tool_calls", "STOP", Status.COMPLETE),
        ("content_filter", "refusal", Status.FILTERED),
    ],
)
def test_a_gateway_cannot_turn_a_bad_end_into_a_good_one(reason, native, status):
    """The word of the provider behind it decides against "stop"."""
    choice = {"delta": {"content": "x"}, "finish_reason": reason, "native_finish_reason": native}
    raw = f"data: {json.dumps({'choices': [choice]})}\n\ndata: [DONE]\n\n".encode()

    _, answer = read("openrouter", raw)

    assert (answer.status, answer.native_finish_reason) == (status, native)


def test_an_error_before_anything_may_be_sent_again():
    """A finish reason is then a refusal; after generated tokens, a second request costs twice."""
    choice = b'data: {"choices":[{"delta":{},"finish_reason":"abort"}]%s}\n\ndata: [DONE]\n\n'

    first, _ = read("openai", choice % b"")
    second, _ = read("openai", choice % b',"usage":{"completion_tokens":7}')

    assert (first.error.outcome, first.error.possibly_billed) == (Outcome.REFUSED, True)
    assert (second.error.outcome, second.error.possibly_billed) == (Outcome.STREAMED, True)
    assert str(first.error).startswith(
        "openai failed (500): the answer ended with the finish reason 'abort'"
    )


def chat(finish="stop", usage=None, **delta):
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    event = json.dumps({"choices": [choice], "usage": usage})
    return "openai", f"data: {event}\n\ndata: [DONE]\n\n".encode()


def gemini(finish="STOP", usage=None, *parts):
    candidate = {"content": {"parts": list(parts)}, "finishReason": finish}
    event = json.dumps({"candidates": [candidate], "usageMetadata": usage or {}})
    return "google", f"data: {event}\n\n".encode()


def claude(*blocks, finish="end_turn"):
    started = ({"type": "content_block_start", "content_block": block} for block in blocks)
    events = [*started, {"type": "message_delta", "delta": {"stop_reason": finish}}]
    events.append({"type": "message_stop"})
    return "anthropic", b"".join(f"data: {json.dumps(event)}\n\n".encode() for event in events)


SPENT = {"completion_tokens": 200, "completion_tokens_details": {"reasoning_tokens": 199}}
THOUGHT = {"promptTokenCount": 5, "thoughtsTokenCount": 112}
NOTHING = "the answer is empty: nothing came, neither text nor reasoning nor a tool call"


@pytest.mark.parametrize(
    ("reply", "warning"),
    [
        (chat(), NOTHING),
        (chat(content="\n"), NOTHING),
        (gemini(), NOTHING),
        (claude(), NOTHING),
        (("ollama", b'{"message":{"content":""},"done":true,"done_reason":"stop"}\n'), NOTHING),
        (chat(audio={"id": "a", "data": "x"}), "no text, but audio, which"),
        (chat(images=[{"type": "image_url"}]), "no text, but images, which"),
        (chat(content=[{"type": "image_url"}, {"type": "chart"}]), "but chart and images,"),
        (gemini("STOP", None, {"inlineData": {"mimeType": "audio/wav"}}), "no text, but audio,"),
        (gemini("STOP", None, {"executableCode": {"code": "1"}}), "no text, but executableCode,"),
        (claude({"type": "server_tool_use", "name": "web"}), "no text, but server_tool_use,"),
        (chat("length", SPENT), "thinking used up 199 of 200 output tokens; raise max_tokens"),
        (gemini("MAX_TOKENS", THOUGHT), "thinking used up 112 of 112 output tokens; raise max_t"),
        (gemini("STOP", THOUGHT), "thinking used up 112 of 112 output tokens; raise max_tokens"),
        (chat("length", reasoning="hm"), "thinking used up the token limit; raise max_tokens"),
        (chat(reasoning="hm"), "if thinking used up the token limit; raise max_tokens"),
        (chat("length"), "the token limit came before any text; raise max_tokens"),
    ],
)  # fmt: skip
def test_an_empty_answer_says_why(reply, warning):
    """One warning names what came instead of text, or what to change."""
    _, answer = read(*reply)

    assert answer.status in (Status.COMPLETE, Status.LENGTH)
    assert len(answer.warnings) == 1
    assert warning in answer.warnings[0]


@pytest.mark.parametrize(
    "reply",
    [
        chat(content="x", audio={"id": "a"}),
        chat(tool_calls=[{"function": {"name": "clock", "arguments": "{}"}}]),
        chat("content_filter"),
        gemini("SAFETY"),
        claude({"type": "tool_use", "name": "clock", "input": {}}),
    ],
)
def test_an_answer_with_something_in_it_has_no_such_warning(reply):
    """Nor has one whose status tells the reason."""
    assert read(*reply)[1].warnings == ()
