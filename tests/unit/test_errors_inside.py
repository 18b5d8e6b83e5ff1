"""Errors that come with status 200, framed or not, are told as what they are."""

from __future__ import annotations

import asyncio
import json

import pytest

from llmkit.chat.call import Call
from llmkit.chat.exchange import Exchange
from llmkit.errors import (
    AuthenticationError,
    BadResponseError,
    CallError,
    ContentFilterError,
    ContextLengthExceededError,
    InsufficientFundsError,
    InvalidRequestError,
    Outcome,
    RateLimitError,
    ServerError,
    WrongAddressError,
)
from llmkit.providers.builtin import PROVIDERS, compatible
from llmkit.retries.policy import RetryPolicy
from llmkit.transport.timeouts import Timeouts
from llmkit.types import Message, Prompt
from tests.over import over
from tests.unit.test_exchange import Answer, Replay

DIALECTS = {name: PROVIDERS[name]() for name in ("openai", "anthropic", "google", "ollama")}
DIALECTS["lab"] = compatible("lab", "http://127.0.0.1/v1")
HELLO = Prompt((Message("user", "hi"),))
SSE, JSON = "text/event-stream", "application/json"
TOO_LONG = {
    "error": {
        "code": 400,
        "message": "request (19185 tokens) exceeds the available context size (16384 tokens)",
        "type": "exceed_context_size_error",
    }
}
TEXT = {
    "openai": 'data: {"choices":[{"index":0,"delta":{"content":"Hel"}}]}\n\n',
    "anthropic": "event: content_block_delta\ndata: "
    '{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"Hel"}}\n\n',
    "google": 'data: {"candidates":[{"content":{"parts":[{"text":"Hel"}]}}]}\n\n',
    "ollama": '{"message":{"content":"Hel"},"done":false}\n',
}
TEXT["lab"] = TEXT["openai"]


def told(name, *reads, kind=SSE):
    """Returns the error of an answer that comes in *reads*."""
    answer = Answer([read.encode() for read in reads if read], headers={"content-type": kind})
    call = Call(DIALECTS[name], "m", HELLO, None, Timeouts(), RetryPolicy(attempts=1))

    with pytest.raises(CallError) as raised:
        asyncio.run(Exchange(call, over(Replay(answer))).whole())
    return raised.value


@pytest.mark.parametrize("indent", [None, 2])
@pytest.mark.parametrize("end", ["", "\n", "\n\n", "\n\ndata: [DONE]\n\n", "\ndata: [DONE]\n\n"])
@pytest.mark.parametrize("before", ["", ":\n\n", ": ping\n", "text"])
@pytest.mark.parametrize("name", [name for name in DIALECTS if name != "ollama"])
def test_an_error_without_framing_is_told_as_itself(name, before, end, indent):
    """Servers that fail after the headers write their error as a plain body.

    https://github.com/lemonade-sdk/lemonade/issues/2826 (read 2026-11-30).
    """
    start = TEXT[name] if before == "text" else before
    body = start + json.dumps(TOO_LONG, indent=indent) + end

    for reads in ([body], [body[:9], body[9:]], [start, body[len(start) :]]):
        error = told(name, *reads)

        assert type(error) is ContextLengthExceededError
        assert "19185 tokens" in str(error)
        assert "base URL" not in str(error)
        assert error.completion.text == ("Hel" if before == "text" else "")
        is_streamed = before == "text"
        assert (error.outcome is Outcome.STREAMED, error.possibly_billed) == (is_streamed,) * 2


@pytest.mark.parametrize("before", ["", "text"])
@pytest.mark.parametrize("end", ["", "\n"])
@pytest.mark.parametrize("indent", [None, 2])
@pytest.mark.parametrize("kind", ["application/x-ndjson", JSON])
def test_an_error_of_ollama_may_be_indented(kind, indent, end, before):
    """A gateway prints it over several lines."""
    body = (TEXT["ollama"] if before else "") + json.dumps(TOO_LONG, indent=indent) + end

    assert type(told("ollama", body, kind=kind)) is ContextLengthExceededError


@pytest.mark.parametrize("end", ["", "\n", "\n\n"])
@pytest.mark.parametrize("name", ["openai", "lab", "anthropic", "google"])
def test_an_event_may_be_indented(name, end):
    """Only its first line has the name of the field."""
    error = told(name, TEXT[name], f"data: {json.dumps(TOO_LONG, indent=2)}{end}")

    assert type(error) is ContextLengthExceededError


@pytest.mark.parametrize("before", ["", ": ping\n\n", "text"])
@pytest.mark.parametrize("name", ["openai", "lab", "anthropic"])
def test_an_error_in_a_field_of_its_own_is_told_as_itself(name, before):
    """llama.cpp wrote `error: {...}`: https://github.com/ggml-org/llama.cpp/issues/16109."""
    start = TEXT[name] if before == "text" else before

    error = told(name, f"{start}error: {json.dumps(TOO_LONG['error'])}\n\n", "data: [DONE]\n\n")

    assert type(error) is ContextLengthExceededError


@pytest.mark.parametrize("framing", ["document", "event", "named event", "after text"])
@pytest.mark.parametrize(
    ("body", "kind", "words"),
    [
        ({"error": "maximum context length is 8"}, ContextLengthExceededError, "length is 8"),
        ({"error": "Rate limit reached"}, RateLimitError, "Rate limit"),
        ({"error": "the model crashed"}, ServerError, "crashed"),
        ({"error": {"message": "x", "http_code": "401"}}, AuthenticationError, "x"),
        # Groq
        ({"x_groq": {"id": "r", "error": "over capacity"}}, ServerError, "over capacity"),
        # MiniMax: https://platform.minimax.io/docs/api-reference/errorcode (read 2026-11-30)
        ({"choices": None, "base_resp": {"status_code": 1008, "status_msg": "no balance"}},
         InsufficientFundsError, "no balance"),
        ({"base_resp": {"status_code": 1002, "status_msg": "rpm"}}, RateLimitError, "rpm"),
        ({"base_resp": {"status_code": 1026, "status_msg": "bad"}}, ContentFilterError, "bad"),
        ({"base_resp": {"status_code": 7777, "status_msg": "odd"}}, ServerError, "odd"),
        # Qwen: https://www.alibabacloud.com/help/en/model-studio/error-code (read 2026-11-30)
        ({"code": "InvalidParameter", "message": "Range of input length should be [1, 6000]",
          "request_id": "r"}, ContextLengthExceededError, "6000"),
        ({"code": "Throttling", "message": "slow", "request_id": "r"}, RateLimitError, "slow"),
        # FastAPI
        ({"detail": [{"loc": ["body", "top_k"], "msg": "must be >= 0", "type": "x"}]},
         InvalidRequestError, "top_k: must be"),
        ({"detail": "Engine is overloaded"}, ServerError, "overloaded"),
        # Baidu: https://github.com/songquanpeng/one-api/issues/1503 (read 2026-11-30)
        ({"error_code": 17, "error_msg": "daily request limit"}, ServerError, "daily request"),
        # Zhipu, Coze, Cloudflare and ModelScope
        ({"code": 500, "msg": "404 NOT_FOUND", "success": False}, ServerError, "NOT_FOUND"),
        ({"code": 4100, "msg": "no access", "data": None}, ServerError, "no access"),
        ({"success": False, "errors": [{"code": 429, "message": "full"}]}, RateLimitError, "full"),
        ({"errors": {"message": "no balance"}, "request_id": "r"}, ServerError, "no balance"),
        # OpenRouter
        ({"choices": [{"index": 0, "delta": {}, "message": {}, "finish_reason": "error",
                       "error": {"code": 429, "message": "up"}}]}, RateLimitError, "up"),
        ([{"error": {"code": 429, "message": "in a list"}}], RateLimitError, "in a list"),
    ],
)  # fmt: skip
def test_the_shape_of_an_error_may_be_anothers(body, kind, words, framing):
    """Every known shape, in a document, in an event, and after text."""
    data = json.dumps(body)
    if framing == "document":
        error = told("lab", data, kind=JSON)
    else:
        start = {"named event": "event: error\n", "after text": TEXT["lab"]}.get(framing, "")
        error = told("lab", f"{start}data: {data}\n\n")

    assert type(error) is kind
    assert words in str(error)
    assert "base URL" not in str(error)
    assert (error.outcome is Outcome.STREAMED) == (framing == "after text")


@pytest.mark.parametrize("name", ["openai", "anthropic", "google", "lab"])
@pytest.mark.parametrize("data", ["The model has crashed", '"The model has crashed"'])
@pytest.mark.parametrize("end", ["", "\n\n"])
def test_an_event_called_error_may_be_only_words(name, data, end):
    """As LM Studio names it; the words are the reason."""
    error = told(name, f"event: error\ndata: {data}{end}")

    assert isinstance(error, ServerError)
    assert "The model has crashed" in str(error)


@pytest.mark.parametrize("name", DIALECTS)
@pytest.mark.parametrize("kind", [SSE, JSON])
def test_a_path_that_the_server_lacks_is_a_wrong_base_url(name, kind):
    """https://github.com/lmstudio-ai/lmstudio-bug-tracker/issues/618 (read 2026-11-30)."""
    error = told(name, json.dumps({"error": "Unexpected endpoint or method. (POST /x)"}), kind=kind)

    assert type(error) is WrongAddressError
    assert "(POST /x)" in str(error)
    assert f"base URL {DIALECTS[name].base_url} of {name} is probably wrong" in str(error)
    assert not error.possibly_billed


@pytest.mark.parametrize("page", ["<!doctype html><title>Welcome</title>", "<html>"])
def test_a_web_page_is_a_wrong_base_url(page):
    """It is what a site sends whose API is elsewhere; at a provider's own URL it is a proxy's."""
    at_lab, at_openai = told("lab", page, kind="text/html"), told("openai", page, kind="text/html")

    assert (type(at_lab), type(at_openai)) == (WrongAddressError, BadResponseError)
    assert "base URL http://127.0.0.1/v1 of lab is probably wrong: correct it" in str(at_lab)
    assert str(at_openai).endswith("check the base URL")


def test_garbage_after_text_is_no_wrong_base_url():
    """The base URL was right before."""
    error = told("lab", TEXT["lab"], "data: garbage\n\n")

    assert str(error).endswith("garbage; ask again")


@pytest.mark.parametrize(
    "event",
    [
        {"type": "ping"},
        {"object": "chat.completion.chunk", "id": "c"},
        {"choices": [], "usage": {"prompt_tokens": 1}},
        {"choices": [], "base_resp": {"status_code": 0, "status_msg": ""}},
        {"choices": [], "x_groq": {"id": "r"}},
        {"error": None, "choices": []},
        {"message": "queued"},
    ],
)
def test_an_event_without_an_error_is_none(event):
    """Fields that mean no error, and notices, do not end a stream."""
    parser = DIALECTS["lab"].stream_parser()
    parser.feed(f"data: {json.dumps(event)}\n\n{TEXT['lab']}".encode())

    assert (parser.error, parser.builder.completion().text) == (None, "Hel")


LONG = ContextLengthExceededError


@pytest.mark.parametrize(
    ("status", "words", "kind"),
    [
        (429, "Request too large for m on tokens per min: Limit 30000, Requested 342389.", LONG),
        (413, "Request too large for model `m`: Limit 6000, Requested 9146, please reduce", LONG),
        (429, "tokens per minute: Limit 6,000, Used 0, Requested 9,146", LONG),
        (413, "Request exceeds the maximum size", LONG),
        (400, "Input is too long for requested model.", LONG),
        (400, "Request payload size exceeds the limit: 20971520 bytes.", LONG),
        (400, "The maximum prompt length is 131072 but the request contains 200000 tokens.", LONG),
        (422, "`inputs` tokens + `max_new_tokens` must be <= 4096. Given: 5000", LONG),
        (500, "request (40000 tokens) exceeds the available context size (4096 tokens)", LONG),
        (
            429,
            "Rate limit reached: Limit 30000, Used 29000, Requested 1500. Wait 1s",
            RateLimitError,
        ),
    ],
)
@pytest.mark.parametrize("name", DIALECTS)
def test_a_request_that_no_wait_makes_smaller_is_too_long(name, status, words, kind):
    """It is larger than the limit of a whole minute, and must be shortened.

    https://github.com/vanna-ai/vanna-flask/issues/11 (read 2026-11-30).
    """
    body = {"error": {"message": words, "type": "tokens", "code": "rate_limit_exceeded"}}
    transport = Replay(
        Answer([json.dumps(body).encode()], {"x-should-retry": "true"}, status), Exception("again")
    )
    call = Call(DIALECTS[name], "m", HELLO, None, Timeouts(),
                RetryPolicy(attempts=1 if kind is RateLimitError else 3, delay=0.0))  # fmt: skip

    with pytest.raises(kind) as raised:
        asyncio.run(Exchange(call, over(transport)).whole())

    assert type(raised.value) is kind
    assert (raised.value.attempts, raised.value.possibly_billed) == (1, False)
    assert ("shorten it" in str(raised.value)) == (kind is ContextLengthExceededError)
