"""Opens the transport of a request: an aiohttp session, an official SDK, or a script."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from functools import cached_property, partial
from importlib import import_module
from typing import TYPE_CHECKING, Any

from ..cell import ready_soon
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
    """Opens the transports of one kit; imports their packages at first use.

    A transport in *given*, by provider name, replaces llmkit's own.
    """

    def __init__(
        self,
        manager: EventLoopManager,
        settings: Callable[[], Settings],
        given: Mapping[str, Transport],
        *,
        notify: Callable[[str], None] | None = None,
    ) -> None:
        self._given = given
        self._manager = manager
        self._settings = settings
        self._notify = notify
        self._aiohttp: Any = None

    @cached_property
    def scripts(self) -> ScriptedTransport:
        """The transport of the provider `scripted`."""
        from .scripted import ScriptedTransport, builtin_scripts

        return ScriptedTransport(builtin_scripts())

    @cached_property
    def local_models(self) -> LocalModels:
        """The embedded models, each started at its first request."""
        from .local_model import LocalModels

        return LocalModels(weights=self._settings().local_weights, notify=self._notify)

    def brought(self, name: str) -> Transport | None:
        """Returns the caller's or the scripted transport for provider *name*, else None."""
        transport = self._given.get(name)
        return self.scripts if transport is None and name == "scripted" else transport

    def uses_sdk(self, provider: Provider) -> bool:
        """Returns True if sign-in and model lists use the provider's official SDK."""
        is_plain = not provider.query  # which the SDK would leave out
        return provider.name == "mistral" and is_plain and self.brought("mistral") is None

    async def open(
        self, provider: Provider, model: str, key: Secret | None, *, import_s: float | None = None
    ) -> Opened:
        """Returns the transport for *model*; its session stays open for the next request.

        Raises:
            APITimeoutError: The import of aiohttp did not end within *import_s* seconds.
            LocalModelError: The embedded model is not installed or failed to start.
        """
        if provider.name == "local":
            endpoint = await self.local_models.endpoint(model)
            provider, key = type(provider)(endpoint.base_url), endpoint.key
        transport = self.brought(provider.name)
        if transport is not None:
            return Opened(provider, key, transport)
        if self._aiohttp is None:
            await self._load(import_s)
        return self._over_http(provider, key, self._manager.pool)

    async def opener(self, provider: Provider, key: Secret | None) -> Callable[[], Opened]:
        """Returns a function that opens a temporary session; its caller closes the session."""
        transport = self.brought(provider.name)
        if transport is not None:
            return lambda: Opened(provider, key, transport)
        await self._load()
        return lambda: self._over_http(provider, key, self._manager.temporary)

    @asynccontextmanager
    async def temporary(self, provider: Provider, key: Secret | None) -> AsyncIterator[Opened]:
        """Opens a transport with a temporary session, closed on exit."""
        connection = (await self.opener(provider, key))()
        try:
            with connection.use:
                yield connection
        finally:
            if connection.session is not None:
                await self._manager.aclose(connection.session.id)

    async def for_sdk(self, provider: Provider, key: Secret | None) -> Callable[[], Any]:
        """Returns a function that opens a client of Mistral's SDK; its caller closes the client."""
        # Importing the SDK takes over half a second, so it must not block the loop.
        await ready_soon("mistralai", _ready_sdk)
        module = _ready_sdk()
        settings = self._settings()
        return partial(
            module.MistralClient,
            key,
            base_url=provider.base_url,
            headers=provider.headers,
            timeouts=timeouts_for(settings),
            trust_env=proxies_for(settings, provider.base_url),
        )

    async def http_session(self, provider: Provider, *, persistent: bool) -> tuple[Any, Session]:
        """Returns an aiohttp session for *provider* on this loop, and its session record."""
        await self._load()
        get = self._manager.pool if persistent else self._manager.temporary
        url = provider.base_url
        return get(provider.name, url, partial(self._open_session, url))

    def close(self) -> None:
        """Stops the embedded models; may be called twice."""
        if "local_models" in vars(self):
            self.local_models.close()

    def _over_http(self, provider: Provider, key: Secret | None, get: Any) -> Opened:
        url = provider.base_url
        http, session = get(provider.name, url, partial(self._open_session, url))
        listener = partial(self._manager.telemetry.connected, provider.name, url, session.id)
        transport = self._aiohttp.AiohttpTransport(http, listener, provider.headers)
        return Opened(provider, key, transport, session, self._manager.registry.using(session))

    def _open_session(self, base_url: str) -> Any:
        return self._aiohttp.open_session(trust_env=proxies_for(self._settings(), base_url))

    async def _load(self, limit_s: float | None = None) -> None:
        if self._aiohttp is None:
            # Importing aiohttp takes 0.1 s, so it must not block the loop. sys.modules may hold
            # a module that another thread is still importing.
            load = partial(import_module, f"{__package__}.aiohttp_transport")
            await ready_soon("aiohttp", load, limit_s=limit_s)
            self._aiohttp = load()


def _ready_sdk() -> Any:
    module = import_module(f"{__package__}.mistral_sdk")
    module.warm()
    return module
