"""Tests that any error of the HTTP library, in an answer or at a proxy, becomes one of llmkit's."""

from __future__ import annotations

import asyncio
import json
import socket
from contextlib import aclosing

import pytest

from llmkit.chat.call import Call
from llmkit.chat.exchange import Exchange
from llmkit.errors import APIConnectionError, APITimeoutError, Outcome
from llmkit.providers.openai import OpenAI
from llmkit.retries.policy import RetryPolicy
from llmkit.secret import Secret
from llmkit.transport.aiohttp_transport import AiohttpTransport, open_session
from llmkit.transport.timeouts import Timeouts
from llmkit.types import Message, Prompt, Status
from tests.fakes.raw import RawServer, closed_port, read_request, saying, silence
from tests.fakes.server import RESET
from tests.over import over

HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
LIMITS = Timeouts(connect_s=20.0, first_byte_s=20.0, idle_s=20.0, idle_content_s=20.0)
ANYWHERE = "https://api.example.invalid/v1"  # only a proxy could reach it
# Chunks that a broken server or proxy sends.
BAD_CHUNKS = {
    "no size": b"what\r\n",
    "negative size": b"-5\r\n",
    "overflow": b"f" * 40 + b"\r\n",
    "no end": b"5\r\nhelloworld",
    "bad trailer": b"0\r\nno colon\r\n\r\n",
}


def call(base_url, limits=LIMITS):
    return Call(
        OpenAI(base_url),
        "some-model",
        Prompt((Message("user", "hi"),)),
        Secret("sk-fake-0123456789abcdef"),
        limits,
        RetryPolicy(attempts=2, delay=0.0),
    )


def asked(base_url, *, trust_env=False, limits=LIMITS):
    """Returns the pieces of the answer that arrived, and the error that ended it."""
    pieces = []

    async def main():
        async with open_session(trust_env=trust_env) as session:
            exchange = Exchange(call(base_url, limits), over(AiohttpTransport(session)))
            async with aclosing(exchange.deltas()) as deltas:
                async for delta in deltas:
                    pieces.append(delta.text)
                    await asyncio.sleep(0)

    with pytest.raises(Exception) as raised:  # noqa: PT011  # its class is what is tested
        asyncio.run(main())
    return "".join(pieces), raised.value


def chunk(text):
    event = json.dumps({"choices": [{"index": 0, "delta": {"content": text}}]})
    data = f"data: {event}\n\n".encode()
    return b"%x\r\n%s\r\n" % (len(data), data)


@pytest.mark.parametrize("size", [3, 20_000], ids=["small", "more than is buffered"])
@pytest.mark.parametrize("bad", BAD_CHUNKS.values(), ids=BAD_CHUNKS)
def test_a_bad_chunk_leaves_the_text_before_it(bad, size):
    """Headers, text and the bad chunk arrive at once, or while the reader is busy."""
    texts = [f"{number} " + "x" * size for number in range(20)]
    with RawServer(saying(HEAD + b"".join(map(chunk, texts)) + bad)) as server:
        text, error = asked(f"{server.root}/v1")

    assert isinstance(error, APIConnectionError), repr(error)
    assert text == error.completion.text == "".join(texts)
    assert (error.completion.status, error.outcome) == (Status.TRUNCATED, Outcome.STREAMED)
    assert (error.possibly_billed, server.came) == (True, 1)


@pytest.mark.parametrize("bad", BAD_CHUNKS.values(), ids=BAD_CHUNKS)
def test_a_bad_chunk_reaches_a_reader_that_waits_for_it(bad):
    """The first chunk is malformed and the server stays connected: no timeout has to pass."""
    with RawServer(saying(HEAD + bad)) as server:
        text, error = asked(f"{server.root}/v1")

    assert isinstance(error, APIConnectionError), repr(error)
    assert (text, error.possibly_billed, server.came) == ("", True, 1)


class Broken:
    """A session of an HTTP library with a bug."""

    closed = False

    async def request(self, *given, **options):
        raise AssertionError("a bug of the library")


def test_an_unknown_error_of_the_http_library_is_told_as_ours():
    """An exception that aiohttp does not document becomes a connection error."""
    exchange = Exchange(call(ANYWHERE), over(AiohttpTransport(Broken())))

    with pytest.raises(APIConnectionError, match="a bug of the library") as raised:
        asyncio.run(exchange.whole())
    assert (raised.value.outcome, raised.value.possibly_billed) == (Outcome.AMBIGUOUS, True)


@pytest.fixture
def through(monkeypatch):
    """Returns a function that asks through the proxy at a root URL."""
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)

    def ask(root, **limits):
        for name in ("HTTPS_PROXY", "https_proxy"):
            monkeypatch.setenv(name, root)
        return asked(ANYWHERE, trust_env=True, **limits)[1]

    return ask


def resetting(connection):
    read_request(connection)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)


def refusing(status):
    return saying(f"HTTP/1.1 {status} Words\r\ncontent-length: 0\r\n\r\n".encode())


PROXIES = {
    "reset": (resetting, "the proxy broke off", 2),
    "hang-up": (saying(b""), "the proxy broke off", 2),
    "half an answer": (saying(b"HTTP/1.1 2"), "within the headers", 2),
    "another protocol": (saying(b"SSH-2.0\r\n\r\n"), "the proxy broke off", 2),
    "hang-up after 200": (saying(b"HTTP/1.1 200 OK\r\n\r\n"), "no connection to", 2),
    "502": (refusing(502), "(502); check", 2),
    "503": (refusing(503), "(503); check", 2),
    "403": (refusing(403), "(403); check", 1),
    "407": (refusing(407), "wants authentication (407); write its user name", 1),
}


@pytest.mark.parametrize(("talk", "words", "attempts"), PROXIES.values(), ids=PROXIES)
def test_a_proxy_that_fails_has_billed_nothing(through, talk, words, attempts):
    """The request was not sent, so it is tried again unless the proxy would refuse it again."""
    with RawServer(talk) as proxy:
        error = through(proxy.root)

    assert isinstance(error, APIConnectionError), repr(error)
    assert words in str(error)
    assert (error.possibly_billed, error.attempts, proxy.came) == (False, attempts, attempts)


def test_a_proxy_that_says_nothing_has_billed_nothing(through):
    """The time limit of the connection includes the proxy's answer."""
    with RawServer(silence) as proxy:
        error = through(proxy.root, limits=Timeouts(connect_s=0.1))

    assert isinstance(error, APITimeoutError)
    assert (error.outcome, error.possibly_billed, error.attempts) == (Outcome.UNSENT, False, 2)


def test_a_proxy_that_is_not_there_is_named(through):
    """The message does not blame the provider's server."""
    with closed_port() as root:
        error = through(root)

    assert "no connection to the proxy for https://api.example.invalid" in str(error)
    assert (error.outcome, error.possibly_billed, error.attempts) == (Outcome.UNSENT, False, 2)
