"""The Ollama provider."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from llmkit.catalogue.entry import Model
from llmkit.errors import (
    ConfigError,
    ContextLengthExceededError,
    ModelNotFoundError,
    Outcome,
    ServerError,
)
from llmkit.providers.ollama import Ollama, host_url
from llmkit.secret import Secret
from llmkit.types import Completion, Message, Prompt, Status, Usage
from llmkit.wire.messages import HttpResponse

DATA = Path(__file__).parents[1] / "data" / "ollama"
OLLAMA = Ollama()
STREAMED = Completion(
    text="A river carries silt — 🏞.",
    reasoning="Short answer.",
    status=Status.COMPLETE,
    finish_reason="stop",
    native_finish_reason="stop",
    usage=Usage(input_tokens=21, output_tokens=8),
    response_model="llama3.2:1b",
)


def reply(name: str) -> HttpResponse:
    return HttpResponse(200, {}, (DATA / name).read_bytes())


def refusal(name: str) -> HttpResponse:
    row = json.loads((DATA / "errors.json").read_text())[name]
    return HttpResponse(row["status"], {}, json.dumps(row["body"]).encode())


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
        options=(("think", False), ("options", {"num_ctx": 8192})),
    )

    request = OLLAMA.chat_request(prompt, model="llama3.2:1b", key=None, stream=True)

    assert request.url == "http://127.0.0.1:11434/api/chat"
    assert dict(request.headers) == {"Content-Type": "application/json"}
    assert json.loads(request.body) == {
        "model": "llama3.2:1b",
        "messages": [
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": "Hi"},
            {"role": "assistant", "content": "Hello."},
            {"role": "user", "content": "Why?"},
        ],
        "stream": True,
        "options": {
            "num_predict": 50,
            "temperature": 0.5,
            "top_p": 0.9,
            "stop": ["END"],
            "seed": 7,
            "num_ctx": 8192,
        },
        "think": False,
    }


def test_a_whole_answer_is_asked_for_expressly():
    """The server's default is to stream."""
    prompt = Prompt((Message("user", "Why?"),))
    request = OLLAMA.chat_request(prompt, model="llama3.2:1b", key=Secret("ollama-key"))

    assert json.loads(request.body) == {
        "model": "llama3.2:1b",
        "messages": [{"role": "user", "content": "Why?"}],
        "stream": False,
    }
    assert request.headers["Authorization"] == "Bearer ollama-key"


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("", "http://127.0.0.1:11434"),
        ("1.2.3.4", "http://1.2.3.4:11434"),
        (":56789", "http://127.0.0.1:56789"),
        ("1.2.3.4:56789", "http://1.2.3.4:56789"),
        ("example.com", "http://example.com:11434"),
        ("example.com:56789/path/", "http://example.com:56789/path"),
        ("example.com/path", "http://example.com:11434/path"),
        ("http://example.com", "http://example.com"),
        ("https://example.com", "https://example.com"),
        ("https://example.com:56789/path", "https://example.com:56789/path"),
        ("[0001:002::1]", "http://[0001:002::1]:11434"),
        ("http://[::1]:1234/", "http://[::1]:1234"),
        ("0.0.0.0", "http://127.0.0.1:11434"),  # where a server listens
        ("http://[::]:1/v1x", "http://[::1]:1/v1x"),
        (' "localhost:1" ', "http://localhost:1"),
    ],
)
def test_a_host_may_be_written_in_any_of_ollamas_forms(host, url):
    """Any form of OLLAMA_HOST becomes a URL that a client can call."""
    assert host_url(host) == url
    assert Ollama(host).base_url == url


def test_without_a_host_it_is_this_machine():
    """An unset and an empty variable are the same."""
    assert (Ollama().base_url, Ollama("").base_url) == ("http://127.0.0.1:11434",) * 2


@pytest.mark.parametrize("host", ["h:port", "h:99999", "http://[::1"])
def test_a_host_that_is_none_is_a_config_error(host):
    """An invalid OLLAMA_HOST is one message, before anything is sent."""
    with pytest.raises(ConfigError, match="is not a host for ollama"):
        host_url(host)


def test_a_whole_answer():
    """Thinking is separate from text; durations, which are nanoseconds, are not passed on."""
    assert OLLAMA.parse_chat(reply("chat.json")) == Completion(
        text="A river carries silt — 🏞 — to the sea.",
        reasoning="Short answer.",
        status=Status.COMPLETE,
        finish_reason="stop",
        native_finish_reason="stop",
        usage=Usage(input_tokens=21, output_tokens=8),
        response_model="llama3.2:1b",
    )


def test_a_streamed_answer():
    """The line with `done` ends the stream."""
    parser = OLLAMA.stream_parser()
    parser.feed((DATA / "stream.ndjson").read_bytes())

    assert (parser.finished, parser.done) == (True, True)
    assert parser.end() == STREAMED


def test_a_last_line_without_its_line_feed_counts():
    """Complete JSON without a line end is read."""
    parser = OLLAMA.stream_parser()
    parser.feed((DATA / "stream.ndjson").read_bytes().rstrip(b"\n"))

    assert parser.end() == STREAMED


def test_a_model_that_was_only_loaded_has_answered_nothing():
    """Its reason is kept, and means an incomplete answer."""
    answer = OLLAMA.parse_chat(reply("chat_load.json"))

    assert (answer.text, answer.finish_reason) == ("", "load")
    assert answer.status is Status.INCOMPLETE


def test_an_answer_at_its_limit_is_length():
    """Reaching `num_predict` is the same finish reason as at other providers."""
    parser = OLLAMA.stream_parser()
    parser.feed(
        (DATA / "stream.ndjson")
        .read_bytes()
        .replace(b'done_reason":"stop', b'done_reason":"length')
    )

    assert parser.end().status is Status.LENGTH


def test_token_counts_may_be_missing():
    """A prompt in the server's cache is not counted; that is unknown, not 0."""
    parser = OLLAMA.stream_parser()
    parser.feed(b'{"message":{"content":"Hi"},"done":true,"eval_count":2}\n')

    assert parser.end() == Completion(
        text="Hi",
        status=Status.COMPLETE,  # older servers send no reason
        usage=Usage(output_tokens=2),
        warnings=("the provider sent no finish reason",),
    )


def test_an_unknown_model_says_how_to_get_it():
    """On the user's own server the next step is to pull it."""
    error = OLLAMA.error_from(refusal("404"))

    assert type(error) is ModelNotFoundError
    assert str(error) == (
        "ollama has no such model (404): model 'nope:1b' not found; "
        "pull it with `ollama pull`, or take a name from `ollama list`"
    )


def test_a_model_that_does_not_fit_into_memory_is_not_tried_again():
    """The status is a server error, but the text tells that a retry cannot help."""
    error = OLLAMA.error_from(refusal("500memory"))

    assert type(error) is ServerError
    assert error.outcome is Outcome.FINAL


def test_a_prompt_beyond_the_window_has_its_class():
    """Servers that do not truncate a prompt report that it is too long."""
    assert type(OLLAMA.error_from(refusal("400ctx"))) is ContextLengthExceededError


def test_an_error_line_ends_a_stream():
    """It has no `done`, and its text so far is kept."""
    parser = OLLAMA.stream_parser()
    parser.feed((DATA / "stream_error.ndjson").read_bytes())

    assert type(parser.error) is ServerError
    assert parser.end() == Completion(
        text="A river", status=Status.ERROR, response_model="llama3.2:1b"
    )


def test_the_models_are_the_ones_on_that_machine():
    """The names are those of requests."""
    page = OLLAMA.parse_models(reply("models.json"))

    assert page.models == (Model(provider="ollama", id="llama3.2:1b"),)
    assert page.next_page is None


def test_any_server_answers_the_version():
    """A successful answer proves that a server runs, but nothing about a key."""
    assert OLLAMA.key_request(None).url == "http://127.0.0.1:11434/api/version"
    assert OLLAMA.proves_key is False
