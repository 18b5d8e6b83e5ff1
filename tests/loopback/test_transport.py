"""Tests what a server receives in one request, and what happens to its connection."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager

import pytest

from llmkit.errors import CallError
from llmkit.runtime.introspection import end_answers, open_connections
from llmkit.transport.aiohttp_transport import AiohttpTransport, open_session
from llmkit.transport.timeouts import Timeouts
from llmkit.wire.messages import HttpRequest

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
SENT = {"Authorization": "Bearer none", "Content-Type": "application/json"}
LARGE = 32 * 1024 * 1024  # more than any buffer between two processes
LIMITS = Timeouts(first_byte_s=20.0)


class Server:
    """Answers every request with the same bytes, and records what arrived on which connection."""

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
            await reader.read()  # it never reads the rest, and waits for the end


@asynccontextmanager
async def serving(answer=ANSWER, **how):
    """Yields a server and its URL."""
    server = Server(answer, **how)
    listening = await asyncio.start_server(server.serve, "127.0.0.1", 0)
    async with listening:
        port = listening.sockets[0].getsockname()[1]
        yield server, f"http://127.0.0.1:{port}/v1/chat?a=b%20c"
        await server.end()


async def asked(session, request):
    """Returns the status and the whole body of the answer to *request*."""
    body = b""
    async with AiohttpTransport(session).send(request, LIMITS) as response:
        while data := await response.read():
            body += data
        return response.status, body


@pytest.mark.parametrize("size", [2, 3 * 2**20], ids=["small", "large"])
def test_a_request_says_no_more_than_it_must(size):
    """Its length and Accept-Encoding: identity are sent, and no Content-Type of aiohttp's."""

    async def main():
        async with serving() as (server, url), open_session() as ours:
            assert await asked(ours, HttpRequest("POST", url, SENT, b"x" * size)) == (200, b"ok")
        return server

    server = asyncio.run(main())

    first, *lines = server.heads[0].splitlines()
    told = dict(line.split(": ", 1) for line in lines if line)
    assert first == "POST /v1/chat?a=b%20c HTTP/1.1"
    assert told.keys() - {"Host"} == {
        "Accept", "Accept-Encoding", "Authorization", "Content-Length", "Content-Type",
        "User-Agent",
    }  # fmt: skip
    assert (told["Accept-Encoding"], told["Content-Length"]) == ("identity", str(size))
    assert len(server.bodies[0]) == size


def test_a_kept_connection_is_used_again():
    """Two consecutive calls use one connection."""

    async def main():
        async with serving() as (server, url), open_session() as session:
            for _ in range(2):
                await asked(session, HttpRequest("POST", url, SENT, b"{}"))
        return server

    assert asyncio.run(main()).connections == 1


def test_hints_before_an_answer_are_passed_over():
    """103 Early Hints are not an answer."""
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
    """Otherwise the rest of the request would be read as the next one."""

    async def main():
        async with serving(hasty=True) as (server, url), open_session() as session:
            for _ in range(2):
                request = HttpRequest("POST", url, SENT, b"x" * LARGE)
                assert await asked(session, request) == (200, b"ok")
        return server

    assert asyncio.run(main()).connections == 2


def test_whoever_reads_an_answer_is_told_that_its_session_was_closed():
    """The next read fails at once, whether or not the server has noticed."""

    async def main():
        half = b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf"
        async with serving(half) as (_, url), open_session() as session:
            request = HttpRequest("POST", url, SENT, b"{}")
            async with AiohttpTransport(session).send(request, LIMITS) as response:
                assert await response.read() == b"half"
                end_answers(session)
                with pytest.raises(CallError, match="broke in the middle"):
                    await response.read()

    asyncio.run(main())


def test_a_call_that_is_cancelled_leaves_no_connection():
    """Neither before the headers of its answer nor within its body."""

    async def main():
        half = b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf"
        async with serving(half) as (server, url), open_session() as session:
            waiting = asyncio.create_task(asked(session, HttpRequest("POST", url, SENT, b"{}")))
            while not server.connections:
                await asyncio.sleep(0)
            waiting.cancel()
            with pytest.raises(asyncio.CancelledError):
                await waiting
            assert open_connections(session) == 0

    asyncio.run(main())
