"""What carries requests to a provider: a session of this kit, its official SDK, or a script."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from functools import cached_property, partial
from importlib import import_module
from typing import TYPE_CHECKING, Any

from ..configuration.registry import Directory
from ..providers.base import Provider
from ..runtime.manager import EventLoopManager
from ..runtime.session import Session
from ..settings import proxies_for
from .base import Carrier

if TYPE_CHECKING:
    from .scripted import ScriptedCarrier

# What carries requests, what marks its session as in use, and that session's id.
Carried = tuple[Carrier, AbstractContextManager[object], str | None]


class Carriers:
    """What carries the requests of one kit, made when it is first needed.

    Attributes:
        given: What somebody has brought to carry requests, by provider.
    """

    def __init__(
        self, directory: Directory, manager: EventLoopManager, given: Mapping[str, Carrier]
    ) -> None:
        self.given = given
        self._directory = directory
        self._manager = manager
        self._wire: Any = None

    @cached_property
    def scripts(self) -> ScriptedCarrier:
        """Who answers where no provider is asked."""
        from .cast import cast
        from .scripted import ScriptedCarrier

        return ScriptedCarrier(cast())

    async def wire(self) -> Any:
        """The module that keeps aiohttp."""
        if self._wire is None:
            # aiohttp takes a tenth of a second to import: not on a loop that others use. Not
            # taken from sys.modules, where it stands while another thread still imports it.
            name = f"{__package__}.aiohttp_transport"
            self._wire = await asyncio.to_thread(import_module, name)
        return self._wire

    async def to(self, provider: Provider) -> Carried:
        """What usually carries requests to *provider*."""
        given = self.given.get(provider.name)
        if given is None and provider.name == "scripted":
            given = self.scripts
        if given is not None:
            return given, nullcontext(), None
        wire = self._wire or await self.wire()
        session, record = await self.session(provider, persistent=True)
        told = self._manager.telemetry.connected
        connected = partial(told, provider.name, provider.base_url, record.id)
        carrier = wire.AiohttpCarrier(session, connected)
        return carrier, self._manager.registry.using(record), record.id

    async def session(self, provider: Provider, *, persistent: bool) -> tuple[Any, Session]:
        """An aiohttp session for *provider* on this loop, and its line in the session table."""
        wire = self._wire or await self.wire()
        get = self._manager.pool if persistent else self._manager.temporary
        return get(
            provider.name,
            provider.base_url,
            lambda: wire.open_session(
                trust_env=proxies_for(self._directory.settings, provider.base_url)
            ),
        )
