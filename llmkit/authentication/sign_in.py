"""Checks a key with the provider's cheapest request, with retries."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Protocol, TypeVar

from ..configuration.credentials import Credential
from ..errors import (
    APITimeoutError,
    CallError,
    LlmkitError,
    LocalModelError,
    Outcome,
    WrongAddressError,
)
from ..providers.addresses import line_of
from ..providers.base import Provider, with_origin
from ..providers.error_bodies import refuse_error
from ..retries.policy import RetryPolicy
from ..secret import Secret
from ..transport.base import Transport
from ..transport.responses import read_whole, refusal
from ..transport.timeouts import Timeouts
from .status import AuthStatus, SignInState, described, failed

log = logging.getLogger(__name__)


class Client(Protocol):
    """A client that `sign_in` opens: `ping` checks its key, and the caller closes it."""

    async def ping(self) -> None: ...

    async def aclose(self) -> None: ...


C = TypeVar("C", bound=Client)


async def sign_in(
    open_client: Callable[[], C],
    label: str,
    *,
    policy: RetryPolicy,
    limit_s: float | None = None,
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    on_retry: Callable[[CallError, int, float], None] | None = None,
) -> C:
    """Returns an open client whose key was accepted; the caller closes it.

    Each attempt opens its own client and closes it on failure, so that no other stays open.

    Args:
        limit_s: The timeout of one attempt in seconds, None for only the client's own timeouts.
        on_retry: Called with the error, the number of the next attempt, and the wait in seconds.

    Raises:
        AuthenticationError: The key was refused. This is not retried.
        CallError: The last attempt failed.
    """

    async def attempt(number: int) -> C:
        client = open_client()
        scope = asyncio.timeout(limit_s)
        try:
            async with scope:
                await client.ping()
        except BaseException as error:  # also on cancellation
            await client.aclose()
            if isinstance(error, TimeoutError) and scope.expired():
                raise APITimeoutError(
                    f"{label} did not answer within {limit_s:g} s; increase sign_in_timeout_s",
                    outcome=Outcome.AMBIGUOUS,
                ) from error
            raise
        return client

    def report_retry(error: CallError, number: int, wait: float) -> None:
        log.info("Retrying %s authentication (attempt %d/%d)", label, number, policy.attempts)
        log.debug("after %.1f s, because of: %s", wait, error)
        if on_retry is not None:
            on_retry(error, number, wait)

    return await policy.call(attempt, sleep=sleep, on_retry=report_retry, idempotent=True)


class KeyProbe:
    """Checks a key over a connection that the opener closes."""

    def __init__(
        self, provider: Provider, key: Secret | None, transport: Transport, timeouts: Timeouts
    ) -> None:
        self._provider = provider
        self._key = key
        self._transport = transport
        self._timeouts = timeouts

    async def ping(self) -> None:
        """Raises CallError if the key is not accepted or the request fails."""
        request = self._provider.key_request(self._key)
        try:
            async with self._transport.send(request, self._timeouts) as response:
                if response.status != 200:
                    raise await refusal(self._provider, response, request.url)
                # LM Studio answers 200 for a path that it does not have.
                refuse_error(self._provider, await read_whole(response))
        except CallError as error:
            if isinstance(error, WrongAddressError):
                error.called = line_of(request)
            with_origin(error, provider=self._provider.name, model="", key=self._key)
            raise


async def status_of(
    provider: Provider,
    credential: Credential,
    open_client: Callable[[], C],
    *,
    policy: RetryPolicy,
    limit_s: float | None = None,
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    on_retry: Callable[[CallError, int, float], None] | None = None,
) -> tuple[AuthStatus, C | None]:
    """Returns the result of checking *provider*'s key, and the open client if it was accepted."""
    clock = asyncio.get_running_loop().time
    start = clock()
    attempts = 0

    def opener() -> C:
        nonlocal start, attempts
        start, attempts = clock(), attempts + 1
        return open_client()

    failure: LlmkitError | None = None
    client: C | None = None
    try:
        client = await sign_in(
            opener, provider.label, policy=policy, limit_s=limit_s, sleep=sleep, on_retry=on_retry
        )
    except (CallError, LocalModelError) as error:
        failure = error
    if failure is None:
        status = described(provider, credential, SignInState.READY)
    else:
        status = failed(provider, credential, failure)
    status = replace(
        status,
        latency_s=clock() - start,
        attempts=attempts,
        checked_at=datetime.now(UTC),
    )
    return status, client
