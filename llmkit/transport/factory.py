"""Opens what carries a request: a session of this kit, the official SDK, or a script."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from functools import cached_property, partial
from importlib import import_module
from typing import TYPE_CHECKING, Any

from ..providers.base import Provider
from ..runtime.manager import EventLoopManager
from ..runtime.session import Session
from ..secret import Secret
from ..settings import Settings, proxies_for
from .base import Opened, Transport
from .timeouts import timeouts_for

if TYPE_CHECKING:
    from .local_model import LocalModels
    from .scripted import ScriptedTransport


class TransportFactory:
    """Opens the transports of one kit, and loads what they need when it is first needed.

    Transports that the caller has *given*, by provider, are used instead of ours.
    """

    def __init__(
        self,
        manager: EventLoopManager,
        settings: Callable[[], Settings],
        given: Mapping[str, Transport],
        *,
        notify: Callable[[str], None] = print,
    ) -> None:
        self._given = given
        self._manager = manager
        self._settings = settings
        self._notify = notify
        self._aiohttp: Any = None

    @cached_property
    def scripts(self) -> ScriptedTransport:
        """What answers for the provider `scripted`."""
        from .scripted import ScriptedTransport, builtin_scripts

        return ScriptedTransport(builtin_scripts())

    @cached_property
    def local_models(self) -> LocalModels:
        """The embedded models; none is started before the first question."""
        from .local_model import LocalModels

        return LocalModels(weights=self._settings().local_weights, notify=self._notify)

    def brought(self, name: str) -> Transport | None:
        """What carries requests to the provider *name* without a session of ours."""
        transport = self._given.get(name)
        return self.scripts if transport is None and name == "scripted" else transport

    def uses_sdk(self, provider: Provider) -> bool:
        """True if signing in and lists of models go through the provider's official SDK."""
        return provider.name == "mistral" and self.brought("mistral") is None

    async def open(self, provider: Provider, model: str, key: Secret | None) -> Opened:
        """What a request to *model* is sent over; its session stays open for the next one.

        Raises:
            LocalModelError: The embedded model is not installed, or does not start.
        """
        if provider.name == "local":
            endpoint = await self.local_models.endpoint(model)
            provider, key = type(provider)(endpoint.base_url), endpoint.key
        transport = self.brought(provider.name)
        if transport is not None:
            return Opened(provider, key, transport)
        if self._aiohttp is None:
            await self._load()
        return self._over_http(provider, key, self._manager.pool)

    async def opener(self, provider: Provider, key: Secret | None) -> Callable[[], Opened]:
        """A function that opens a session of its own at each call; the caller closes it."""
        transport = self.brought(provider.name)
        if transport is not None:
            return lambda: Opened(provider, key, transport)
        await self._load()
        return lambda: self._over_http(provider, key, self._manager.temporary)

    @asynccontextmanager
    async def temporary(self, provider: Provider, key: Secret | None) -> AsyncIterator[Opened]:
        """What a few requests are sent over; its session is closed at the end."""
        connection = (await self.opener(provider, key))()
        try:
            with connection.use:
                yield connection
        finally:
            if connection.session is not None:
                await self._manager.aclose(connection.session.id)

    async def for_sdk(self, provider: Provider, key: Secret | None) -> Callable[[], Any]:
        """A function that opens a client of Mistral's SDK at each call; the caller closes it."""
        # It takes more than half a second to get ready: not on a loop that others use.
        module = await asyncio.to_thread(_ready_sdk)
        settings = self._settings()
        return partial(
            module.MistralClient,
            key,
            base_url=provider.base_url,
            timeouts=timeouts_for(settings),
            trust_env=proxies_for(settings, provider.base_url),
        )

    async def http_session(self, provider: Provider, *, persistent: bool) -> tuple[Any, Session]:
        """An aiohttp session for *provider* on this loop, and its line in the session table."""
        await self._load()
        get = self._manager.pool if persistent else self._manager.temporary
        url = provider.base_url
        return get(provider.name, url, partial(self._open_session, url))

    def close(self) -> None:
        """Ends the embedded models; twice is harmless."""
        if "local_models" in vars(self):
            self.local_models.close()

    def _over_http(self, provider: Provider, key: Secret | None, get: Any) -> Opened:
        url = provider.base_url
        http, session = get(provider.name, url, partial(self._open_session, url))
        listener = partial(self._manager.telemetry.connected, provider.name, url, session.id)
        transport = self._aiohttp.AiohttpTransport(http, listener)
        return Opened(provider, key, transport, session, self._manager.registry.using(session))

    def _open_session(self, base_url: str) -> Any:
        return self._aiohttp.open_session(trust_env=proxies_for(self._settings(), base_url))

    async def _load(self) -> None:
        if self._aiohttp is None:
            # aiohttp takes a tenth of a second to import: not on a loop that others use. Not
            # taken from sys.modules, where it stands while another thread still imports it.
            name = f"{__package__}.aiohttp_transport"
            self._aiohttp = await asyncio.to_thread(import_module, name)


def _ready_sdk() -> Any:
    module = import_module(f"{__package__}.mistral_sdk")
    module.warm()
    return module
