"""The official Mistral SDK behind a client that frees everything it opened (its keeper).

The SDK makes a synchronous and an asynchronous HTTP client at once, has no close(), and frees
only one of the two when used as a context manager (read and measured, mistralai 3.7.0). So both
are made here and passed in. Beneath the asynchronous one lies the transport of every other
provider, with its watchdogs and its errors; the SDK never sees the key.
"""

from __future__ import annotations

import asyncio
import inspect
import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import cache
from types import TracebackType
from typing import Any

import httpx2
from mistralai.client import Mistral

from ..errors import (
    CallError,
    ConfigError,
    ProviderError,
    SessionClosedError,
    brief,
)
from ..providers.mistral import Mistral as MistralProvider
from ..secret import MASK, Secret, redact
from ..wire.exchange import HttpRequest, HttpResponse
from ..wire.retry_hints import retry_after
from . import transport
from .carrier import Arriving, Limits
from .sdk_events import event_block
from .sdk_transport import UNDER_WAY, NoTransport, SdkTransport, UnderWay


class MistralClient:
    """One signed-in client; whoever opened it closes it.

    Lives on the loop on which it was made. Use after its end is a SessionClosedError.
    """

    _provider_name = "mistral"

    def __init__(
        self,
        key: Secret | None,
        *,
        base_url: str | None = None,
        limits: Limits,
        trust_env: bool = False,
    ) -> None:
        self._provider = MistralProvider(base_url)
        self._key = key
        self._limits = limits
        self._session = transport.open_session(trust_env=trust_env)
        self._loop = asyncio.get_running_loop()
        self._sync = httpx2.Client(transport=NoTransport())
        self._async = httpx2.AsyncClient(transport=SdkTransport(key), follow_redirects=False)
        self._sdk: Any = Mistral(
            api_key=MASK,  # without one the SDK would look for others in the environment
            server_url=self._provider.base_url,
            client=self._sync,
            async_client=self._async,
            retry_config=None,  # retries exist in one layer, and it is not this one
        )

    @property
    def closed(self) -> bool:
        """True once nothing of it is open any more."""
        return self._sdk is None

    @property
    def connector(self) -> Any:
        """What holds its connections, for the table of sessions."""
        return self._session.connector

    def serves(self, base_url: str, key: Secret | None) -> bool:
        """True where it asks that place, with that key."""
        return not self.closed and (self._provider.base_url, self._key) == (base_url, key)

    def carrier(self, connected: Callable[[float], None] | None = None) -> SdkCarrier:
        """What sends requests through the SDK; see `AiohttpCarrier` for *connected*."""
        return SdkCarrier(self, connected)

    async def ping(self) -> None:
        """Passes when the key is accepted; costs nothing.

        Raises:
            CallError: It was refused, or nobody answered.
            SessionClosedError: The client was closed before.
        """
        request = self._provider.models_request(self._key)
        async with self.carrier().send(request, self._limits) as arriving:
            parts = []
            while data := await arriving.read():
                parts.append(data)
            if arriving.status != 200:
                raise self._refused(arriving, b"".join(parts))
            HttpResponse(arriving.status, arriving.headers, b"".join(parts)).json_object()

    def sdk(self) -> Any:
        """The official client.

        Raises:
            SessionClosedError: It was closed before.
        """
        if self._sdk is None:
            raise SessionClosedError("this Mistral client is closed; check('mistral') opens one")
        return self._sdk

    async def aclose(self) -> None:
        """Frees both HTTP clients and every connection; twice is harmless."""
        self._sdk = None
        self._sync.close()
        await self._async.aclose()
        await self._session.close()

    def close(self) -> None:
        """As `aclose`, for code that cannot await; connections end at once."""
        if self.closed:
            return
        if self._loop.is_closed() or self._loop.is_running():
            self._sdk = None
            self._sync.close()
            transport.close_now(self._session)
        else:
            self._loop.run_until_complete(self.aclose())

    def _refused(self, arriving: Arriving, body: bytes) -> ProviderError:
        response = HttpResponse(arriving.status, arriving.headers, body)
        error = self._provider.error_from(response)
        error.retry_after = retry_after(arriving.headers, body, now=datetime.now(UTC))
        return error

    def __repr__(self) -> str:
        return f"<MistralClient {'closed' if self.closed else 'open'}>"


@cache
def warm() -> None:
    """Has the SDK import what it leaves until a client is made and used; takes 0.1 s, once."""
    unused = httpx2.AsyncClient(transport=SdkTransport(None))
    with httpx2.Client(transport=NoTransport()) as sync:
        sdk = Mistral(api_key=MASK, client=sync, async_client=unused)
        _ = sdk.chat, sdk.models  # imported when they are asked for


class SdkCarrier:
    """Sends requests through the SDK of one client; see `Carrier`."""

    def __init__(self, client: MistralClient, connected: Callable[[float], None] | None) -> None:
        self._client = client
        self._connected = connected

    def send(self, request: HttpRequest, limits: Limits) -> SdkAnswer:
        """The answer to *request*; see `Carrier.send`.

        Raises:
            SessionClosedError: The client was closed before.
            ConfigError: The SDK has no parameter for something in it; nothing was sent.
        """
        return SdkAnswer(self._client, request, limits, self._connected)


class SdkAnswer:
    """One request through the SDK and its answer, whose body is still coming; see `Arriving`."""

    status: int
    headers: Mapping[str, str]

    def __init__(
        self,
        client: MistralClient,
        request: HttpRequest,
        limits: Limits,
        connected: Callable[[float], None] | None,
    ) -> None:
        self._client = client
        self._request = request
        self._under = UnderWay(request, limits, transport.AiohttpCarrier(
            client._session, connected,
        ))  # fmt: skip
        self._events: Any = None
        self._document: bytes | None = None
        self._done = False

    async def __aenter__(self) -> SdkAnswer:
        sdk, under = self._client.sdk(), self._under
        outer = UNDER_WAY.set(under)
        try:
            await self._ask(sdk)
        except BaseException as error:
            if under.arriving is None or not _of_the_sdk(error):
                await self._leave()
                raise _unsendable(error) if _of_the_sdk(error) else error from error.__cause__
            # It answered, and the SDK does not like the answer: it is read without the SDK.
        finally:
            UNDER_WAY.reset(outer)
        assert under.arriving is not None
        self.status, self.headers = under.arriving.status, under.arriving.headers
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        await self._leave()

    async def read(self) -> bytes:
        """The next event that the SDK has read; see `Arriving.read`."""
        if self._document is not None:
            document, self._document = self._document, b""
            return document
        data = b""
        if self._events is not None:
            data = await self._next_event()
        return data or await self._past()

    def content_came(self) -> None:
        """Tells the watchdog that the last read brought something worth waiting for."""
        if self._under.arriving is not None:
            self._under.arriving.content_came()

    def ending(self, within_s: float) -> None:
        """Says that the answer is there: what follows is read for so long at most."""
        if self._under.arriving is not None:
            self._under.arriving.ending(within_s)

    async def _ask(self, sdk: Any) -> None:
        if self._request.method == "GET":
            await sdk.models.list_async()
            self._document = bytes(self._under.body)
            return
        asked = _arguments(self._request.body, sdk)
        if self._request.stream:
            self._events = (await sdk.chat.stream_async(**asked)).generator
        else:
            answer = await sdk.chat.complete_async(**asked)
            self._document = str(answer.model_dump_json(by_alias=True, warnings=False)).encode()

    async def _next_event(self) -> bytes:
        clean = self._under.clean
        try:
            # The SDK takes its time for each event, and many may come in one read: between two of
            # them everybody else on this loop has a turn.
            await asyncio.sleep(0)
            block = event_block((await anext(self._events)).data)
        except StopAsyncIteration:
            self._events = None
            return b""
        except Exception as error:
            self._events = None
            if not _of_the_sdk(error):
                raise
            clean.give_up()
            return b""
        clean.was_read()
        return block

    async def _past(self) -> bytes:
        """What comes past the SDK: a refusal, a document, or the rest of a stream."""
        arriving, clean = self._under.arriving, self._under.clean
        assert arriving is not None
        if self._under.body:
            body, self._under.body = bytes(self._under.body), bytearray()
            return body
        while not clean.past and not self._done:
            data = await arriving.read()
            self._done = not data
            if not self._under.is_stream or not clean.is_stream:
                return data
            clean.ended = True
            clean.feed(data) if data else clean.end()
        past = bytes(clean.past)
        clean.past.clear()
        return past

    async def _leave(self) -> None:
        events, self._events = self._events, None
        try:
            if events is not None:
                await events.aclose()
        finally:
            await self._under.leave()


def _arguments(body: bytes, sdk: Any) -> dict[str, Any]:
    asked: dict[str, Any] = json.loads(body)
    asked.pop("stream", None)
    unknown = asked.keys() - _parameters(sdk.chat)
    if unknown:
        raise ConfigError(
            f"the official SDK has no parameter {' or '.join(sorted(unknown))}; leave it out, or "
            'leave out via="sdk"'
        )
    return asked


def _parameters(chat: Any) -> frozenset[str]:
    own = ("self", "retries", "server_url", "timeout_ms", "http_headers", "stream")
    return frozenset(inspect.signature(chat.stream_async).parameters) - frozenset(own)


def _of_the_sdk(error: BaseException) -> bool:
    """True for what the SDK says itself; our own errors pass through it unchanged."""
    return isinstance(error, Exception) and not isinstance(
        error, CallError | ConfigError | SessionClosedError
    )


def _unsendable(error: BaseException) -> ConfigError:
    said = brief(redact(str(error)), 160)
    return ConfigError(f'the official SDK does not take this ({said}); leave out via="sdk"')
