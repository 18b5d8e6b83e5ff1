"""Carries requests over aiohttp, with watchdogs of our own on every wait.

aiohttp's own read timeout never fires on a peer that drips or sends heartbeats, nor after a
malformed chunk (measured, 3.12.15 to 3.14.5), so none of its timeouts are used.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Iterator, Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from types import TracebackType
from typing import Any

import aiohttp

from ..errors import (
    APIConnectionError,
    APITimeoutError,
    BadResponseError,
    CallError,
    ConfigError,
    Outcome,
    brief,
)
from ..secret import redact
from ..wire.exchange import HttpRequest
from .carrier import STALE, Limits

KEPT_S = 30.0  # an idle connection; hosted gateways drop theirs after 60 s and more
IDLE_CHECK_S = 1.0  # while nobody reads, no limit of the server's can pass
STALE_S = 1.0  # a reused connection that fails sooner had been closed before our request
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
        trust_env=trust_env,
        headers=HEADERS,
    )


class _Connector(aiohttp.TCPConnector):
    """Tells the request that a connection is made for it, which aiohttp's traces do at ten times
    the cost for every request."""

    async def _create_connection(self, *args: Any, **kwargs: Any) -> Any:
        trip = _TRIP.get()
        if trip is None:  # a request of somebody who has borrowed the session
            return await super()._create_connection(*args, **kwargs)
        trip.reused = False
        trip.wait("connect")
        made = await super()._create_connection(*args, **kwargs)
        trip.wait("first byte")
        return made


class AiohttpCarrier:
    """Sends requests over one session, which belongs to the caller."""

    def __init__(self, session: aiohttp.ClientSession) -> None:
        self._session = session

    def send(self, request: HttpRequest, limits: Limits) -> AiohttpAnswer:
        """The answer to *request* from its headers on; see `Carrier.send`."""
        return AiohttpAnswer(self._session, request, limits)


class AiohttpAnswer:
    """One request and its answer, whose body is still coming; see `Carrier` and `Arriving`."""

    status: int
    headers: Mapping[str, str]

    def __init__(
        self, session: aiohttp.ClientSession, request: HttpRequest, limits: Limits
    ) -> None:
        self._session = session
        self._request = request
        self._limits = limits
        self._loop = asyncio.get_running_loop()
        self._deadline: float | None = None
        self._soft_end: float | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._waiting = False
        self._size = 0

    async def __aenter__(self) -> AiohttpAnswer:
        started = self._loop.time()
        if self._limits.deadline_s is not None:
            self._deadline = started + self._limits.deadline_s
        self._response = response = await self._headers(self._request, self._limits)
        self.status = response.status
        self.headers = {k.lower(): v for k, v in response.headers.items()}
        self._read_at = self._content_at = self._loop.time()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        await self._release()

    async def _headers(self, request: HttpRequest, limits: Limits) -> aiohttp.ClientResponse:
        trip = _Trip(limits)
        outer = _TRIP.set(trip)
        try:
            async with asyncio.timeout(None) as trip.scope:
                trip.wait("first byte")
                return await self._session.request(
                    request.method,
                    request.url,
                    data=request.body or None,
                    headers=request.headers,
                    allow_redirects=False,  # a redirect would carry the key to another origin
                )
        except TimeoutError as error:
            raise trip.timed_out() from error
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise _unsent_or_ambiguous(error, request, trip) from error
        finally:
            _TRIP.reset(outer)

    async def read(self) -> bytes:
        """What the next network read brings; see `Arriving.read`."""
        content = self._response.content
        now = self._loop.time()
        # What our own reader took for the last piece counts against no limit of the server's.
        self._content_at += now - self._read_at
        self._read_at = now
        try:
            data = content.read_nowait() or await self._awaited()
        except _SoftEndError:
            return b""
        except APITimeoutError:  # a limit of ours passed
            raise
        except (aiohttp.ClientError, OSError) as error:
            raise _broken(error, self.status) from error
        self._size += len(data)
        if self._size > self._limits.body_bytes:
            raise _too_long(self.status, self._limits.body_bytes)
        return data

    async def _awaited(self) -> bytes:
        if self._timer is None:
            self._watch()
        self._waiting = True
        try:
            return await self._response.content.readany()
        finally:
            self._waiting = False
            self._read_at = self._loop.time()

    def content_came(self) -> None:
        """Tells the watchdog that the last read brought something worth waiting for."""
        self._content_at = self._read_at

    def ending(self, within_s: float) -> None:
        """Says that the answer is there: what follows is read for so long at most."""
        self._soft_end = self._loop.time() + within_s
        self._unwatch()  # the next wait, if there is one, begins with this limit

    async def _release(self) -> None:
        """Gives the connection back if the body was read to its end, else ends it."""
        response = self._response
        if self._soft_end is not None:
            # The end of the body often arrives a moment after the end of the answer; without
            # this short wait every finished stream would cost its connection.
            while not response.content.at_eof() and await self._rest():
                pass
        self._unwatch()
        connection = response.connection
        if connection is not None and connection.transport is not None:
            # An orderly TLS goodbye could outlive the loop, and the server would go on writing.
            connection.transport.abort()
        response.close()

    async def _rest(self) -> bytes:
        try:
            return await self.read()
        except CallError:  # the answer is whole; what is wrong with the rest is nobody's concern
            return b""

    def _watch(self) -> None:
        self._unwatch()
        when, _ = min(self._due(), default=(None, ""))
        if when is not None:
            self._timer = self._loop.call_at(when, self._bark)

    def _unwatch(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _bark(self) -> None:
        # Reads only move two timestamps, so a timer that is due may have been overtaken by them.
        when, what = min(self._due())
        if not self._waiting:  # it is our reader that is slow, not the server
            self._timer = self._loop.call_later(IDLE_CHECK_S, self._bark)
        elif when > self._loop.time():
            self._timer = self._loop.call_at(when, self._bark)
        else:
            error = _late(what) if what else _SoftEndError()
            self._response.content.set_exception(error)

    def _due(self) -> Iterator[tuple[float, str]]:
        """When each limit passes, and what is said then; "" for the end of what matters."""
        limits = self._limits
        if limits.idle_s is not None:
            yield self._read_at + limits.idle_s, f"sent nothing for {limits.idle_s:g} s"
        if limits.idle_content_s is not None:
            what = f"sent nothing but pings for {limits.idle_content_s:g} s"
            yield self._content_at + limits.idle_content_s, what
        if self._deadline is not None:
            yield self._deadline, f"had not finished after {limits.deadline_s:g} s"
        if self._soft_end is not None:
            yield self._soft_end, ""


class _SoftEndError(Exception):
    """The body was not ended by the server, but the answer in it was whole."""


@dataclass(slots=True)
class _Trip:
    """How far a request has got before its answer's headers."""

    limits: Limits
    phase: str = "first byte"
    reused: bool = True  # until a connection is made for it
    scope: Any = None
    written_at: float = 0.0

    def wait(self, phase: str) -> None:
        self.phase = phase
        loop = asyncio.get_running_loop()
        self.written_at = loop.time()
        limits = [self._limit(), self.limits.deadline_s]
        soonest = min((s for s in limits if s is not None), default=None)
        self.scope.reschedule(None if soonest is None else loop.time() + soonest)

    def _limit(self) -> float | None:
        return self.limits.connect_s if self.phase == "connect" else self.limits.first_byte_s

    def timed_out(self) -> CallError:
        limit = self._limit()
        if self.phase == "connect":
            return APITimeoutError(
                f"no connection within {limit:g} s; check the base URL and your network",
                outcome=Outcome.UNSENT,
            )
        return APITimeoutError(
            f"no answer began within {min(filter(None, (limit, self.limits.deadline_s))):g} s; "
            "raise first_byte_timeout_s for a model that thinks long",
            possibly_billed=True,
        )


_TRIP: ContextVar[_Trip | None] = ContextVar("llmkit_trip", default=None)


def _too_long(status: int, limit: int) -> BadResponseError:
    return BadResponseError(
        f"the answer is longer than {limit:,} bytes; ask for fewer tokens",
        status=status,
        outcome=Outcome.STREAMED,
        possibly_billed=True,
    )


def _late(what: str) -> APITimeoutError:
    return APITimeoutError(f"the server {what}", outcome=Outcome.STREAMED, possibly_billed=True)


def _broken(error: Exception, status: int) -> CallError:
    return APIConnectionError(
        f"the connection broke in the middle of the answer ({_words(error)})",
        status=status,
        outcome=Outcome.STREAMED,
        possibly_billed=True,
    )


def _unsent_or_ambiguous(error: Exception, request: HttpRequest, trip: _Trip) -> Exception:
    where = _origin(request.url)
    if isinstance(error, aiohttp.InvalidURL):
        return ConfigError(f"{brief(redact(request.url), 80)!r} is not a URL; check the base URL")
    if isinstance(error, ssl.SSLCertVerificationError | aiohttp.ClientConnectorCertificateError):
        return APIConnectionError(
            f"{where} did not prove who it is ({_words(error)}); the request was not sent",
            code="tls",
            outcome=Outcome.FINAL,
        )
    if isinstance(error, aiohttp.ClientConnectorSSLError | aiohttp.ClientConnectorDNSError):
        return _no_way_to(where, error)
    if isinstance(error, aiohttp.ClientConnectorError):
        return APIConnectionError(
            f"nobody answers at {where} ({_words(error.os_error)}); is the server running?",
            code="refused",
            outcome=Outcome.UNSENT,
        )
    if isinstance(error, aiohttp.ServerDisconnectedError | ConnectionError | aiohttp.ClientOSError):
        return _hung_up(where, error, request, trip)
    return BadResponseError(
        f"{where} answered with something that is not HTTP ({_words(error)})",
        possibly_billed=request.method == "POST",
    )


def _no_way_to(where: str, error: Exception) -> CallError:
    if isinstance(error, aiohttp.ClientConnectorDNSError):
        return APIConnectionError(
            f"no address found for {where}; check the base URL, or are you offline?",
            code="dns",
            outcome=Outcome.UNSENT,
        )
    return APIConnectionError(
        f"no TLS connection to {where} ({_words(error)}); a server that speaks plain http "
        "wants http:// in its base URL",
        code="tls",
        outcome=Outcome.FINAL,
    )


def _hung_up(where: str, error: Exception, request: HttpRequest, trip: _Trip) -> CallError:
    waited = asyncio.get_running_loop().time() - trip.written_at
    if trip.reused and waited < STALE_S:
        # Most likely the server had closed the kept connection before our request came.
        return APIConnectionError(
            f"{where} had closed the connection that was kept open to it",
            code=STALE,
            outcome=Outcome.REFUSED,
        )
    return APIConnectionError(
        f"{where} hung up without an answer ({_words(error)})",
        possibly_billed=request.method == "POST",
    )


def _origin(url: str) -> str:
    return "/".join(redact(url).split("/", 3)[:3])


def _words(error: Exception) -> str:
    return brief(redact(str(error) or type(error).__name__), 160)
