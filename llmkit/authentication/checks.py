"""Checks the keys of all providers, remembers the results, and notifies listeners."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from typing import Any

from ..configuration.credentials import Credential
from ..configuration.registry import ProviderRegistry
from ..errors import ConfigError, LocalModelError
from ..providers.base import Provider
from ..retries.policy import RetryPolicy
from ..runtime.manager import EventLoopManager
from ..runtime.session import Session
from ..secret import Secret
from ..telemetry.listeners import Listeners
from ..transport.factory import TransportFactory
from ..transport.timeouts import timeouts_for
from ..wire.base_urls import refuse_plain_http
from . import events
from .sign_in import KeyProbe, sign_in, status_of
from .status import AuthStatus, SignInState, described, unchecked, unsafe

SIGNED_IN = "signed in"  # replaces the base URL of the session that a sign-in leaves open


class KeyChecks:
    """The sign-in state of every provider of one kit, valid until its key changes."""

    def __init__(
        self, registry: ProviderRegistry, manager: EventLoopManager, transports: TransportFactory
    ) -> None:
        self._registry = registry
        self._manager = manager
        self._transports = transports
        self._results: dict[str, tuple[AuthStatus, Credential]] = {}
        self._sign_ins: dict[str, tuple[Secret | None, Session]] = {}
        self._listeners: Listeners[AuthStatus] = Listeners("the sign-in states")

    def statuses(self) -> tuple[AuthStatus, ...]:
        """Returns the status of each provider with a key to check, without a request."""
        return tuple(self.status(name) for name in self._names())

    def status(self, name: str) -> AuthStatus:
        """Returns the status of one provider, `not_checked` if its key changed since the check."""
        provider = self._registry.provider(name)
        credential = self._registry.credentials.find(provider)
        status, earlier = self._results.get(name, (None, None))
        known = earlier and (earlier.key, earlier.problem)
        if status is not None and known == (credential.key, credential.problem):
            return status
        self._results.pop(name, None)  # and the old key with it
        return unchecked(provider, credential)

    def watch(self, callback: Callable[[AuthStatus], None]) -> Callable[[], None]:
        """Calls *callback* at every change, on that thread; returns a function that stops it."""
        return self._listeners.add(callback)

    async def check(self, name: str) -> AuthStatus:
        """Checks the key of *name* without a paid request, and returns its status.

        A failure is a state, not an exception. Cancellation keeps the previous status.

        Raises:
            UnknownProviderError: *name* is unknown.
        """
        provider = self._registry.provider(name)
        credential = self._registry.credentials.find(provider, again=True)
        status = self.status(name)
        if status.state is SignInState.CHECKING:  # by a concurrent check
            status = unchecked(provider, credential)
        await self.close_outdated(provider, credential.key)
        self._tell(name, described(provider, credential, SignInState.CHECKING), credential)
        try:
            status = await self._asked(provider, credential)
        finally:
            self._tell(name, status, credential)
        return status

    async def check_all(self) -> tuple[AuthStatus, ...]:
        """Checks all providers concurrently."""
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(self.check(name)) for name in self._names()]
        return tuple(task.result() for task in tasks)

    async def close_outdated(self, provider: Provider, key: Secret | None) -> None:
        """Closes the client that signed in with another key."""
        session_key, session = self._sign_ins.get(provider.name, (None, None))
        if session is not None and session_key != key:
            await self._close(provider, session)

    async def sdk_client(self, provider: Provider, key: Secret | None) -> tuple[Any, Session]:
        """Returns the official SDK's client on this loop, that of the sign-in or a new one."""
        open_client = await self._transports.for_sdk(provider, key)
        client, session = self._manager.pool(provider.name, SIGNED_IN, open_client)
        if not client.serves(provider, key):
            await self._close(provider, session)
            client, session = self._manager.pool(provider.name, SIGNED_IN, open_client)
        _, earlier_session = self._sign_ins.get(provider.name, (None, None))
        if earlier_session is None or earlier_session.resource is None:
            self._sign_ins[provider.name] = (key, session)
        return client, session

    async def mistral_client(self) -> Any:
        """Returns the official SDK's client, signed in and owned by the running cell."""
        provider = self._registry.provider("mistral")
        key = self._registry.key_for(provider)
        assert key is not None  # mistral needs a key
        attempt = await sign_in(
            await self._sdk_attempts(provider, key),
            provider.label,
            policy=self._policy(),
            limit_s=self._registry.settings.sign_in_timeout_s,
            on_retry=partial(events.sign_in_retried, self._manager.telemetry, provider),
        )
        return attempt.client.sdk()

    def _names(self) -> list[str]:
        return [name for name in self._registry.provider_names() if name != "scripted"]

    async def _asked(self, provider: Provider, credential: Credential) -> AuthStatus:
        if provider.name == "scripted":
            return replace(described(provider, credential, SignInState.READY), checked_at=_now())
        if provider.name == "local":
            # Checking does not start the model.
            state, message = SignInState.READY, None
            try:
                self._transports.local_models.require("smollm2")
            except LocalModelError as error:
                state, message = SignInState.NOT_RUNNING, str(error)
            status = described(provider, credential, state, error=message)
            return replace(status, advice=message or "", base_url="", checked_at=_now())
        unchecked_status = unchecked(provider, credential)
        if unchecked_status.state is not SignInState.NOT_CHECKED:
            return unchecked_status
        try:
            refuse_plain_http(
                provider.base_url,
                has_key=credential.key is not None or bool(provider.headers),
                hosts=self._registry.settings.plain_http_hosts,
            )
        except ConfigError as error:
            return unsafe(provider, credential, str(error))
        return await self._signed(provider, credential)

    async def _signed(self, provider: Provider, credential: Credential) -> AuthStatus:
        status, client = await status_of(
            provider,
            credential,
            await self._attempts(provider, credential.key),
            policy=self._policy(),
            limit_s=self._registry.settings.sign_in_timeout_s,
            on_retry=partial(events.sign_in_retried, self._manager.telemetry, provider),
        )
        events.signed_in(self._manager.telemetry, status)
        await self._settle(provider, credential.key, client)
        return status

    def _policy(self) -> RetryPolicy:
        settings = self._registry.settings
        return RetryPolicy(attempts=settings.sign_in_attempts, delay=settings.sign_in_delay_s)

    async def _attempts(
        self, provider: Provider, key: Secret | None
    ) -> Callable[[], _SignInAttempt]:
        """Returns a function that opens a new client for each attempt."""
        if key is not None and self._transports.uses_sdk(provider):
            return await self._sdk_attempts(provider, key)
        open_transport = await self._transports.opener(provider, key)
        timeouts = timeouts_for(self._registry.settings)

        def open_attempt() -> _SignInAttempt:
            connection = open_transport()
            return _SignInAttempt(
                self._manager,
                KeyProbe(provider, key, connection.transport, timeouts),
                connection.session,
            )

        return open_attempt

    async def _sdk_attempts(self, provider: Provider, key: Secret) -> Callable[[], _SignInAttempt]:
        open_client = await self._transports.for_sdk(provider, key)

        def open_attempt() -> _SignInAttempt:
            client, session = self._manager.temporary(provider.name, provider.base_url, open_client)
            return _SignInAttempt(self._manager, client, session, lasting=True)

        return open_attempt

    async def _settle(
        self, provider: Provider, key: Secret | None, attempt: _SignInAttempt | None
    ) -> None:
        """Keeps the SDK's client of *attempt* instead of an earlier one; closes any other."""
        _, earlier = self._sign_ins.get(provider.name, (None, None))
        if earlier is not None:
            await self._close(provider, earlier)
        if attempt is None:
            return
        if attempt.session is None or not attempt.lasting:
            await attempt.aclose()
            return
        self._manager.registry.keep(attempt.session, SIGNED_IN)
        self._sign_ins[provider.name] = (key, attempt.session)

    async def _close(self, provider: Provider, session: Session) -> None:
        self._sign_ins.pop(provider.name, None)
        await self._manager.aclose(session.id)

    def _tell(self, name: str, status: AuthStatus, credential: Credential) -> None:
        self._results[name] = (status, credential)
        self._listeners.tell(status)


class _SignInAttempt:
    """A client of one attempt, listed in the session table while it is open."""

    def __init__(
        self,
        manager: EventLoopManager,
        client: Any,
        session: Session | None = None,
        *,
        lasting: bool = False,
    ) -> None:
        self._manager = manager
        self.client = client
        self.session = session
        self.lasting = lasting

    async def ping(self) -> None:
        """Checks the key, counted as a request of the session."""
        if self.session is None:
            await self.client.ping()
            return
        with self._manager.registry.using(self.session):
            await self.client.ping()

    async def aclose(self) -> None:
        """Closes the attempt's session."""
        if self.session is not None:
            await self._manager.aclose(self.session.id)


def _now() -> datetime:
    return datetime.now(UTC)
