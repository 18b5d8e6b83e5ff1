"""The HTTP side of the official Mistral SDK: our own session, with its watchdogs and its errors."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from contextvars import ContextVar
from typing import cast

import httpx2

from ..errors import SessionClosedError
from ..secret import Secret, bearer
from ..wire.exchange import HttpRequest
from . import transport
from .carrier import Arriving, Limits
from .sdk_events import CleanStream

# What the transport below writes itself; the key it adds.
OURS = ("host", "connection", "content-length", "accept-encoding", "user-agent", "authorization")


class UnderWay:
    """What the transport below and the answer above know of one request.

    Attributes:
        body: Of an answer that the SDK reads whole.
        is_stream: True where the body is one that the SDK reads event by event.
    """

    def __init__(
        self, request: HttpRequest, limits: Limits, carrier: transport.AiohttpCarrier
    ) -> None:
        self.request = request
        self.clean = CleanStream()
        self.arriving: Arriving | None = None
        self.body = bytearray()
        self.is_stream = False
        self._limits = limits
        self._carrier = carrier
        self._sending: AbstractAsyncContextManager[Arriving] | None = None

    async def send(self, request: HttpRequest) -> Arriving:
        sending = cast("AbstractAsyncContextManager[Arriving]", self._carrier.send(
            request, self._limits
        ))  # fmt: skip
        self.arriving = arriving = await sending.__aenter__()
        self._sending = sending
        kind = arriving.headers.get("content-type", "").lower()
        self.is_stream = (
            self.request.stream and arriving.status == 200 and kind.startswith("text/event-stream")
        )
        return arriving

    async def leave(self) -> None:
        sending, self._sending = self._sending, None
        if sending is not None:
            await sending.__aexit__(None, None, None)


# Both the SDK and who cleans for it take their time for each event; a piece at a time, everybody
# else on this loop has a turn in between.
PIECE = 16 * 1024  # bytes

UNDER_WAY: ContextVar[UnderWay] = ContextVar("llmkit_sdk_under_way")


class SdkTransport(httpx2.AsyncBaseTransport):
    """Carries the SDK's requests over our own session, and adds the key."""

    def __init__(self, key: Secret | None) -> None:
        self._key = key

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        under = UNDER_WAY.get()
        headers = {name: value for name, value in request.headers.items() if name not in OURS}
        if self._key is not None:
            headers["Authorization"] = bearer(self._key)
        sent = HttpRequest(
            under.request.method, str(request.url), headers, await request.aread(),
            stream=under.request.stream, fresh=under.request.fresh,
        )  # fmt: skip
        arriving = await under.send(sent)
        kind = "text/event-stream" if under.is_stream else "application/json"
        return httpx2.Response(arriving.status, headers={"content-type": kind}, stream=_Body(under))


class NoTransport(httpx2.BaseTransport):
    """Opens nothing: the SDK's synchronous side is not used."""

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        raise SessionClosedError("use the asynchronous methods; llmkit.ask() needs no await")


class _Body(httpx2.AsyncByteStream):
    """What the SDK is given of an answer; a refusal is kept from it, for it is read above."""

    def __init__(self, under: UnderWay) -> None:
        self._under = under

    async def __aiter__(self) -> AsyncIterator[bytes]:
        under, clean = self._under, self._under.clean
        arriving = under.arriving
        if arriving is None or arriving.status != 200:
            return
        while not clean.ended and (data := await arriving.read()):
            if not under.is_stream:
                under.body += data
                yield data
                continue
            for start in range(0, len(data), PIECE):
                given = clean.feed(data[start : start + PIECE])
                if given:
                    yield given
        if under.is_stream and not clean.ended:
            yield clean.end()

    async def aclose(self) -> None:
        """Nothing: the connection is given back by whoever reads the answer."""
