"""Tests that any error of the HTTP library, in an answer or at a proxy, becomes one of llmkit's."""

from __future__ import annotations

import asyncio
import json
import socket
from contextlib import aclosing
from types import SimpleNamespace

import aiohttp
import pytest

from llmkit.chat.arguments import chat_arguments
from llmkit.chat.call import Call
from llmkit.chat.exchange import Exchange
from llmkit.errors import APIConnectionError, APITimeoutError, Outcome
from llmkit.kit import Kit
from llmkit.providers.openai import OpenAI
from llmkit.retries.policy import RetryPolicy
from llmkit.secret import Secret
from llmkit.transport.aiohttp_transport import AiohttpTransport, open_session
from llmkit.transport.failures import unsent_or_ambiguous
from llmkit.transport.proxies import slow_proxy
from llmkit.transport.timeouts import RequestDeadline, Timeouts
from llmkit.types import Message, Prompt, Status
from llmkit.wire.messages import HttpRequest
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


def ways_out(monkeypatch, **variables):
    """Sets the proxy variables of the environment, and removes all others."""
    for name in ("HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)


UNUSED = "names a proxy, which llmkit uses only if you set it: llmkit.configure(trust_env"
OWN = "http://me:hunter2secret@127.0.0.1:9"  # discards all that it is sent


@pytest.mark.parametrize("name", ["HTTPS_PROXY", "https_proxy"])
def test_a_proxy_that_is_not_used_is_named(monkeypatch, name):
    """Without it there may be no way out: the message names the variable and the setting."""
    ways_out(monkeypatch, **{name: OWN})
    _, error = asked(ANYWHERE)

    assert f"DNS lookup failed for api.example.invalid; {name} {UNUSED}" in str(error)
    assert error.outcome is Outcome.UNSENT
    assert "hunter2" not in str(error)


@pytest.mark.parametrize(
    ("variables", "url"),
    [
        ({"HTTPS_PROXY": OWN, "NO_PROXY": ".invalid"}, ANYWHERE),
        ({"https_proxy": OWN, "no_proxy": "*"}, ANYWHERE),
        ({"HTTP_PROXY": OWN}, ANYWHERE),
        ({"HTTPS_PROXY": OWN}, "http://api.example.invalid/v1"),
        ({}, ANYWHERE),
    ],
)
def test_no_proxy_is_named_that_would_not_be_used(monkeypatch, variables, url):
    """NO_PROXY excludes the host, the proxy is for http, or there is none."""
    ways_out(monkeypatch, **variables)
    _, error = asked(url)

    assert str(error) == (
        "DNS lookup failed for api.example.invalid; check the base URL and the network"
    )


def test_a_refused_and_a_slow_connection_name_the_proxy_too(monkeypatch):
    """Firewalls refuse a direct connection, or drop its packets."""
    ways_out(monkeypatch, HTTPS_PROXY=OWN)
    url = "https://api.example.com/v1"
    deadline = RequestDeadline(Timeouts(), None, secure=True, phase="connect")

    async def slow():
        return deadline.timed_out(is_paid=True, proxy=slow_proxy(url, is_used=False))

    refused = OSError(111, "Connection refused")
    key = SimpleNamespace(host="api.example.com", port=443, ssl=True, is_ssl=True)
    error = aiohttp.ClientConnectorError(key, refused)
    request = HttpRequest("POST", url)
    told = unsent_or_ambiguous(error, request, deadline, with_proxies=False)

    assert f"HTTPS_PROXY {UNUSED}" in str(told)
    assert f"HTTPS_PROXY {UNUSED}" in str(asyncio.run(slow()))


@pytest.mark.parametrize(
    ("variables", "words"),
    [
        ({"ALL_PROXY": OWN}, "llmkit does not read ALL_PROXY; name the proxy in HTTPS_PROXY"),
        ({"HTTPS_PROXY": "socks5://127.0.0.1:9"}, "begins with socks5://, and llmkit needs one"),
        ({"HTTPS_PROXY": "127.0.0.1:9"}, "has no http:// before it, and llmkit needs one"),
        ({"HTTPS_PROXY": "http://"}, "the proxy in HTTPS_PROXY has no host; write it as http://"),
        ({"HTTPS_PROXY": "http://:3128"}, "the proxy in HTTPS_PROXY has no host; write it as http"),
        ({"HTTPS_PROXY": "http://me:hunter2#x@proxy.test:1"}, "is not a URL; write special charac"),
        ({"HTTPS_PROXY": "http://me:hunter2[x@proxy.test:1"}, "is not a URL; write special charac"),
        ({"HTTPS_PROXY": "http://me:hunter2/x@proxy.test:1"}, "such as %23 for # and %2F for /"),
        ({"HTTPS_PROXY": OWN}, "check its address, 127.0.0.1:9 of HTTPS_PROXY"),
        ({"HTTPS_PROXY": "http://proxy.invalid:3128"}, "DNS lookup failed for the proxy proxy.inv"),
    ],
)
def test_a_proxy_that_cannot_be_used_is_named(monkeypatch, variables, words):
    """Its host and port, without its password, and its variable."""
    ways_out(monkeypatch, **variables)
    _, error = asked(ANYWHERE, trust_env=True)

    assert words in str(error)
    assert "hunter2" not in str(error)


def test_a_proxy_that_is_no_url_does_not_hide_the_error(monkeypatch):
    """Although no proxy is used, the error says what stands in the variable."""
    ways_out(monkeypatch, HTTPS_PROXY="http://me:hunter2[x@proxy.test:1")
    _, error = asked(ANYWHERE)

    assert isinstance(error, APIConnectionError)
    assert "the proxy in HTTPS_PROXY is not a URL" in str(error)
    assert "hunter2" not in str(error)


def test_a_proxy_is_used_by_the_next_call_after_it_is_set(monkeypatch):
    """The session of the failed call does not know it, and is not used again."""
    ways_out(monkeypatch)
    with RawServer(refusing(503)) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", proxy.root)
        kit = Kit(
            environ={"OPENAI_BASE_URL": ANYWHERE}, keys={"openai": "sk-0123456789abcdef"}, retries=0
        )
        try:
            for is_used in (False, True):
                kit.configure(trust_env_proxies=is_used)
                with pytest.raises(APIConnectionError) as raised:
                    kit.manager.run(kit.answer(*chat_arguments("hi", "openai:m", verbatim=True)))
        finally:
            kit.close()

    assert "the proxy did not connect to https://api.example.invalid (503)" in str(raised.value)


def test_a_proxy_that_is_not_there_is_named(through):
    """The message does not blame the provider's server."""
    with closed_port() as root:
        error = through(root)

    assert "no connection to the proxy for https://api.example.invalid" in str(error)
    assert (error.outcome, error.possibly_billed, error.attempts) == (Outcome.UNSENT, False, 2)
