"""Sends requests with aiohttp; llmkit's own watchdog limits every wait."""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
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
from ..secret import Secret
from ..wire.decompression import Unpacker, unpacker
from ..wire.messages import HttpRequest
from . import certificates
from .failures import DROPPED, broken, too_long, unsent_or_ambiguous
from .proxies import slow_proxy
from .timeouts import RequestDeadline, SoftEndError, Timeouts, Watchdog, current_deadline

KEPT_S = 30.0  # keep-alive of an idle connection; hosted gateways close theirs after >= 60 s
CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")  # characters that could end a header early
MOST_KEPT = 100  # idle connections closed at most to get a new one
LARGE = 2**20  # bytes; aiohttp writes a larger body in pieces if it is a file
# No compression: a server holds a compressed stream back until a block is full.
HEADERS = {"Accept-Encoding": "identity", "User-Agent": "llmkit"}


def open_session(*, trust_env: bool = False) -> aiohttp.ClientSession:
    """Opens a session without cookies, redirects or limits; the caller closes it.

    Must be called on the loop that will use it. Proxy variables and a .netrc file are read
    only if *trust_env* is True.
    """
    return aiohttp.ClientSession(
        connector=_Connector(limit=0, keepalive_timeout=KEPT_S),
        cookie_jar=aiohttp.DummyCookieJar(),
        timeout=aiohttp.ClientTimeout(total=None, sock_connect=None),
        auto_decompress=False,  # aiohttp does not limit the decompressed size
        trust_env=trust_env,
        headers=HEADERS,
    )


class _Connector(aiohttp.TCPConnector):
    """Counts requests and bytes, and tells a request when a connection is made for it.

    aiohttp's tracing reports connections too, but costs ten times as much per request.

    Attributes:
        requests: The number of requests that asked for a connection.
        bytes_in: Bytes received, including headers; None if they cannot be counted.
        answers: llmkit's answers that are still being read.
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
        for _ in range(MOST_KEPT):
            if deadline is None or not deadline.reused:
                break
            # Between two calls of a script no loop runs that could notice a closed connection.
            transport = connection.transport
            if not deadline.fresh and not internals.is_readable(transport):
                break
            if transport is not None:
                transport.abort()  # a TLS shutdown could outlive the loop
            connection.close()
            connection = await super().connect(*args, **kwargs)
        return connection

    # aiohttp's documentation names this method as the one to override (read 2026-11-29).
    async def _create_connection(self, *args: Any, **kwargs: Any) -> Any:
        deadline = current_deadline.get()
        if deadline is None:  # the user's own request on this session
            return await super()._create_connection(*args, **kwargs)
        deadline.reused = False
        deadline.wait("connect")
        internals.trust(self, certificates.context())
        connection = await super()._create_connection(*args, **kwargs)
        start = deadline.written_at
        deadline.wait("first byte")
        if deadline.connected is not None:
            deadline.connected(deadline.written_at - start)
        return connection


@dataclass(slots=True)
class AiohttpTransport:
    """Sends requests over one session, which belongs to the caller.

    Attributes:
        connected: Called with the seconds that each new connection took.
        headers: The user's own headers of each request, which replace llmkit's.
    """

    session: aiohttp.ClientSession
    connected: Callable[[float], None] | None = None
    headers: Mapping[str, Secret] = field(default_factory=dict)

    def send(self, request: HttpRequest, timeouts: Timeouts) -> AiohttpResponse:
        """Returns a context that sends *request*; see `Transport.send`."""
        if self.headers:
            request = request.with_headers(self.headers)
        return AiohttpResponse(self.session, request, timeouts, self.connected)


class AiohttpResponse:
    """Sends one request on entry and streams its answer; see `StreamingResponse`."""

    status: int
    headers: Mapping[str, str]
    content_received: Callable[[], None]  # both are the watchdog's methods
    finish_within: Callable[[float | None], None]

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
        try:
            response = await self._headers(ends_at)
        except CallError as error:
            if error.code != DROPPED:
                raise
            # Not an attempt: very probably the server closed the connection before it had the
            # request. If a new connection breaks too, the request was more likely read.
            response = await self._headers(ends_at, fresh=True)
        self._response = response
        watchdog = Watchdog(self._timeouts, ends_at, response.content.set_exception)
        self.content_received = watchdog.content_received
        self.finish_within = watchdog.finish_within
        self._watchdog = watchdog
        answers: set[aiohttp.ClientResponse] = getattr(self._session.connector, "answers", set())
        self._answers = answers
        self._answers.add(response)
        self.status = response.status
        fields = response.headers
        headers = dict(zip(map(str.lower, fields.keys()), fields.values(), strict=True))
        self.headers = headers = headers if len(headers) == len(fields) else _joined(fields)
        if "content-encoding" in headers:
            try:
                self._decoder = unpacker(headers["content-encoding"])
            except BadResponseError:
                await self.__aexit__()
                raise
        return self

    async def _headers(
        self, ends_at: float | None, *, fresh: bool = False
    ) -> aiohttp.ClientResponse:
        request = self._request
        deadline = RequestDeadline(
            self._timeouts, ends_at, fresh=fresh, connected=self._connection_listener,
            secure=request.url.startswith("https:"),
        )  # fmt: skip
        body = BytesIO(request.body) if len(request.body) > LARGE else request.body
        # Some supported aiohttp releases accept these.
        if any(map(CONTROL.search, request.headers.values())):
            message = "a header contains a control character; check the key; nothing was sent"
            raise APIConnectionError(message, outcome=Outcome.FINAL)
        outer = current_deadline.set(deadline)
        try:
            async with asyncio.timeout_at(deadline.begin()) as deadline.scope:
                return await self._session.request(
                    request.method,
                    request.url,
                    data=body or None,
                    headers=request.headers,
                    allow_redirects=False,  # a redirect would carry the key to another origin
                )
        except TimeoutError as error:
            proxy = slow_proxy(request.url, is_used=self._uses_proxies())
            is_paid = request.method == "POST"
            raise deadline.timed_out(is_paid=is_paid, proxy=proxy) from error
        except Exception as error:  # aiohttp raises more than its own errors
            if self._session.closed and isinstance(error, RuntimeError):
                raise APIConnectionError(
                    "its session was closed before the request was sent", outcome=Outcome.UNSENT
                ) from error
            with_proxies = self._uses_proxies()
            raise unsent_or_ambiguous(
                error, request, deadline, with_proxies=with_proxies
            ) from error
        finally:
            current_deadline.reset(outer)

    def _uses_proxies(self) -> bool:
        return bool(getattr(self._session, "trust_env", False))

    async def read(self) -> bytes:
        """Returns the next piece of the body; see `StreamingResponse.read`."""
        data = await (self._received() if self._decoder is None else self._unpacked(self._decoder))
        self._size += len(data)
        if self._size > self._timeouts.body_bytes:
            raise too_long(self.status, self._timeouts.body_bytes)
        return data

    async def _unpacked(self, decoder: Unpacker) -> bytes:
        # A small body can expand to a very large one: other tasks run between two pieces.
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
        except APITimeoutError as error:  # raised by the watchdog
            error.possibly_billed = self._request.method == "POST"
            raise
        except Exception as error:  # after a malformed chunk, aiohttp raises RuntimeError
            if rest := internals.unread(content):
                return rest
            raise broken(error, self.status) from error

    async def __aexit__(self, *failure: object) -> None:
        """Returns the connection to the pool if the body was read to its end, else aborts it."""
        response = self._response
        if self._watchdog.soft_end is not None:
            # The end of the body often arrives just after the end of the answer; without this
            # short wait no connection of a finished stream could be reused.
            with contextlib.suppress(CallError):  # the answer is already complete
                while not response.content.at_eof() and await self.read():
                    pass
        self._watchdog.stop()
        self._answers.discard(response)
        connection = response.connection
        if connection is not None and connection.transport is not None:
            # A TLS shutdown could outlive the loop, and the server would go on sending.
            connection.transport.abort()
        response.close()


def _joined(fields: Mapping[str, str]) -> dict[str, str]:
    """Returns headers with names in lower case; repeated fields are joined by a comma."""
    headers: dict[str, str] = {}
    for name, value in fields.items():
        name = name.lower()
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
    return headers


def close_now(session: aiohttp.ClientSession) -> None:
    """Closes *session* and aborts its connections, from code that cannot await."""
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
    closing: Any = connector.close()  # the call itself closes; awaiting it is not needed
    if hasattr(closing, "close"):
        closing.close()
    else:
        closing.__await__()  # else it warns that it was never awaited
