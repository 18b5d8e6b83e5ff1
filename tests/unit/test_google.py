"""The Google provider."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from llmkit.catalogue.entry import Model
from llmkit.errors import (
    AuthenticationError,
    BadResponseError,
    ConfigError,
    ContextLengthExceededError,
    InvalidRequestError,
    PermissionDeniedError,
    QuotaExhaustedError,
    RateLimitError,
    ServerError,
)
from llmkit.providers.google import Google, takes_sampling, version_of
from llmkit.secret import Secret
from llmkit.types import Capability, Completion, Message, Prompt, Status, Usage
from llmkit.wire.messages import HttpResponse

DATA = Path(__file__).parents[1] / "data" / "google"
GOOGLE = Google()
ASKED = Prompt((Message("user", "Why?"),))
USAGE = Usage(input_tokens=21, output_tokens=17, cached_tokens=8, reasoning_tokens=9)
STREAMED = Completion(
    text="A river carries silt — 🏞.",
    reasoning="Short answer.",
    status=Status.COMPLETE,
    finish_reason="stop",
    native_finish_reason="STOP",
    usage=USAGE,
    response_model="gemini-2.5-flash",
    request_id="fxResp1",
)


def reply(name: str) -> HttpResponse:
    return HttpResponse(200, {}, (DATA / name).read_bytes())


def refusal(name: str) -> HttpResponse:
    row = json.loads((DATA / "errors.json").read_text())[name]
    return HttpResponse(row["status"], {}, json.dumps(row["body"]).encode())


def answer_of(raw: bytes) -> Completion:
    parser = GOOGLE.stream_parser()
    parser.feed(raw)
    return parser.end()


def url_of(model: str, *, stream: bool = False) -> str:
    return GOOGLE.chat_request(ASKED, model=model, key=None, stream=stream).url


def test_a_request_is_what_the_api_documents():
    """URL, headers and the whole body of a request with everything in it."""
    prompt = Prompt(
        (Message("user", "Hi"), Message("assistant", "Hello."), Message("user", "Why?")),
        system="Be brief.",
        max_tokens=50,
        temperature=0.5,
        top_p=0.9,
        stop=("END",),
        seed=7,
        options=(("generationConfig", {"thinkingConfig": {"includeThoughts": True}}),),
    )

    request = GOOGLE.chat_request(prompt, model="gemini-2.5-flash", key=Secret("AIza-test"))

    assert request.url == (
        "https://generativelanguage.googleapis.com/v1/models/gemini-2.5-flash:generateContent"
    )
    assert dict(request.headers) == {
        "x-goog-api-key": "AIza-test",
        "Content-Type": "application/json",
    }
    assert json.loads(request.body) == {
        "contents": [
            {"role": "user", "parts": [{"text": "Hi"}]},
            {"role": "model", "parts": [{"text": "Hello."}]},
            {"role": "user", "parts": [{"text": "Why?"}]},
        ],
        "systemInstruction": {"parts": [{"text": "Be brief."}]},
        "generationConfig": {
            "maxOutputTokens": 50,
            "temperature": 0.5,
            "topP": 0.9,
            "stopSequences": ["END"],
            "seed": 7,
            "thinkingConfig": {"includeThoughts": True},
        },
    }


def test_a_plain_question_is_a_plain_request():
    """Nothing is sent that the caller did not set."""
    request = GOOGLE.chat_request(ASKED, model="gemini-2.5-flash", key=None)

    assert json.loads(request.body) == {"contents": [{"role": "user", "parts": [{"text": "Why?"}]}]}


@pytest.mark.parametrize(
    ("model", "version"),
    [
        ("gemini-2.5-flash", "v1"),
        ("gemini-4-argon", "v1"),
        ("gemini-3.1-flash-lite", "v1"),
        ("gemini-flash-latest", "v1beta"),
        ("gemini-pro-latest", "v1beta"),
        ("gemini-3.1-pro-preview", "v1beta"),
        ("gemini-2.5-flash-preview-09-25", "v1beta"),
        ("gemini-2.0-flash-exp", "v1beta"),
    ],
)
def test_moving_names_are_served_under_v1beta(model, version):
    """Aliases and previews are not in the stable version of the API."""
    assert version_of(model) == version
    assert f"/{version}/models/{model}:generateContent" in url_of(model)


@pytest.mark.parametrize(
    ("model", "path"),
    [
        ("models/gemini-2.5-flash", "models/gemini-2.5-flash"),
        ("tunedModels/mine", "tunedModels/mine"),
    ],
)
def test_a_resource_name_is_taken_as_the_list_gives_it(model, path):
    """The prefix of a listed model is not repeated."""
    assert url_of(model, stream=True).endswith(f"/v1/{path}:streamGenerateContent?alt=sse")


def test_a_name_with_any_other_slash_is_refused():
    """It could change the URL, and Google has no such model."""
    with pytest.raises(ConfigError, match="is not valid in a URL"):
        url_of("a/b", stream=True)


@pytest.mark.parametrize(
    ("model", "takes"),
    [
        ("gemini-2.5-pro", True),
        ("gemini-3-pro-preview", True),
        ("gemini-3.1-flash-lite", True),
        ("gemini-3.5-flash", True),
        ("gemini-pro-latest", True),
        ("gemma-4-31b-it", True),
        ("gemini-3.5-flash-lite", False),
        ("gemini-3.6-flash", False),
        ("gemini-3.8-flash", False),
        ("gemini-4-argon", False),
        ("gemini-flash-latest", False),
        ("gemini-flash-lite-latest", False),
    ],
)
def test_newer_models_do_not_heed_sampling_parameters(model, takes):
    """A temperature that the model would silently ignore is left out, and listed."""
    fitted = GOOGLE.fit(replace(ASKED, temperature=0.5, top_p=0.5, seed=3), model)

    assert takes_sampling(model) is takes
    assert fitted.ignored == (() if takes else ("temperature", "top_p"))
    assert fitted.prompt.seed == 3


def test_a_whole_answer():
    """Thoughts are separate from text, and their tokens are added to the output."""
    assert GOOGLE.parse_chat(reply("chat.json")) == replace(
        STREAMED, text="A river carries silt — 🏞 — to the sea."
    )


def test_a_blocked_prompt_is_filtered_and_empty():
    """A 200 without candidates has the reason in promptFeedback."""
    assert GOOGLE.parse_chat(reply("chat_blocked_prompt.json")) == Completion(
        status=Status.FILTERED,
        finish_reason="filtered",
        native_finish_reason="PROHIBITED_CONTENT",
        usage=Usage(input_tokens=21),
        response_model="gemini-2.5-flash",
        request_id="fxResp2",
    )


@pytest.mark.parametrize("reason", ["SAFETY", "OTHER", "BLOCKED_REASON_UNSPECIFIED", "NEW"])
def test_a_blocked_prompt_is_filtered_whatever_the_reason(reason):
    """The stream has one event, and the block has its own set of reasons."""
    raw = b"data: " + (DATA / "chat_blocked_prompt.json").read_bytes() + b"\n"
    parser = GOOGLE.stream_parser()

    delta = parser.feed(raw.replace(b"PROHIBITED_CONTENT", reason.encode()))

    answer = parser.end()
    assert (delta, parser.finished) == (None, True)
    assert (answer.status, answer.native_finish_reason) == (Status.FILTERED, reason)


def test_a_blocked_answer_is_filtered():
    """A candidate without content has the reason as its finish reason."""
    answer = GOOGLE.parse_chat(reply("chat_blocked_answer.json"))

    assert (answer.text, answer.status, answer.native_finish_reason) == (
        "",
        Status.FILTERED,
        "SAFETY",
    )


def test_thinking_that_ate_the_whole_limit_is_length():
    """Content without parts does not crash: the limit was reached before the first word."""
    answer = GOOGLE.parse_chat(reply("chat_only_thought.json"))

    assert (answer.text, answer.status) == ("", Status.LENGTH)
    assert answer.usage == Usage(input_tokens=21, output_tokens=16, reasoning_tokens=16)


def test_a_finish_reason_does_not_end_a_stream():
    """It goes on after a built-in tool was used, and ends with its body."""
    chunks = [
        {"candidates": [{"content": {"parts": [{"executableCode": {"code": "6 * 7"}}]}}]},
        {
            "candidates": [
                {
                    "content": {"parts": [{"codeExecutionResult": {"output": "42"}}]},
                    "finishReason": "STOP",
                }
            ],
            "usageMetadata": {"promptTokenCount": 2},
        },
        {"candidates": [{"content": {"parts": [{"text": "The answer "}]}}]},
        {"candidates": [{"content": {"parts": [{"text": "is 42."}]}, "finishReason": "STOP"}]},
        {"usageMetadata": {"promptTokenCount": 2, "candidatesTokenCount": 1}},
    ]
    parser = GOOGLE.stream_parser()

    states = []
    for chunk in chunks:
        parser.feed(b"data: " + json.dumps(chunk).encode() + b"\n\n")
        states.append((parser.finished, parser.done))

    assert states == [(False, False), *[(True, False)] * 4]
    assert parser.end() == Completion(
        text="The answer is 42.",
        status=Status.COMPLETE,
        finish_reason="stop",
        native_finish_reason="STOP",
        usage=Usage(input_tokens=2, output_tokens=1),
    )


def test_only_the_first_candidate_counts():
    """A second candidate is never mixed into the first."""
    chunk = {
        "candidates": [
            {"index": 1, "content": {"parts": [{"text": "other"}]}, "finishReason": "STOP"},
            {"index": 0, "content": {"parts": [{"text": "ours"}]}},
        ]
    }

    answer = answer_of(b"data: " + json.dumps(chunk).encode() + b"\n\n")

    assert (answer.text, answer.status) == ("ours", Status.TRUNCATED)


ARRAY = (DATA / "stream_array.json").read_bytes().strip()


@pytest.mark.parametrize("before", [b"", b"\xef\xbb\xbf", b"\n "])
def test_a_json_array_of_chunks_is_one_answer(before):
    """Servers that ignore `alt=sse` send one array, whose elements are the chunks."""
    assert GOOGLE.parse_chat(HttpResponse(200, {}, before + ARRAY)) == STREAMED


def test_an_error_in_an_array_is_not_an_answer():
    """Neither alone nor after text."""
    chunk = {"candidates": [{"index": 0, "content": {"parts": [{"text": "one "}]}}]}
    late = json.dumps([chunk, {"error": {"code": 503, "message": "busy"}}]).encode()

    for body, kind in ((refusal("400list").body, AuthenticationError), (late, ServerError)):
        with pytest.raises(kind):
            GOOGLE.parse_chat(HttpResponse(200, {}, body))


def test_an_array_that_is_cut_is_not_an_answer():
    """Half of an answer never counts as a whole one."""
    with pytest.raises(BadResponseError):
        GOOGLE.parse_chat(HttpResponse(200, {}, ARRAY[: ARRAY.index(b"STOP")]))


def test_an_array_without_a_finish_reason_is_truncated():
    """It holds the chunks of a stream, whose end needs a reason."""
    body = ARRAY.replace(b'"finishReason":"STOP"', b'"x":1').replace(
        b'"finishReason": "STOP"', b'"x":1'
    )

    assert GOOGLE.parse_chat(HttpResponse(200, {}, body)).status is Status.TRUNCATED


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("400", InvalidRequestError),
        ("400ctx", ContextLengthExceededError),
        ("400region", PermissionDeniedError),
        ("400list", AuthenticationError),
        ("401", AuthenticationError),
        ("403leaked", AuthenticationError),
        ("429", RateLimitError),
        ("429quota", QuotaExhaustedError),
        ("429none", QuotaExhaustedError),
        ("504", ServerError),
    ],
)
def test_refusals_inside_a_status_are_told_apart(name, kind):
    """A bad key is a 400 here, and only the quota's name tells if waiting helps."""
    assert type(GOOGLE.error_from(refusal(name))) is kind


def test_a_refused_key_says_what_to_check():
    """The whole message, with both variables in the order of their precedence."""
    error = GOOGLE.error_from(refusal("401"))

    assert str(error) == (
        "google refused the key (400): API key not valid. Please pass a valid API key; "
        "check GOOGLE_API_KEY or GEMINI_API_KEY"
    )
    assert error.code == "INVALID_ARGUMENT"


def test_an_error_in_a_stream_has_its_own_status():
    """The HTTP status is already 200."""
    parser = GOOGLE.stream_parser()
    parser.feed((DATA / "stream_error.sse").read_bytes())

    assert type(parser.error) is ServerError
    assert (parser.error.status, parser.error.code) == (503, "UNAVAILABLE")


def test_models_come_with_their_limits():
    """One page of the list, ids without their prefix, and the token of the next page."""
    page = GOOGLE.parse_models(reply("models.json"))

    assert page.models == (
        Model(
            provider="google",
            id="gemini-2.5-flash",
            name="Gemini 2.5 Flash",
            max_input=1_048_576,
            max_output=65_536,
            capabilities=frozenset({Capability.REASONING}),
        ),
        Model(
            provider="google",
            id="gemini-embedding-2",
            name="Gemini Embedding 2",
            max_input=8192,
            max_output=1,
            capabilities=frozenset({Capability.EMBEDDING}),
            lacks=frozenset({Capability.REASONING}),
        ),
    )
    assert page.next_page == "Tm8gMg=="


def test_the_next_page_of_models_is_asked_for_by_its_token():
    """The token is quoted, and the key stays out of the URL."""
    request = GOOGLE.models_request(Secret("AIza-test"), page="Tm8gMg==", limit=50)

    assert request.url == (
        "https://generativelanguage.googleapis.com/v1/models?pageSize=50&pageToken=Tm8gMg%3D%3D"
    )
