"""Carries requests over aiohttp, with watchdogs of our own on every wait."""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import Callable, Mapping
from io import BytesIO
from typing import Any

import aiohttp

from ..errors import (
    APIConnectionError,
    APITimeoutError,
    BadResponseError,
    CallError,
    Outcome,
)
from ..runtime import aiohttp_internals as internals
from ..runtime.introspection import kill, transports
from ..wire.decompression import Unpacker, unpacker
from ..wire.messages import HttpRequest
from .failures import broken, too_long, unsent_or_ambiguous
from .timeouts import RequestDeadline, SoftEndError, Timeouts, Watchdog, current_deadline

KEPT_S = 30.0  # an idle connection; hosted gateways drop theirs after 60 s and more
CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")  # what could end a header early
MOST_KEPT = 100  # connections that are given up for a fresh one
LARGE = 2**20  # bytes; aiohttp writes a larger body in pieces where it is a file
# Answers are asked for uncompressed: a compressed stream is held back until a block is full.
HEADERS = {"Accept-Encoding": "identity", "User-Agent": "llmkit"}


def open_session(*, trust_env: bool = False) -> aiohttp.ClientSession:
    """A session without cookies, redirects or limits of its own; the caller closes it.

    Must be called on the loop that will use it. With *trust_env* the proxies of the
    environment apply; otherwise neither they nor a .netrc file are read.
    """
    return aiohttp.ClientSession(
        connector=_Connector(limit=0, keepalive_timeout=KEPT_S),
        cookie_jar=aiohttp.DummyCookieJar(),
        timeout=aiohttp.ClientTimeout(total=None, sock_connect=None),
        auto_decompress=False,  # it would unpack without measure
        trust_env=trust_env,
        headers=HEADERS,
    )


class _Connector(aiohttp.TCPConnector):
    """Counts, and tells the request that a connection is made for it.

    aiohttp's traces do the latter at ten times the cost for every request.

    Attributes:
        requests: How many have asked for a connection.
        bytes_in: How many bytes have come, headers and all; None where that cannot be counted.
        answers: Those of ours that are still read.
    """

    bytes_in: int | None

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.requests = 0
        self.answers: set[aiohttp.ClientResponse] = set()
        internals.count_bytes(self)

    async def connect(self, *args: Any, **kwargs: Any) -> Any:
        self.requests += 1
        connection = await super().connect(*args, **kwargs)
        deadline = current_deadline.get()
        if deadline is not None and deadline.fresh:
            for _ in range(MOST_KEPT):
                if not deadline.reused:
                    break
                connection.close()  # a kept one, which may be as broken as the one before it
                connection = await super().connect(*args, **kwargs)
        return connection

    # aiohttp's documentation names this method as the one to override (read 2026-11-29).
    async def _create_connection(self, *args: Any, **kwargs: Any) -> Any:
        deadline = current_deadline.get()
        if deadline is None:  # a request of somebody who has borrowed the session
            return await super()._create_connection(*args, **kwargs)
        deadline.reused = False
        deadline.wait("connect")
        connection = await super()._create_connection(*args, **kwargs)
        start = deadline.written_at
        deadline.wait("first byte")
        if deadline.connected is not None:
            deadline.connected(deadline.written_at - start)
        return connection


class AiohttpTransport:
    """Sends requests over one session, which belongs to the caller.

    *connected* is told how many seconds each connection took that had to be made.
    """

    def __init__(
        self, session: aiohttp.ClientSession, connected: Callable[[float], None] | None = None
    ) -> None:
        self._session = session
        self._connection_listener = connected

    def send(self, request: HttpRequest, timeouts: Timeouts) -> AiohttpResponse:
        """The answer to *request* from its headers on; see `Transport.send`."""
        return AiohttpResponse(self._session, request, timeouts, self._connection_listener)


class AiohttpResponse:
    """One request and its answer, whose body is still coming; see `StreamingResponse`."""

    status: int
    headers: Mapping[str, str]
    # Those of its watchdog.
    content_received: Callable[[], None]
    finish_within: Callable[[float], None]

    def __init__(
        self,
        session: aiohttp.ClientSession,
        request: HttpRequest,
        timeouts: Timeouts,
        connected: Callable[[float], None] | None = None,
    ) -> None:
        self._session = session
        self._request = request
        self._timeouts = timeouts
        self._connection_listener = connected
        self._size = 0
        self._decoder: Unpacker | None = None

    async def __aenter__(self) -> AiohttpResponse:
        ends_at = None
        if self._timeouts.deadline_s is not None:
            ends_at = asyncio.get_running_loop().time() + self._timeouts.deadline_s
        self._response = response = await self._headers(ends_at)
        watchdog = Watchdog(self._timeouts, ends_at, response.content.set_exception)
        self.content_received = watchdog.content_received
        self.finish_within = watchdog.finish_within
        self._watchdog = watchdog
        answers: set[aiohttp.ClientResponse] = getattr(self._session.connector, "answers", set())
        self._answers = answers
        self._answers.add(response)
        self.status = response.status
        self.headers = headers = _joined(response.headers)
        if "content-encoding" in headers:
            try:
                self._decoder = unpacker(headers["content-encoding"])
            except BadResponseError:
                await self.__aexit__()
                raise
        return self

    async def _headers(self, ends_at: float | None) -> aiohttp.ClientResponse:
        request = self._request
        deadline = RequestDeadline(
            self._timeouts, ends_at, fresh=request.fresh, connected=self._connection_listener,
            secure=request.url.startswith("https:"),
        )  # fmt: skip
        body = BytesIO(request.body) if len(request.body) > LARGE else request.body
        outer = current_deadline.set(deadline)
        try:
            # Not every release of aiohttp that is allowed refuses all of these itself.
            if any(map(CONTROL.search, request.headers.values())):
                raise ValueError("a control character in a header")
            async with asyncio.timeout_at(deadline.begin()) as deadline.scope:
                return await self._session.request(
                    request.method,
                    request.url,
                    data=body or None,
                    headers=request.headers,
                    allow_redirects=False,  # a redirect would carry the key to another origin
                )
        except TimeoutError as error:
            raise deadline.timed_out() from error
        except RuntimeError as error:
            if not self._session.closed:
                raise
            raise APIConnectionError(
                "its session was closed before the request was sent", outcome=Outcome.UNSENT
            ) from error
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise unsent_or_ambiguous(error, request, deadline) from error
        finally:
            current_deadline.reset(outer)

    async def read(self) -> bytes:
        """What the next network read brings; see `StreamingResponse.read`."""
        data = await (self._received() if self._decoder is None else self._unpacked(self._decoder))
        self._size += len(data)
        if self._size > self._timeouts.body_bytes:
            raise too_long(self.status, self._timeouts.body_bytes)
        return data

    async def _unpacked(self, decoder: Unpacker) -> bytes:
        # A small body can hold very much: it is unpacked piece by piece, and between two pieces
        # everybody else on this loop has a turn.
        await asyncio.sleep(0)
        while not (data := decoder.take()):
            chunk = await self._received()
            if not chunk:
                return b""
            decoder.feed(chunk)
        return data

    async def _received(self) -> bytes:
        watchdog, content = self._watchdog, self._response.content
        watchdog.reading()
        try:
            if data := content.read_nowait():
                return data
            watchdog.waiting()
            try:
                return await content.readany()
            finally:
                watchdog.woken()
        except SoftEndError:
            return b""
        except APITimeoutError:  # a limit of ours passed
            raise
        except (aiohttp.ClientError, OSError) as error:
            if rest := internals.unread(content):
                return rest
            raise broken(error, self.status) from error

    async def __aexit__(self, *failure: object) -> None:
        """Gives the connection back if the body was read to its end, else ends it."""
        response = self._response
        if self._watchdog.soft_end is not None:
            # The end of the body often arrives a moment after the end of the answer; without
            # this short wait every finished stream would cost its connection.
            with contextlib.suppress(CallError):  # the answer is whole, whatever the rest is
                while not response.content.at_eof() and await self.read():
                    pass
        self._watchdog.stop()
        self._answers.discard(response)
        connection = response.connection
        if connection is not None and connection.transport is not None:
            # An orderly TLS goodbye could outlive the loop, and the server would go on writing.
            connection.transport.abort()
        response.close()


def _joined(fields: Mapping[str, str]) -> dict[str, str]:
    """Names in lower case; a field that was sent twice as one, with a comma between."""
    lower_headers = dict(zip(map(str.lower, fields.keys()), fields.values(), strict=True))
    if len(lower_headers) == len(fields):
        return lower_headers
    headers: dict[str, str] = {}
    for name, value in fields.items():
        name = name.lower()
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
    return headers


def close_now(session: aiohttp.ClientSession) -> None:
    """Ends *session* and its connections without waiting, for code that cannot await."""
    connector = session.connector
    open_transports = [transport for transport in transports(session) if transport is not None]
    known_connector = internals.connector_of(session)
    session.detach()
    if connector is None or connector.closed:
        return
    if known_connector is not None:
        for transport in open_transports:
            kill(transport) if internals.loop_is_closed(known_connector) else transport.abort()
        internals.forget_connections(known_connector)
    farewell: Any = connector.close()  # all that must be done is done by the call itself
    if hasattr(farewell, "close"):
        farewell.close()
    else:
        farewell.__await__()  # else it complains of never having been awaited
