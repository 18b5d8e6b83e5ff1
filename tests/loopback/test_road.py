"""The short way to a server and the long one are told apart by nobody but the clock."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager

import aiohttp
import pytest

from llmkit.errors import CallError
from llmkit.runtime.carrier import Limits
from llmkit.runtime.connections import end_answers
from llmkit.runtime.transport import HEADERS, AiohttpCarrier, open_session
from llmkit.wire.exchange import HttpRequest

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
SENT = {"Authorization": "Bearer none", "Content-Type": "application/json"}
LARGE = 32 * 1024 * 1024  # more than any buffer between two processes
LIMITS = Limits(first_byte_s=20.0)


class Server:
    """Answers every request by the same bytes, and remembers what came on which connection."""

    def __init__(self, answer: bytes, *, hasty: bool = False) -> None:
        self.heads: list[str] = []
        self.bodies: list[bytes] = []
        self.connections = 0
        self.serving = []
        self._answer = answer
        self._hasty = hasty

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self.serving.append((asyncio.current_task(), writer))
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                await self._one(head.decode(), reader, writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    async def end(self) -> None:
        for task, writer in self.serving:
            writer.transport.abort()
            await asyncio.wait([task])

    async def _one(self, head, reader, writer):
        self.heads.append(head)
        if self._hasty:
            writer.write(self._answer)
        sizes = [line for line in head.lower().splitlines() if line.startswith("content-length")]
        size = int(sizes[0].split(":")[1]) if sizes else 0
        if not self._hasty:
            self.bodies.append(await reader.readexactly(size))
            writer.write(self._answer)
        else:
            await reader.read()  # it never wants the rest, and waits for the end


@asynccontextmanager
async def serving(answer=ANSWER, **how):
    """A server, and the URL of it."""
    server = Server(answer, **how)
    listening = await asyncio.start_server(server.serve, "127.0.0.1", 0)
    async with listening:
        port = listening.sockets[0].getsockname()[1]
        yield server, f"http://127.0.0.1:{port}/v1/chat?a=b%20c"
        await server.end()


async def asked(session, request):
    """The status and the whole body of the answer to *request*."""
    body = b""
    async with AiohttpCarrier(session).send(request, LIMITS) as arriving:
        while data := await arriving.read():
            body += data
        return arriving.status, body


def traced(told):
    """A session that somebody watches, which is nothing that the short way could serve."""

    async def note(session, context, found):
        told.append(str(found.url))

    watch = aiohttp.TraceConfig()
    watch.on_request_start.append(note)
    return aiohttp.ClientSession(
        trace_configs=[watch], headers=HEADERS, cookie_jar=aiohttp.DummyCookieJar()
    )


@pytest.mark.parametrize(
    "request_",
    [
        lambda url: HttpRequest("POST", url, SENT, b'{"a": "\xc3\xa9"}'),
        lambda url: HttpRequest("GET", url, {"x-key": "k"}),
        lambda url: HttpRequest("POST", url, {**SENT, "User-Agent": "another"}, b"{}"),
    ],
    ids=["post", "get", "its own agent"],
)
def test_both_ways_say_the_same_to_a_server(request_):
    """The same lines and the same body; what somebody watches goes the long way and is seen."""

    async def main():
        told = []
        async with serving() as (server, url), open_session() as ours, traced(told) as watched:
            assert await asked(ours, request_(url)) == (200, b"ok")
            assert await asked(watched, request_(url)) == (200, b"ok")
        assert told == [url]
        return server

    server = asyncio.run(main())

    short, long = ([line.lower() for line in head.splitlines()] for head in server.heads)
    assert short[0] == long[0]
    assert sorted(short) == sorted(long)
    assert server.bodies[0] == server.bodies[1]


def test_a_kept_connection_is_used_again():
    """Two calls one after the other need one connection."""

    async def main():
        async with serving() as (server, url), open_session() as session:
            for _ in range(2):
                await asked(session, HttpRequest("POST", url, SENT, b"{}"))
        return server

    assert asyncio.run(main()).connections == 1


def test_hints_before_an_answer_are_passed_over():
    """103 Early Hints are no answer."""
    hints = b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"

    async def main():
        async with serving(hints + ANSWER) as (_, url), open_session() as session:
            return await asked(session, HttpRequest("POST", url, SENT, b"{}"))

    assert asyncio.run(main()) == (200, b"ok")


@pytest.mark.parametrize("end", ["\r", "\n", "\r\n", "\0"])
def test_a_header_cannot_smuggle_in_another_one(end):
    """A control character in a value is an error before anything is sent."""

    async def main():
        async with serving() as (server, url), open_session() as session:
            with pytest.raises(CallError):
                await asked(session, HttpRequest("GET", url, {"x-key": f"a{end}b: c"}))
        return server

    assert asyncio.run(main()).heads == []


def test_an_answer_that_comes_before_the_whole_request_ends_the_connection():
    """Else the rest of the request would be taken for the next one."""

    async def main():
        async with serving(hasty=True) as (server, url), open_session() as session:
            for _ in range(2):
                request = HttpRequest("POST", url, SENT, b"x" * LARGE)
                assert await asked(session, request) == (200, b"ok")
        return server

    assert asyncio.run(main()).connections == 2


def test_whoever_reads_an_answer_is_told_that_its_session_was_closed():
    """The next read is an error at once, whether or not the server has noticed."""

    async def main():
        half = b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf"
        async with serving(half) as (_, url), open_session() as session:
            request = HttpRequest("POST", url, SENT, b"{}")
            async with AiohttpCarrier(session).send(request, LIMITS) as arriving:
                assert await arriving.read() == b"half"
                end_answers(session)
                with pytest.raises(CallError, match="broke in the middle"):
                    await arriving.read()

    asyncio.run(main())


def test_a_call_that_is_cancelled_leaves_no_connection():
    """Neither before the head of its answer nor within its body."""

    async def main():
        half = b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf"
        async with serving(half) as (server, url), open_session() as session:
            waiting = asyncio.create_task(asked(session, HttpRequest("POST", url, SENT, b"{}")))
            while not server.connections:
                await asyncio.sleep(0)
            waiting.cancel()
            with pytest.raises(asyncio.CancelledError):
                await waiting
            assert not session.connector._acquired
            assert not session.connector._conns

    asyncio.run(main())
