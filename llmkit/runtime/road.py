"""The short way from a request to the head of its answer, over the connections of a session.

Of what `ClientSession.request` costs, more than half goes into things that no call of ours needs:
cookies, redirects, a request object, a writer with a task of its own, a response object (aiohttp
3.14.5, measured 2026-11-25). What matters is all aiohttp's here too: the pool, names, TLS, the
protocol of a connection and the parser of HTTP. Whatever is out of the ordinary goes the long way.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from typing import Any, NamedTuple

import aiohttp
from aiohttp.http_exceptions import HttpProcessingError
from yarl import URL

from ..wire.exchange import HttpRequest
from .trip import UNDER_WAY

LARGE = 64 * 1024  # bytes; a smaller body is cheaper to copy
ROUTES = 256  # addresses that are kept ready
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")  # what could end a header early


class Route(NamedTuple):
    """An address, made ready once.

    Attributes:
        request: aiohttp's own, by which its pool knows the address; it is never sent.
        head: All lines of a request that no call changes.
    """

    request: aiohttp.ClientRequest
    head: str


Routes = dict[tuple[str, ...], Route]


class Head:
    """The head of an answer, and its body on the way.

    Attributes:
        connection: None once it was given back, at the end of the body.
    """

    __slots__ = ("connection", "content", "headers", "status")

    def __init__(self, message: Any, content: Any, connection: Any) -> None:
        self.status: int = message.code
        self.headers: Mapping[str, str] = message.headers
        self.content = content
        self.connection = connection
        content.on_eof(self._ended)

    def close(self) -> None:
        """Ends the connection, unless it was given back."""
        connection, self.connection = self.connection, None
        if connection is None:
            return
        if self.content.exception() is None:  # whoever still reads is to be told
            self.content.set_exception(aiohttp.ClientConnectionError("closed from here"))
        connection.close()

    def _ended(self) -> None:
        connection, self.connection = self.connection, None
        if connection is None:
            return
        transport = connection.transport
        if transport is not None and transport.get_write_buffer_size():
            # Answered before it had the whole request: the rest would be taken for the next one.
            transport.abort()
            connection.close()
        else:
            connection.release()


class Road:
    """Sends requests over one session, which belongs to the caller."""

    def __init__(self, session: aiohttp.ClientSession) -> None:
        self._session = session
        # They last as long as the session, and a carrier no longer than one call.
        self._routes: Routes = getattr(session.connector, "routes", {})

    async def send(self, request: HttpRequest) -> Head | aiohttp.ClientResponse:
        """The answer to *request*, once its head is there; whoever gets it closes it."""
        session, connector = self._session, self._session.connector
        ordinary = request.url.startswith(("http:", "https:")) and "@" not in request.url
        if not ordinary or session.trust_env or session.trace_configs or connector is None:
            return await self._the_long_way(request)
        place = (request.method, request.url, *request.headers)
        route = self._routes.get(place) or self._ready(place, request)
        connection = await connector.connect(route.request, [], session.timeout)
        try:
            return await self._answered(route, request, connection)
        except BaseException:
            if connection.transport is not None:
                connection.transport.abort()
            connection.close()
            raise

    async def _the_long_way(self, request: HttpRequest) -> aiohttp.ClientResponse:
        return await self._session.request(
            request.method,
            request.url,
            data=request.body or None,
            headers=request.headers,
            allow_redirects=False,  # a redirect would carry the key to another origin
        )

    def _ready(self, place: tuple[str, ...], request: HttpRequest) -> Route:
        url = _checked(request.url)
        made = aiohttp.ClientRequest(
            request.method, url, headers=self._session.headers,
            loop=asyncio.get_running_loop(), session=self._session,
        )  # fmt: skip
        told = {"content-length", "content-type", *map(str.lower, request.headers)}
        fixed = [f"{n}: {value}" for n, value in made.headers.items() if n.lower() not in told]
        lines = [f"{request.method} {url.raw_path_qs} HTTP/1.1", *fixed]
        if len(self._routes) >= ROUTES:
            self._routes.clear()
        self._routes[place] = route = Route(made, "\r\n".join(lines))
        return route

    async def _answered(self, route: Route, request: HttpRequest, connection: Any) -> Head:
        protocol = connection.protocol
        protocol.set_response_params(read_until_eof=True, auto_decompress=False)
        _write(connection.transport, route.head, request)
        try:
            while True:
                message, content = await protocol.read()
                if message.code > 199 or message.code == 101:
                    return Head(message, content, connection)
        except HttpProcessingError as error:
            raise aiohttp.ClientResponseError(
                route.request.request_info, (), status=error.code, message=error.message
            ) from error
        except (aiohttp.ClientError, OSError):
            trip = UNDER_WAY.get()
            if trip is not None:
                trip.unwritten = protocol.writing_paused
            raise


def _checked(url: str) -> URL:
    try:
        found = URL(url)
    except ValueError as error:
        raise aiohttp.InvalidURL(url) from error
    if not found.raw_host:
        raise aiohttp.InvalidURL(url)
    return found


def _write(transport: asyncio.Transport, head: str, request: HttpRequest) -> None:
    # Apart, and over before anything is waited for: no frame with the key in it can be shown.
    fields = [f"{name}: {value}" for name, value in request.headers.items()]
    if any(map(_CONTROL.search, fields)):
        raise ValueError("a control character in a header")
    if request.method == "POST":
        fields.append(f"Content-Length: {len(request.body)}")
    start = "\r\n".join((head, *fields, "\r\n")).encode()
    if len(request.body) < LARGE:
        transport.write(start + request.body)
    else:
        transport.writelines((start, request.body))  # from Python 3.12 on without a copy
