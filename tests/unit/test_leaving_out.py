"""What a server refuses of llmkit's own is left out, and the request is sent again at once."""

from __future__ import annotations

import asyncio
import json
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest

from llmkit.chat.arguments import chat_arguments
from llmkit.comparison.arguments import comparison_arguments
from llmkit.errors import AuthenticationError, InvalidRequestError, ServerError
from llmkit.kit import Kit
from llmkit.providers.unwanted import unwanted_in
from llmkit.types import Status
from tests.unit.test_exchange import JSON, SSE, Answer

NO_STREAM = "Your organization must be verified to stream this model. Please go to: https://x"
NO_OPTIONS = 'Bad request: json: unknown field "stream_options"'
CHUNK = b'data: {"choices":[{"index":0,"delta":{"content":"Hi"},"finish_reason":"stop"}]}\n\n'
CHOICE = {"index": 0, "message": {"role": "assistant", "content": "Hi"}, "finish_reason": "stop"}
WHOLE = {"choices": [CHOICE], "usage": {"prompt_tokens": 5, "completion_tokens": 1}}


class Server:
    """A transport whose answer is *refuses*(request body, headers), or "Hi" if that is None."""

    def __init__(self, refuses, whole=WHOLE, events=CHUNK + b"data: [DONE]\n\n"):
        self.refuses = refuses
        self.whole, self.events = whole, events
        self.bodies, self.timeouts, self.open = [], [], 0

    @asynccontextmanager
    async def send(self, request, timeouts):
        body = json.loads(request.body)
        self.bodies.append(body)
        self.timeouts.append(timeouts)
        self.open += 1
        try:
            await asyncio.sleep(0)
            yield self.refuses(body, request.headers) or self.answer(request.stream)
        finally:
            self.open -= 1

    def answer(self, streams):
        if streams:
            return Answer([self.events])
        return Answer([json.dumps(self.whole).encode()], dict(JSON))


def refusal(words, status=400, **more):
    """A refusal in the shape of OpenAI."""
    body = json.dumps({"error": {"message": words, "type": "invalid_request_error", **more}})
    return Answer([body.encode()], dict(JSON), status)


def without_stream(body, headers):
    return refusal(NO_STREAM) if body.get("stream") else None


def without_options(body, headers):
    return refusal(NO_OPTIONS) if "stream_options" in body else None


KEYS = {
    "anthropic": "sk-ant-0123456789abc", "google": "AIza0123456789abc",
    "openrouter": "sk-or-0123456789abc",
}  # fmt: skip


@pytest.fixture
def ask():
    """Returns a function that asks *server*; `kits` has the kit of each server."""
    kits = {}

    def asking(server, name="lab:m", **more):
        if server not in kits:
            transports = dict.fromkeys(("lab", "ollama", *KEYS), server)
            lab = {"base_url": "http://127.0.0.1/v1"}
            kits[server] = Kit(environ={}, keys=KEYS, transports=transports, providers={"lab": lab})
        kit = kits[server]
        return kit.manager.run(kit.answer(*chat_arguments("hi", name, verbatim=True, **more)))

    asking.kits = kits
    yield asking
    for kit in kits.values():
        kit.close()


@pytest.mark.parametrize("retries", [0, 2])
@pytest.mark.parametrize("status", [400, 403, 404, 422, 501])
@pytest.mark.parametrize(
    ("refuses", "warning"),
    [
        (without_stream, "lab refused streaming; asked again without it"),
        (without_options, "lab refused stream_options; asked again without it"),
    ],
)
def test_the_request_is_sent_again_at_once(ask, refuses, warning, status, retries):
    """It is no retry: without a wait, from another budget, and once."""
    server = Server(lambda *asked: (r := refuses(*asked)) and Answer(r.reads, dict(JSON), status))

    answer = ask(server, retries=retries)

    assert (answer.text, answer.status) == ("Hi", Status.COMPLETE)
    assert (answer.attempts, len(server.bodies), server.open) == (2, 2, 0)
    assert answer.warnings == (warning,)
    assert not answer.possibly_billed
    assert (answer.usage.input_tokens is None) == (refuses is without_options)
    assert (answer.time_to_first_chunk_s is None) == (refuses is without_stream)


def test_each_part_is_left_out_once(ask):
    """First one, then the other; a third refusal is told."""

    def refuses(body, headers):
        return without_options(body, headers) or without_stream(body, headers)

    answer = ask(Server(refuses))
    assert (answer.text, answer.attempts, len(answer.warnings)) == ("Hi", 3, 2)

    stubborn = Server(lambda *asked: refusal(NO_STREAM))
    with pytest.raises(InvalidRequestError, match="verified to stream") as raised:
        ask(stubborn)
    assert (raised.value.attempts, len(stubborn.bodies)) == (2, 2)


def test_a_refusal_may_come_as_an_event_with_status_200(ask):
    """The server has computed nothing by then."""
    event = b'data: {"error":{"message":"stream_options: unknown field","code":400}}\n\n'
    server = Server(lambda body, headers: Answer([event]) if "stream_options" in body else None)

    answer = ask(server)

    assert (answer.text, answer.attempts, server.open) == ("Hi", 2, 0)


def test_the_second_request_may_fail_in_its_own_way(ask):
    """Its error is told, with the requests that were sent."""
    server = Server(lambda body, headers: without_stream(body, headers) or refusal("No key", 401))

    with pytest.raises(AuthenticationError) as raised:
        ask(server)

    assert raised.value.attempts == 2


def test_a_retry_leaves_it_out_as_well(ask):
    """A server may be busy before it reads the request, and after it."""
    later = Answer([b"busy"], {**JSON, "retry-after-ms": "0"}, 503)
    answers = [later, refusal(NO_OPTIONS), replace(later, reads=[]), None]
    server = Server(lambda body, headers: answers.pop(0))

    answer = ask(server)

    assert (answer.text, answer.attempts) == ("Hi", 4)
    assert ["stream_options" in body for body in server.bodies] == [True, True, False, False]


@pytest.mark.parametrize("refuses", [without_stream, without_options])
def test_a_server_is_asked_only_once_with_what_it_refuses(ask, refuses):
    """A hundred rows are not two hundred requests; streaming is remembered for one model."""
    server = Server(refuses)
    ask(server)
    kit = ask.kits[server]
    compared = comparison_arguments(["hi"] * 100, "lab:m", verbatim=True)

    rows = list(kit.manager.run(kit.compare(compared.requests, compared.options)))
    assert {row.completion.text for row in rows} == {"Hi"}
    assert len(server.bodies) == 102
    assert {row.completion.attempts for row in rows} == {1}
    assert all("; asked without it" in row.completion.warnings[0] for row in rows)

    assert ask(server, "lab:other").attempts == (2 if refuses is without_stream else 1)


def test_words_that_only_seem_to_refuse_are_not_remembered(ask):
    """A refusal may quote the prompt. The request without streaming is refused like the first."""
    refusals = [refusal("invalid prompt: how to stream videos") for _ in range(2)]
    server = Server(lambda *asked: refusals.pop() if refusals else None)

    with pytest.raises(InvalidRequestError) as raised:
        ask(server)
    assert (raised.value.attempts, raised.value.completion.warnings) == (2, ())

    answer = ask(server)
    assert (answer.attempts, answer.warnings, server.bodies[-1]["stream"]) == (1, (), True)


def test_what_the_user_passed_is_not_left_out(ask):
    """The refusal is told."""
    server = Server(without_options)

    with pytest.raises(InvalidRequestError, match="unknown field"):
        ask(server, stream_options={"include_usage": True})

    assert len(server.bodies) == 1
    assert ask(server, stream_options=None).attempts == 1
    assert "stream_options" not in server.bodies[1]


def test_the_title_of_requests_to_openrouter_can_be_left_out(ask):
    """A gateway behind its base URL may allow only known headers."""
    words = "Header not allowed: X-OpenRouter-Title"
    server = Server(lambda body, headers: "X-OpenRouter-Title" in headers and refusal(words))

    answer = ask(server, "openrouter:x/y")

    assert answer.warnings == ("OpenRouter refused an extra header; asked again without it",)


def test_a_gateway_may_know_only_the_older_version_of_claude(ask):
    """The header is required, so it gets the value that all of them know."""

    def refuses(body, headers):
        if headers["anthropic-version"] != "2023-06-01":
            return refusal('anthropic-version: "2026-10-21" is not a valid version')
        return None

    event = (
        b'data: {"type":"content_block_delta","delta":{"type":"text_delta","text":"Hi"}}\n\n'
        b'data: {"type":"message_delta","delta":{"stop_reason":"end_turn"}}\n\n'
        b'data: {"type":"message_stop"}\n\n'
    )

    answer = ask(Server(refuses, events=event), "anthropic:claude-opus-5-5")

    assert (answer.text, answer.attempts) == ("Hi", 2)


STREAM = [
    NO_STREAM,
    "Unsupported value: 'stream' does not support true with this model. Supported values: false.",
    "Streaming completion is not support yet, please remove 'stream' key value in the request",
    "Streaming is not supported",
    "This model does not support streaming",
    "This model doesn't support tool use in streaming mode.",
    "stream: Extra inputs are not permitted",
    'json: unknown field "stream"',
    "Unrecognized request argument supplied: stream",
    "Unsupported value (stream)",
    "Streaming is currently disabled for this deployment",
    "Streaming responses are not implemented",
    "please set stream to false",
    "Error in `stream`: `stream` is not supported for this model",
    "Event streams are not available",
    "SSE streaming unimplemented",
]
OPTIONS = [
    NO_OPTIONS,
    "stream_options: Extra inputs are not permitted",
    "Extra parameters ['stream_options'] are not allowed",
    "Validation error at #/stream_options: Extra inputs are not permitted",
    "Unknown parameter: 'stream_options.include_usage'.",
    'Unrecognized field "streamOptions"',
]
HEADERS = [
    'anthropic-version: "2026-10-21" is not a valid version',
    "Unsupported API version",
    "Header not allowed: X-OpenRouter-Title",
]
NEITHER = [
    "parameter.enable_thinking must be set to false for non-streaming calls",
    "This model only support stream mode, please enable the stream parameter",
    "Non-streaming is not supported",
    "upstream error: not supported",
    "Unknown model 'stream-7b'",
    "The parameter temperature is not supported",
    "missing header: authorization",
]


@pytest.mark.parametrize(
    ("words", "part"),
    [
        *((words, "stream") for words in STREAM),
        *((words, "stream_options") for words in OPTIONS),
        *((words, "headers") for words in HEADERS),
        *((words, None) for words in NEITHER),
    ],
)
def test_a_refusal_is_recognised_by_its_words(words, part):
    """Only with a status that refuses the request as it is."""
    assert unwanted_in(400, words) == part
    assert unwanted_in(500, words) is None
    assert unwanted_in(401, words) is None


@pytest.mark.parametrize(
    "body",
    [
        {"detail": [{"loc": ["body", "stream_options"], "msg": "Extra inputs are not permitted"}]},
        {"detail": [{"loc": ["stream_options"], "type": "extra_forbidden", "msg": "Forbidden"}]},
        {"error": {"message": "Unsupported parameter", "param": "stream_options"}},
        {"error_code": "BAD_REQUEST", "message": NO_OPTIONS},
        {"error": NO_OPTIONS},
    ],
)
def test_a_refusal_names_the_field_in_many_places(ask, body):
    """In the text, in `param`, in FastAPI's `loc`."""

    def refuses(asked, headers):
        refused = Answer([json.dumps(body).encode()], dict(JSON), 422)
        return refused if "stream_options" in asked else None

    assert ask(Server(refuses)).attempts == 2


@pytest.mark.parametrize("name", ["lab:m", "anthropic:m", "google:m", "ollama:m"])
def test_the_whole_answer_can_be_asked_for(ask, name):
    """One document; it may take as long as a first byte."""
    documents = {
        "anthropic": {"content": [{"type": "text", "text": "Hi"}], "stop_reason": "end_turn"},
        "google": {
            "candidates": [{"content": {"parts": [{"text": "Hi"}]}, "finishReason": "STOP"}]
        },
        "ollama": {"message": {"content": "Hi"}, "done": True, "done_reason": "stop"},
    }
    server = Server(lambda *asked: None, documents.get(name.partition(":")[0], WHOLE))

    answer = ask(server, name, stream=False)

    assert (answer.text, answer.status, answer.warnings) == ("Hi", Status.COMPLETE, ())
    assert answer.time_to_first_chunk_s is None
    assert not server.bodies[0].get("stream")
    assert "stream_options" not in server.bodies[0]
    limits = server.timeouts[0]
    assert limits.idle_s == limits.first_byte_s


def test_a_server_that_streams_all_the_same_is_understood(ask):
    """Its answer is complete."""
    server = Server(lambda *asked: Answer([CHUNK, b"data: [DONE]\n\n"], dict(SSE)))

    answer = ask(server, stream=False)

    assert (answer.text, answer.time_to_first_chunk_s) == ("Hi", None)


def test_a_server_that_only_streams_says_so(ask):
    """The caller asked for a document, so nothing is changed."""
    server = Server(lambda *asked: refusal("This model only supports stream mode"))

    with pytest.raises(InvalidRequestError, match="only supports stream mode"):
        ask(server, stream=False)
    assert len(server.bodies) == 1


def test_an_error_of_the_server_is_no_refusal(ask):
    """A 500 may have been billed, whatever it says."""
    server = Server(lambda *asked: refusal(NO_STREAM, 500))

    with pytest.raises(ServerError):
        ask(server, retries=0)
    assert len(server.bodies) == 1
