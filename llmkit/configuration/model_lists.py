"""Reads providers' own lists of models, over sessions that end with the reading."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from typing import Any

from ..catalogue.provider_lists import ProviderModelList
from ..errors import ConfigError
from ..providers.base import Provider
from ..runtime.manager import EventLoopManager
from ..runtime.session import Session
from ..secret import Secret
from ..telemetry.requests import asked
from ..transport.base import Transport, timeouts_for
from ..transport.factory import TransportFactory
from ..transport.responses import read_whole, refusal
from ..types import Model
from .registry import Directory

log = logging.getLogger(__name__)

MOST_PAGES = 100  # a list that goes on for ever is none


class ModelLists:
    """The lists of one kit's providers."""

    def __init__(
        self,
        directory: Directory,
        manager: EventLoopManager,
        transports: TransportFactory,
        *,
        sdk: Callable[[Provider, Secret], Awaitable[tuple[Any, Session]]],
    ) -> None:
        self._directory = directory
        self._manager = manager
        self._transports = transports
        self._sdk = sdk

    async def refresh(self, name: str) -> ProviderModelList:
        """What *name* lists now; from here on names are resolved with it, in later processes too.

        Raises:
            CallError: The provider could not be asked.
            ConfigError: Its list needs a key, and there is none; or it has no list.
        """
        if name == "local":
            raise ConfigError('the embedded model has no list; see models(provider="local")')
        provider = self._directory.provider(name)
        knowledge = self._directory.knowledge
        models = await self.read(provider)
        found = ProviderModelList(provider.name, provider.base_url, self._directory.now(), models)
        try:
            knowledge.lists.write(found)
        except OSError as error:  # a read-only home must not cost what was read
            log.warning("the list of %s holds for this process only: %s", name, error)
        knowledge.take(found)
        return found

    async def read(self, provider: Provider) -> tuple[Model, ...]:
        """The models that *provider*'s own list names today."""
        directory, told = self._directory, self._manager.telemetry
        key: Secret | None = None
        if not provider.open_list or directory.credentials.find(provider).key is not None:
            key = directory.key_for(provider)
        brought = self._transports.brought(provider.name) is not None
        if provider.name == "mistral" and key is not None and not brought:
            client, record = await self._sdk(provider, key)
            with self._manager.registry.using(record), asked(told, provider, "models", record.id):
                return provider.parse_models(await client.list_models()).models
        async with self._transports.once(provider, key) as opened:
            with asked(told, provider, "models", opened.session_id):
                return await self._pages(provider, opened.transport, key)

    async def _pages(
        self, provider: Provider, transport: Transport, key: Secret | None
    ) -> tuple[Model, ...]:
        timeouts = timeouts_for(self._directory.settings)
        found: list[Model] = []
        page: str | None = None
        for _ in range(MOST_PAGES):
            request = provider.models_request(key, page=page)
            async with transport.send(request, timeouts) as response:
                if response.status != 200:
                    raise await refusal(provider, response)
                listed = provider.parse_models(await read_whole(response))
            found += listed.models
            page = listed.next_page
            if page is None:
                break
        return tuple(found)
