"""Calls of a script whose kept connection the server has closed since the last call.

uvicorn and vLLM close an idle connection after 5 s (NVIDIA-NeMo/Gym#1555, llm-d/llm-d#1564). The
event loop of a script does not run between two calls, so it cannot notice.
"""

from __future__ import annotations

import asyncio
import socket
import threading
from contextlib import contextmanager

import pytest

from llmkit.chat.call import Call
from llmkit.chat.exchange import Exchange
from llmkit.errors import APIConnectionError, Outcome
from llmkit.providers.openai import OpenAI
from llmkit.retries.policy import RetryPolicy
from llmkit.runtime.portal import end as end_loop
from llmkit.secret import Secret
from llmkit.transport.aiohttp_transport import AiohttpTransport, close_now, open_session
from llmkit.transport.timeouts import Timeouts
from llmkit.types import Message, Prompt
from tests.fakes.raw import CERTIFICATES, RawServer, read_request
from tests.fakes.reply import stream
from tests.fakes.server import RESET
from tests.over import over
from tests.patience import SOON_S

BODY = b"".join(stream("openai").pieces)
HEAD = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n"
ANSWER = f"{HEAD}content-length: {len(BODY)}\r\n\r\n".encode() + BODY
TEXT = "A river"


def end(connection):
    connection.shutdown(socket.SHUT_RDWR)


def reset(connection):
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
    connection.close()


def half_close(connection):
    connection.shutdown(socket.SHUT_WR)


class Server(RawServer):
    """Answers and keeps the connection until told to *leave*; counts requests.

    Leaves the first *breaks* further requests without an answer, after it has read them.
    """

    def __init__(self, leave=end, *, breaks=0, tls=False):
        super().__init__(self._answer, tls=tls, certificate=CERTIFICATES / "none.pem")
        self.requests = 0
        self.idle, self.has_left = threading.Event(), threading.Event()
        self._leave, self._breaks = leave, breaks

    def _answer(self, connection):
        while read_request(connection):
            self.requests += 1
            if 1 < self.requests <= 1 + self._breaks:
                self._leave(connection)
                return
            connection.sendall(ANSWER)
            if self.requests == 1 and not self._breaks:
                self.idle.wait(SOON_S)
                self._leave(connection)
                self.has_left.set()

    def leaves(self):
        """Closes the idle connection, and returns once that is done."""
        self.idle.set()
        assert self.has_left.wait(SOON_S)


@contextmanager
def script(server):
    """Yields a function that asks once; the loop runs only during a call."""
    loop = asyncio.new_event_loop()
    limits = Timeouts(connect_s=SOON_S, first_byte_s=SOON_S, idle_s=SOON_S)
    prompt, key = Prompt((Message("user", "hi"),)), Secret("sk-fake-0123456789abcdef")
    call = Call(OpenAI(f"{server.root}/v1"), "m", prompt, key, limits, RetryPolicy(attempts=1))

    async def opened():
        return open_session()

    http = loop.run_until_complete(opened())
    try:
        yield lambda: loop.run_until_complete(Exchange(call, over(AiohttpTransport(http))).whole())
    finally:
        close_now(http)
        end_loop(loop)


@pytest.mark.parametrize("tls", [False, True], ids=["http", "https"])
@pytest.mark.parametrize("leave", [end, reset, half_close])
def test_a_connection_that_was_closed_while_no_loop_ran_is_not_used(leave, tls, monkeypatch):
    """Each question is sent once, although a call has one attempt."""
    monkeypatch.setenv("SSL_CERT_FILE", str(CERTIFICATES / "none.ca.pem"))
    with Server(leave, tls=tls) as server, script(server) as ask:
        first = ask()
        server.leaves()
        second = ask()

    assert second.text.startswith(TEXT)
    assert (first.attempts, second.attempts, server.requests, server.came) == (1, 1, 2, 2)


@pytest.mark.parametrize("leave", [end, reset])
def test_a_connection_that_breaks_under_the_request_is_replaced_without_an_attempt(leave):
    """The server closed it while the request was under way, so it was very probably not read."""
    with Server(leave, breaks=1) as server, script(server) as ask:
        ask()
        second = ask()

    assert second.text.startswith(TEXT)
    assert (second.attempts, second.possibly_billed, server.came) == (1, False, 2)


def test_a_request_on_two_broken_connections_may_have_been_read():
    """It is sent on one new connection and no more."""
    with Server(breaks=5) as server, script(server) as ask:
        ask()
        with pytest.raises(APIConnectionError, match="so it was not sent again") as raised:
            ask()

    assert (raised.value.outcome, raised.value.possibly_billed) == (Outcome.AMBIGUOUS, True)
    assert (raised.value.attempts, server.requests) == (1, 3)
