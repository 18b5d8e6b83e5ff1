"""OpenAI's chat completions, and the behaviour common to its dialect."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import pytest

from llmkit.catalogue.entry import Model
from llmkit.errors import (
    AuthenticationError,
    BadResponseError,
    ConfigError,
    ContentFilterError,
    ContextLengthExceededError,
    InvalidRequestError,
    ModelNotFoundError,
    Outcome,
    PermissionDeniedError,
    QuotaExhaustedError,
    RateLimitError,
    ServerError,
)
from llmkit.providers.base import FittedPrompt, ModelPage
from llmkit.providers.openai import OpenAI
from llmkit.secret import Secret
from llmkit.types import (
    Completion,
    Lifecycle,
    Message,
    Prompt,
    Status,
    TextDelta,
    TextPart,
    Usage,
)
from llmkit.wire.messages import HttpResponse

DATA = Path(__file__).parents[1] / "data" / "openai"
KEY = Secret("sk-test-0123456789abcdef")
HELLO = Prompt((Message("user", "Hello"),))
FULL = Prompt(
    (
        Message("user", "Hello"),
        Message("assistant", "Hi!"),
        Message("user", (TextPart("And "), TextPart("now?"))),
    ),
    system="Be brief.",
    max_tokens=50,
    temperature=0.5,
    top_p=0.9,
    stop=("END", "\n\n"),
    seed=7,
    options=(("store", True), ("stream_options", {"include_obfuscation": False})),
)
USAGE = Usage(input_tokens=21, output_tokens=17, cached_tokens=8, reasoning_tokens=9)


def fixture(name: str) -> bytes:
    return (DATA / name).read_bytes()


def answer(body: object, status: int = 200, **headers: str) -> HttpResponse:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return HttpResponse(status, headers, data)


def sse(*chunks: object) -> bytes:
    lines = (chunk if isinstance(chunk, str) else json.dumps(chunk) for chunk in chunks)
    return "".join(f"data: {line}\n\n" for line in lines).encode()


def chunk(delta: object = None, finish: str | None = None, **more: object) -> dict[str, object]:
    return {"choices": [{"index": 0, "delta": delta, "finish_reason": finish}], **more}


def text(content: object) -> dict[str, object]:
    return chunk({"content": content})


def streamed(*chunks: object) -> Completion:
    parser = OpenAI().stream_parser()
    parser.feed(sse(*chunks))
    return parser.end()


END = chunk({}, "stop")


# -- requests ---------------------------------------------------------------------------------


def test_the_plainest_request_says_only_what_it_must():
    """Parameters that were not set are not in the request."""
    request = OpenAI().chat_request(HELLO, model="gpt-6-luna", key=KEY)

    assert (request.method, request.url) == ("POST", "https://api.openai.com/v1/chat/completions")
    assert request.headers == {
        "Authorization": "Bearer sk-test-0123456789abcdef",
        "Content-Type": "application/json",
    }
    assert json.loads(request.body) == {
        "model": "gpt-6-luna",
        "messages": [{"role": "user", "content": "Hello"}],
    }
    assert request.stream is False


def test_a_full_request_has_every_parameter_in_openais_words():
    """System prompt first, the conversation in order, options merged in last."""
    request = OpenAI().chat_request(FULL, model="gpt-4o", key=KEY, stream=True)

    assert json.loads(request.body) == {
        "model": "gpt-4o",
        "messages": [
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": "Hello"},
            {"role": "assistant", "content": "Hi!"},
            {"role": "user", "content": "And now?"},
        ],
        "max_completion_tokens": 50,
        "temperature": 0.5,
        "top_p": 0.9,
        "stop": ["END", "\n\n"],
        "seed": 7,
        "stream": True,
        "stream_options": {"include_usage": True, "include_obfuscation": False},
        "store": True,
    }
    assert request.stream is True


@pytest.mark.parametrize("field", ["model", "messages", "stream"])
def test_an_option_cannot_replace_what_was_decided(field):
    """The record of a call must contain what was really sent."""
    prompt = Prompt((Message("user", "Hello"),), options=((field, "other"),))

    with pytest.raises(ConfigError, match=field):
        OpenAI().fit(prompt, "gpt-4o")


def test_a_base_url_keeps_its_path():
    """A gateway's prefix stands before the usual path."""
    provider = OpenAI("https://gateway.example/team/v1/")
    urls = (
        provider.chat_request(HELLO, model="m", key=None).url,
        provider.models_request(None).url,
    )

    assert urls == (
        "https://gateway.example/team/v1/chat/completions",
        "https://gateway.example/team/v1/models",
    )


def test_the_key_is_in_no_repr():
    """Only the header itself contains it."""
    request = OpenAI().chat_request(HELLO, model="gpt-4o", key=KEY)

    assert KEY.reveal() not in repr((request, request.headers, OpenAI(), KEY))


def test_without_a_key_no_header_pretends_one():
    """A server without keys would refuse an empty bearer token."""
    assert OpenAI().key_request(None).headers == {}


@pytest.mark.parametrize(
    ("model", "refused"),
    [
        ("o1", ("temperature", "top_p", "stop")),
        ("o4-mini-2025-04-16", ("temperature", "top_p", "stop")),
        ("gpt-5-mini", ("temperature", "top_p", "stop")),
        ("gpt-5.4-mini", ("temperature", "top_p", "stop")),
        ("gpt-6-luna", ("temperature", "top_p", "stop")),
        ("gpt-10", ("temperature", "top_p", "stop")),
        ("ft:gpt-6-luna:lab::1", ("temperature", "top_p", "stop")),
        ("gpt-5-chat-latest", ()),
        ("gpt-4o", ()),
        ("gpt-4.1-mini", ()),
        ("gpt-35-turbo", ()),
        ("ft:gpt-4o:lab::1", ()),
        ("omni-moderation-latest", ()),
    ],
)
def test_reasoning_models_are_asked_without_sampling_parameters(model, refused):
    """They would be answered with 400; the names are kept for the row."""
    fitted = OpenAI().fit(FULL, model)

    assert fitted.ignored == refused
    assert (fitted.prompt.temperature, fitted.prompt.stop) == (
        (None, ()) if refused else (FULL.temperature, FULL.stop)
    )


def test_what_was_not_set_is_not_ignored():
    """Only a parameter that the user set is reported."""
    assert OpenAI().fit(HELLO, "gpt-6-luna") == FittedPrompt(HELLO)


def test_a_model_told_not_to_reason_takes_sampling_parameters():
    """Effort "none" makes them possible again, from GPT-5.1 on."""
    prompt = Prompt(HELLO.messages, temperature=0, options=(("reasoning_effort", "none"),))
    ignored = [OpenAI().fit(prompt, m).ignored for m in ("gpt-5.4", "gpt-6-luna", "gpt-5", "o3")]

    assert ignored == [(), (), ("temperature",), ("temperature",)]


# -- answers ----------------------------------------------------------------------------------


def test_a_whole_answer_is_read():
    """Text, reason, model, tokens and the id that support asks for."""
    response = answer(fixture("chat.json"), **{"x-request-id": "req_fx_openai"})

    assert OpenAI().parse_chat(response) == Completion(
        text="A river carries silt to the sea.",
        status=Status.COMPLETE,
        finish_reason="stop",
        native_finish_reason="stop",
        service_tier="default",
        usage=USAGE,
        response_model="gpt-5.4-mini-2026-03-17",
        request_id="req_fx_openai",
    )


def test_a_streamed_answer_is_read():
    """One delta for one network read with any number of events."""
    parser = OpenAI().stream_parser()
    delta = parser.feed(fixture("stream.sse"))

    assert delta == TextDelta("A river carries silt.")
    assert (parser.finished, parser.done, parser.error) == (True, True, None)
    assert parser.end() == Completion(
        text="A river carries silt.",
        status=Status.COMPLETE,
        finish_reason="stop",
        native_finish_reason="stop",
        service_tier="default",
        usage=USAGE,
        response_model="gpt-5.4-mini-2026-03-17",
    )


def test_every_cut_of_the_stream_gives_the_same_answer():
    """Deltas differ, their sum and the answer do not."""
    data = fixture("stream.sse").replace(b"silt", "Süß🦆".encode())
    whole = OpenAI().stream_parser()
    whole.feed(data)
    other = []
    for size in range(1, 200):
        parser = OpenAI().stream_parser()
        deltas = [parser.feed(data[at : at + size]) for at in range(0, len(data), size)]
        joined = "".join(delta.text for delta in deltas if delta)
        if (joined, parser.end()) != ("A river carries Süß🦆.", whole.end()):
            other.append(size)

    assert other == []


def test_usage_after_the_finish_reason_still_counts():
    """The answer is finished first, and the stream done later."""
    parser = OpenAI().stream_parser()
    parser.feed(sse(text("x"), END))
    between = (parser.finished, parser.done)
    parser.feed(sse({"choices": [], "usage": {"prompt_tokens": 1, "completion_tokens": 2}}))
    parser.feed(sse("[DONE]"))

    assert (between, parser.done) == ((True, False), True)
    assert parser.end().usage == Usage(1, 2)


def test_a_stream_without_its_mark_is_complete_with_a_warning():
    """The finish reason decides; the missing mark is a warning."""
    done = streamed(text("x"), END)

    assert (done.text, done.status) == ("x", Status.COMPLETE)
    assert done.warnings == ("the stream ended without its [DONE] mark",)


def test_a_body_that_ends_without_a_finish_reason_is_truncated():
    """The end of the body alone is not the end of the answer."""
    done = streamed(text("A ri"))

    assert (done.text, done.status, done.finish_reason) == ("A ri", Status.TRUNCATED, None)


def test_the_mark_without_a_finish_reason_is_complete_with_a_warning():
    """The server says that it ended the answer (https://github.com/databricks/unity-gateway/issues/215)."""
    done = streamed(chunk({"reasoning_content": "hm"}), text("ok"), "[DONE]")

    assert (done.text, done.status, done.finish_reason) == ("ok", Status.COMPLETE, None)
    assert done.warnings == ("the provider sent no finish reason",)


def test_a_mark_alone_is_no_answer():
    """Without any event before it, nothing says that there was one."""
    assert streamed("[DONE]").status is Status.TRUNCATED


def test_a_stream_cut_inside_an_event_keeps_the_text_before():
    """Half an event is not shown."""
    parser = OpenAI().stream_parser()
    parser.feed(sse(text("Hello wör"), text("ld"))[:-12])
    done = parser.end()

    assert (done.text, done.status) == ("Hello wör", Status.TRUNCATED)


def test_a_last_event_without_its_blank_line_counts_if_it_is_whole():
    """Some servers omit the last line end."""
    parser = OpenAI().stream_parser()
    parser.feed(sse(text("x"), chunk({"content": "y"}, "stop")).rstrip())

    assert (parser.end().text, parser.end().status) == ("xy", Status.COMPLETE)


def test_the_mark_without_its_blank_line_is_the_mark():
    """No warning reports a missing mark."""
    parser = OpenAI().stream_parser()
    parser.feed(fixture("stream.sse").rstrip())

    assert (parser.end().status, parser.end().warnings) == (Status.COMPLETE, ())


def test_what_comes_after_the_end_is_ignored():
    """Neither text nor an error after [DONE] counts."""
    parser = OpenAI().stream_parser()
    first = parser.feed(sse(text("x"), END, "[DONE]", text("y")))
    second = parser.feed(sse(text("z"), {"error": {"message": "late"}}))

    assert (first, second, parser.end().text, parser.error) == (TextDelta("x"), None, "x", None)


def test_text_after_a_finish_reason_is_text_and_the_last_reason_counts():
    """Some gateways send "stop" with every chunk (https://github.com/su-kaka/gcli2api/issues/403)."""
    done = streamed(chunk({"content": "x"}, "stop"), text("y"), chunk({}, "length"), "[DONE]")

    assert (done.text, done.status, done.warnings) == ("xy", Status.LENGTH, ())


def test_only_choice_zero_counts():
    """Also if an index is missing, or the other choice comes first."""
    both = {
        "choices": [
            {"index": 1, "delta": {"content": "other"}, "finish_reason": "length"},
            {"index": 0, "delta": {"content": "mine"}},
        ]
    }
    unnumbered = {"choices": [{"delta": {"content": "!"}}, {"delta": {"content": "other"}}]}
    alone = {"choices": [{"index": 1, "delta": {"content": "other"}}]}

    assert streamed(both, unnumbered, alone, END, "[DONE]").text == "mine!"


@pytest.mark.parametrize(
    "odd",
    [
        {},
        {"choices": []},
        {"choices": None},
        {"choices": "none"},
        {"choices": [None, 5]},
        {"choices": [{}]},
        {"choices": [{"index": 0, "delta": None}]},
        {"choices": [{"index": 0, "delta": "text"}]},
        text(None),
        text(5),
        text([]),
        text([None, 5, {}, {"type": "image_url"}, {"type": "text", "text": None}]),
        chunk({"role": "assistant"}),
        chunk({"tool_calls": [{"index": 0, "function": {"arguments": "{"}}]}),
        chunk({"reasoning": None, "reasoning_content": 5, "refusal": 5}),
        chunk({}, "", usage=None),
        {"choices": [], "usage": "many", "model": 5, "error": None},
        {"unknown": {"field": []}},
        "",
    ],
)
def test_odd_chunks_add_nothing_and_break_nothing(odd):
    """In any form, the text around it is exact."""
    done = streamed(text("a"), odd, text("b"), END, "[DONE]")

    assert (done.text, done.status, done.usage) == ("ab", Status.COMPLETE, Usage())


def test_foreign_events_are_skipped():
    """A proxy's ping is not an error; JSON counts under any event name."""
    parser = OpenAI().stream_parser()
    parser.feed(b"event: ping\ndata: still here\n\n: comment\n\nretry: 5\n\n")
    parser.feed(b"event: chunk\n" + sse(text("x"), END, "[DONE]"))

    assert (parser.error, parser.end().text) == (None, "x")


def test_reasoning_is_apart_from_text():
    """Under either of its names; if both are sent it counts once."""
    done = streamed(
        chunk({"reasoning_content": "I "}),
        chunk({"reasoning": "think"}),
        chunk({"reasoning": ".", "reasoning_content": "."}),
        text("So."),
        END,
        "[DONE]",
    )

    assert (done.reasoning, done.text) == ("I think.", "So.")


def test_a_refusal_is_text_with_a_warning():
    """A refusal instead of an answer looks neither like an empty one nor like a complete one."""
    done = streamed(chunk({"refusal": "I "}), chunk({"refusal": "won't."}), END, "[DONE]")

    assert (done.text, done.status) == ("I won't.", Status.FILTERED)
    assert (done.finish_reason, done.native_finish_reason) == ("filtered", "stop")
    assert done.warnings == ("the model refused; see its text for the reason",)


def test_bytes_that_are_no_utf8_are_marked_and_said():
    """The rest of the text is exact."""
    parser = OpenAI().stream_parser()
    parser.feed(sse(text("x!")).replace(b"!", b"\xff") + sse(text("y"), END, "[DONE]"))
    done = parser.end()

    assert (done.text, done.status) == ("x\ufffdy", Status.COMPLETE)
    assert done.warnings == ("bytes that are not UTF-8 were replaced by U+FFFD",)


def test_an_emoji_cut_in_two_escapes_is_whole():
    """Servers that count in UTF-16 split them."""
    parser = OpenAI().stream_parser()
    deltas = [parser.feed(sse(text(half))) for half in ("a\ud83e", "\udd86")]

    assert (deltas, parser.end().text) == ([TextDelta("a"), TextDelta("🦆")], "a🦆")


def test_two_streams_do_not_mix():
    """The state of a stream belongs to its parser."""
    provider = OpenAI()
    one, two = provider.stream_parser(), provider.stream_parser()
    for letter in "abc":
        one.feed(sse(text(letter)))
        two.feed(sse(text(letter.upper())))

    assert (one.end().text, two.end().text) == ("abc", "ABC")


def test_the_end_can_be_asked_for_twice():
    """It closes the stream and returns the same again."""
    parser = OpenAI().stream_parser()
    parser.feed(sse(text("x"), END))
    first = parser.end()
    late = parser.feed(sse(text("y")))

    assert (late, parser.end()) == (None, first)


# -- errors inside an answer ------------------------------------------------------------------


def test_an_error_event_ends_the_stream_and_keeps_the_text():
    """It has the class and the code of an error response."""
    parser = OpenAI().stream_parser()
    delta = parser.feed(fixture("stream_error.sse"))

    assert (delta, parser.done, parser.finished) == (TextDelta("A river"), True, False)
    assert isinstance(parser.error, ServerError)
    assert (parser.error.code, parser.error.outcome) == ("server_error", Outcome.REFUSED)
    assert (parser.end().text, parser.end().status) == ("A river", Status.ERROR)


@pytest.mark.parametrize(
    ("error", "kind", "outcome"),
    [
        ({"message": "slow", "code": 429}, RateLimitError, Outcome.REFUSED),
        ({"message": "slow", "type": "requests"}, RateLimitError, Outcome.REFUSED),
        ({"message": "slow", "code": "rate_limit_exceeded"}, RateLimitError, Outcome.REFUSED),
        ({"message": "no", "code": "insufficient_quota"}, QuotaExhaustedError, Outcome.FINAL),
        ({"message": "busy", "code": "503"}, ServerError, Outcome.REFUSED),
        ({"message": "no", "type": "invalid_request_error"}, InvalidRequestError, Outcome.FINAL),
        ({"message": "long", "code": "context_length_exceeded"},
         ContextLengthExceededError, Outcome.FINAL),
        ({"message": "key", "code": 401}, AuthenticationError, Outcome.FINAL),
        ({"message": "odd"}, ServerError, Outcome.FINAL),
        ("just words", ServerError, Outcome.FINAL),
        (["odd"], ServerError, Outcome.FINAL),
    ],
)  # fmt: skip
def test_errors_inside_a_200_have_their_class(error, kind, outcome):
    """The same streamed or whole; one without a code is not retried."""
    parser = OpenAI().stream_parser()
    parser.feed(sse({"error": error}))
    with pytest.raises(kind) as caught:
        OpenAI().parse_chat(answer({"error": error}))

    assert type(parser.error) is type(caught.value) is kind
    assert parser.error.outcome == caught.value.outcome == outcome


@pytest.mark.parametrize("garbage", ["{cut", "<html>oops</html>", "5", "null", '"text"', "[]"])
def test_garbage_in_an_event_is_a_protocol_error(garbage):
    """The text before it is kept; reading does not raise."""
    parser = OpenAI().stream_parser()
    delta = parser.feed(sse(text("kept"), garbage, text("not")))

    assert delta == TextDelta("kept")
    assert isinstance(parser.error, BadResponseError)
    assert (parser.done, parser.end().text, parser.end().status) == (True, "kept", Status.ERROR)
    assert "<" not in str(parser.error)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html><title>Welcome</title></html>",
        b"null",
        b"[]",
        b'"text"',
        b'{"choices":[{"mess',
        b'{"choices":[{"message":{"content":"\xe9"}}]}',
        '{"choices":[{"message":{"content":"x"}}]}'.encode("utf-16"),
        b"{}",
        b'{"choices":[]}',
        b'{"choices":null}',
        b'{"choices":[{}]}',
    ],
)
def test_a_200_without_an_answer_is_a_protocol_error(body):
    """It must not be read as an empty answer."""
    with pytest.raises(BadResponseError) as caught:
        OpenAI().parse_chat(answer(body))

    assert str(caught.value).startswith("openai sent an unexpected response (200): ")
    assert len(str(caught.value)) < 500
    assert "<" not in str(caught.value)


def test_a_whole_answer_may_have_no_text():
    """Null content with a finish reason is an answer."""
    body = {"choices": [{"message": {"content": None}, "finish_reason": "length"}]}
    done = OpenAI().parse_chat(answer(body))

    assert (done.text, done.status) == ("", Status.LENGTH)


# -- refusals ---------------------------------------------------------------------------------

REFUSALS = {
    "401": (AuthenticationError, "invalid_api_key", Outcome.FINAL, False),
    "403": (PermissionDeniedError, "model_not_found", Outcome.FINAL, False),
    "404": (ModelNotFoundError, "model_not_found", Outcome.FINAL, False),
    "400ctx": (ContextLengthExceededError, "context_length_exceeded", Outcome.FINAL, False),
    "400param": (InvalidRequestError, "unsupported_value", Outcome.FINAL, False),
    "429": (RateLimitError, "rate_limit_exceeded", Outcome.REFUSED, False),
    "429quota": (QuotaExhaustedError, "insufficient_quota", Outcome.FINAL, False),
    "500": (ServerError, "server_error", Outcome.REFUSED, True),
    "503": (ServerError, "server_error", Outcome.REFUSED, False),
}


@pytest.mark.parametrize("case", REFUSALS)
def test_every_refusal_has_its_class(case):
    """By status first; by code if a status has several meanings."""
    row = json.loads(fixture("errors.json"))[case]
    error = OpenAI().error_from(answer(row["body"], row["status"], **{"x-request-id": "req_1"}))

    assert (type(error), error.code, error.outcome, error.possibly_billed) == REFUSALS[case]
    assert (error.provider, error.status, error.request_id) == ("openai", row["status"], "req_1")


def test_a_refused_key_says_who_what_and_what_next():
    """One line, with the variable to check."""
    row = json.loads(fixture("errors.json"))["401"]
    error = OpenAI().error_from(answer(row["body"], 401))

    assert str(error) == (
        "openai refused the key (401): Incorrect API key provided: sk-bad***key; "
        "check OPENAI_API_KEY"
    )


@pytest.mark.parametrize(
    ("status", "error", "kind"),
    [
        (400, {"code": "content_policy_violation"}, ContentFilterError),
        (400, {"message": "This model's maximum context length is 8 tokens"},
         ContextLengthExceededError),
        (403, {"message": "country not supported"}, PermissionDeniedError),
        (500, {"code": "insufficient_quota"}, ServerError),
        (401, {"code": "insufficient_quota"}, AuthenticationError),
        (409, {}, InvalidRequestError),
        (408, {}, ServerError),
        (301, {}, InvalidRequestError),
    ],
)  # fmt: skip
def test_words_decide_only_where_a_status_has_several_meanings(status, error, kind):
    """A 500 stays a server error, whatever its text."""
    assert type(OpenAI().error_from(answer({"error": error}, status))) is kind


@pytest.mark.parametrize("status", [400, 404, 502])
@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<!DOCTYPE html><html><head><title>Bad <b>gateway</b></title></head><h1>502</h1></html>",
        b"[]",
        b'[{"error":{"message":"in a list"}}]',
        b'"a string"',
        b'{"error":"a string"}',
        b'{"error":["odd"]}',
        b'{"detail":[{"loc":["body","messages"],"msg":"Field required"}]}',
        b'{"message":{"detail":"deep"}}',
        b"\xff\xfe\x00",
        b"[" * 50_000,
        ("word " * 5_000).encode(),
        b"two\r\nlines\x1b[31m",
    ],
)
def test_any_error_body_gives_one_sane_line(status, body):
    """No markup, no control characters, at most 500 characters."""
    said = str(OpenAI().error_from(answer(body, status)))

    assert said.startswith("openai ")
    assert said.isprintable()
    assert len(said) < 500
    assert "<" not in said


def test_a_404_that_names_no_model_doubts_the_base_url():
    """A wrong path looks like a wrong model, so the message names both."""
    error = OpenAI().error_from(answer({"detail": "Not Found"}, 404))

    assert str(error) == (
        "openai has no such model (404): Not Found; check the model id and the base URL"
    )


def test_an_echoed_key_is_masked():
    """In any field in which the server puts it."""
    echo = {"error": {"message": f"bad key {KEY.reveal()}", "code": KEY.reveal()}}
    error = OpenAI().error_from(answer(echo, 401))

    assert KEY.reveal() not in repr((error, vars(error)))


# -- models -----------------------------------------------------------------------------------


def test_the_models_say_when_they_end():
    """A date makes a model deprecated; null means that there is none."""
    page = OpenAI().parse_models(answer(fixture("models.json")))

    assert page == ModelPage(
        (
            Model("openai", "gpt-5.4-mini", lifecycle=Lifecycle.ACTIVE),
            Model(
                "openai",
                "gpt-5-mini",
                lifecycle=Lifecycle.DEPRECATED,
                retires_on=date(2026, 12, 11),
            ),
        )
    )


def test_rows_that_are_no_models_are_left_out():
    """Missing fields are unknown, not wrong."""
    rows = {"data": [None, {}, {"id": 5}, {"id": "old"}, {"id": "x", "shutdown_date": "soon"}]}
    page = OpenAI().parse_models(answer(rows))

    assert page == ModelPage((Model("openai", "old"), Model("openai", "x")))


@pytest.mark.parametrize("body", [b"", b"{}", b'{"data":null}', b'"x"', b"<html></html>"])
def test_a_list_that_is_none_is_a_protocol_error(body):
    """It must not be read as an empty list."""
    with pytest.raises(BadResponseError):
        OpenAI().parse_models(answer(body))
