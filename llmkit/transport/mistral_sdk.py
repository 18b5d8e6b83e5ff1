"""Wraps the official Mistral SDK in a client that frees everything it opens; alone imports the SDK.

The SDK makes a synchronous and an asynchronous HTTP client and has no close(). As a context manager
it frees only one of them (read and measured, mistralai 3.7.0). So both are made here and passed in.
The asynchronous one uses the same transport as other providers, with its time limits and errors.
The SDK itself never holds the key.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Generator, Mapping
from contextlib import AbstractAsyncContextManager
from contextvars import ContextVar
from dataclasses import replace
from datetime import UTC, datetime
from functools import cache
from typing import Any, Literal, cast

import httpx2
from mistralai.client import Mistral

from ..errors import (
    APIConnectionError,
    LlmkitError,
    Outcome,
    ProviderError,
    SessionClosedError,
    WrongAddressError,
    WrongLoopError,
    shorten,
)
from ..providers.addresses import line_of
from ..providers.base import NOTHING, Provider, with_origin
from ..providers.error_bodies import refuse_error
from ..providers.mistral import Mistral as MistralProvider
from ..secret import MASK, Secret, bearer, redact, without_locals
from ..wire.messages import HttpRequest, HttpResponse
from ..wire.retry_hints import retry_after
from . import aiohttp_transport, certificates
from .base import StreamingResponse
from .responses import error_of
from .timeouts import Timeouts

# Headers that the transport sets itself.
OWN_HEADERS = (
    "host", "connection", "content-length", "accept-encoding", "user-agent", "authorization",
)  # fmt: skip

OF_THE_CONNECTION = ("content-encoding", "content-length", "transfer-encoding", "connection")
CLOSED = "this Mistral client is closed; kit.mistral_client() opens another"

# Collects the raw responses for a caller that needs more than the SDK's types contain.
_RESPONSES: ContextVar[list[HttpResponse] | None] = ContextVar("llmkit_kept_response", default=None)


class MistralClient:
    """One signed-in client; the caller that opened it closes it, on the same loop."""

    _provider_name = "mistral"

    def __init__(
        self,
        key: Secret | None,
        *,
        base_url: str | None = None,
        headers: Mapping[str, Secret] = NOTHING,
        timeouts: Timeouts,
        trust_env: bool = False,
    ) -> None:
        self._provider = MistralProvider(base_url)
        self._key = key
        self._headers = headers
        self._session = aiohttp_transport.open_session(trust_env=trust_env)
        self._loop = asyncio.get_running_loop()
        self._sync = _SyncClient(
            auth=_KeyAuth(key, headers, self._session), verify=_context(), trust_env=trust_env,
            follow_redirects=False,
        )  # fmt: skip
        self._async = httpx2.AsyncClient(
            transport=_OwnTransport(self._session, key, headers, timeouts), follow_redirects=False
        )
        wait_s = timeouts.first_byte_s
        self._sdk: Any = Mistral(
            timeout_ms=None if wait_s is None else round(wait_s * 1000),
            api_key=MASK,  # without a key the SDK would read one from the environment
            server_url=self._provider.base_url,
            client=self._sync,
            async_client=self._async,
            retry_config=None,  # llmkit retries in a layer above
        )

    @property
    def closed(self) -> bool:
        """True after close() or aclose()."""
        return self._sdk is None

    @property
    def connector(self) -> Any:
        """Its connector, for the session table."""
        return self._session.connector

    def serves(self, provider: Provider, key: Secret | None) -> bool:
        """Returns True if it is open and uses the base URL and headers of *provider*, and *key*."""
        mine = self._provider.base_url, self._headers, self._key
        return not self.closed and mine == (provider.base_url, provider.headers, key)

    def sdk(self) -> Any:
        """Returns the official client, a `mistralai.client.Mistral`.

        Raises:
            SessionClosedError: It is closed.
        """
        if self._sdk is None:
            raise SessionClosedError(CLOSED)
        return self._sdk

    async def ping(self) -> None:
        """Checks the key without a paid request.

        Raises:
            CallError: The key was refused, or the provider did not answer.
            SessionClosedError: The client is closed.
        """
        await self.list_models()

    async def list_models(self) -> HttpResponse:
        """Returns the raw response with the provider's list of models; raises as `ping` does."""
        responses: list[HttpResponse] = []
        outer = _RESPONSES.set(responses)
        try:
            await self.sdk().models.list_async()
        except LlmkitError:
            raise
        except Exception as failure:
            if self.closed:  # meanwhile
                raise SessionClosedError(CLOSED) from failure
            if not responses:  # our transport has errors of its own, so nothing was sent
                reason = shorten(redact(str(failure)) or type(failure).__name__, 160)
                message = f"Mistral's SDK sent no request ({reason}); check the base URL"
                raise APIConnectionError(message, outcome=Outcome.UNSENT) from failure
            # The SDK cannot parse the answer, so it is read without the SDK.
        finally:
            _RESPONSES.reset(outer)
        (response,) = responses
        request = self._provider.models_request(None)
        try:
            if response.status != 200:
                raise error_of(self._provider, response, request.url)
            refuse_error(self._provider, response)
        except ProviderError as error:
            now = datetime.now(UTC)
            error.retry_after = retry_after(response.headers, response.body, now=now)
            if isinstance(error, WrongAddressError):
                error.called = line_of(request)
            with_origin(error, provider=self._provider.name, model="", key=self._key)
            raise
        return response

    async def aclose(self) -> None:
        """Frees both HTTP clients and every connection; a second call does nothing."""
        self._sdk = None
        self._sync.close()
        await self._async.aclose()
        await self._session.close()

    def close(self) -> None:
        """Closes it from code that cannot await; aborts connections if its loop cannot run."""
        if self.closed:
            return
        if self._loop.is_closed() or self._loop.is_running():
            self.abandon()
            aiohttp_transport.close_now(self._session)
        else:
            self._loop.run_until_complete(self.aclose())

    def abandon(self) -> None:
        """Closes only the synchronous client, for a forked child or a closed loop."""
        self._sdk = None
        self._sync.close()

    def __repr__(self) -> str:
        return f"<MistralClient {'closed' if self.closed else 'open'}>"


@cache
def warm() -> None:
    """Imports what the SDK imports only when a client is made and used; takes 0.1 s, once."""
    transport = httpx2.MockTransport(lambda request: httpx2.Response(200))
    async_client = httpx2.AsyncClient(transport=transport)
    with httpx2.Client(verify=_context()) as sync:
        sdk = Mistral(api_key=MASK, client=sync, async_client=async_client)
        _ = sdk.chat, sdk.models  # imports both


def _context() -> ssl.SSLContext:
    return certificates.context() or _usual_context()


@cache
def _usual_context() -> ssl.SSLContext:
    return ssl.create_default_context()  # takes 26 ms of CPU; one serves all clients


class _KeyAuth(httpx2.Auth):
    """Adds key and headers to each request of the synchronous client while it is sent."""

    def __init__(self, key: Secret | None, headers: Mapping[str, Secret], session: Any) -> None:
        self._key = key
        self._headers = headers
        self._session = session

    def auth_flow(
        self, request: httpx2.Request
    ) -> Generator[httpx2.Request, httpx2.Response, None]:
        self._session.connector.requests += 1
        mask = request.headers.pop("authorization", MASK)  # the SDK's header, which contains no key
        if self._key is not None:
            request.headers["authorization"] = bearer(self._key)
        for name, secret in self._headers.items():
            request.headers[name] = secret.reveal()
        try:
            yield request
        finally:
            # An error may show the request.
            request.headers.update({**dict.fromkeys(self._headers, MASK), "authorization": mask})


class _SyncClient(httpx2.Client):
    """Removes the key from what the HTTP library below it raises: it holds all headers as bytes."""

    def send(self, request: httpx2.Request, **options: Any) -> httpx2.Response:
        try:
            return super().send(request, **options)
        except BaseException as error:
            without_locals(error)
            raise


class _OwnTransport(httpx2.AsyncBaseTransport):
    """Sends the SDK's requests over a session of llmkit, with the key and the user's headers."""

    def __init__(
        self,
        session: Any,
        key: Secret | None,
        headers: Mapping[str, Secret],
        timeouts: Timeouts,
    ) -> None:
        self._session = session
        self._key = key
        self._headers = headers
        self._timeouts = timeouts
        self._loop = asyncio.get_running_loop()

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        if self._session.closed:
            raise SessionClosedError(CLOSED)
        if asyncio.get_running_loop() is not self._loop:
            raise WrongLoopError(
                "this Mistral client belongs to another event loop; open one on this loop with "
                "kit.mistral_client(), or use its synchronous methods"
            )
        headers = {name: v for name, v in request.headers.items() if name not in OWN_HEADERS}
        if self._key is not None:
            headers["authorization"] = bearer(self._key)
        method = cast("Literal['GET', 'POST']", request.method)
        http_request = HttpRequest(method, str(request.url), headers, await request.aread())
        # The caller's own limits, from the SDK's timeout_ms, apply if they are shorter.
        limits = request.extensions.get("timeout") or {}
        timeouts = replace(
            self._timeouts,
            connect_s=_shorter(self._timeouts.connect_s, limits.get("connect")),
            first_byte_s=_shorter(self._timeouts.first_byte_s, limits.get("read")),
            idle_s=_shorter(self._timeouts.idle_s, limits.get("read")),
        )
        transport = aiohttp_transport.AiohttpTransport(self._session, headers=self._headers)
        response_context = transport.send(http_request, timeouts)
        response = await response_context.__aenter__()
        response_headers = {
            name: v for name, v in response.headers.items() if name not in OF_THE_CONNECTION
        }
        body, responses = _Body(response, response_context), _RESPONSES.get()
        if responses is None:
            return httpx2.Response(response.status, headers=response_headers, stream=body)
        try:
            content = b"".join([data async for data in body])
        finally:
            await body.aclose()
        responses.append(HttpResponse(response.status, response.headers, content))
        return httpx2.Response(response.status, headers=response_headers, content=content)


def _shorter(first: float | None, second: float | None) -> float | None:
    return min((limit for limit in (first, second) if limit is not None), default=None)


class _Body(httpx2.AsyncByteStream):
    def __init__(
        self,
        response: StreamingResponse,
        response_context: AbstractAsyncContextManager[StreamingResponse],
    ) -> None:
        self._response = response
        self._response_context = response_context

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while data := await self._response.read():
            self._response.content_received()
            yield data

    async def aclose(self) -> None:
        await self._response_context.__aexit__(None, None, None)
