"""Reads providers' own lists of models, over sessions that are closed afterwards."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from typing import Any

from ..catalogue.entry import Model
from ..catalogue.provider_lists import ProviderModelList
from ..errors import CallError, ConfigError, WrongAddressError
from ..providers.addresses import line_of
from ..providers.base import Provider, with_origin
from ..providers.redaction import without_keys
from ..runtime.manager import EventLoopManager
from ..runtime.session import Session
from ..secret import Secret, escape_controls
from ..telemetry.requests import record_request
from ..transport.base import Transport
from ..transport.factory import TransportFactory
from ..transport.responses import read_whole, refusal
from ..transport.timeouts import timeouts_for
from ..wire.base_urls import refuse_plain_http
from .registry import ProviderRegistry

log = logging.getLogger(__name__)

MOST_PAGES = 100  # ends a list whose pages never end
MOST_MODELS = 10_000  # twenty times the longest known list, which is OpenRouter's
MOST_ALIASES = 100  # of one model
LONGEST_NAME = 500  # characters; names of fine-tuned models and of files are the longest


class ModelLists:
    """The lists of one kit's providers."""

    def __init__(
        self,
        registry: ProviderRegistry,
        manager: EventLoopManager,
        transports: TransportFactory,
        *,
        sdk: Callable[[Provider, Secret], Awaitable[tuple[Any, Session]]],
    ) -> None:
        self._registry = registry
        self._manager = manager
        self._transports = transports
        self._sdk = sdk

    async def refresh(self, name: str) -> ProviderModelList:
        """Reads the list of *name* and resolves names with it, also in later processes.

        Raises:
            CallError: The request failed.
            ConfigError: The key is missing, or the provider has no list.
        """
        if name == "local":
            raise ConfigError('the embedded model has no list; see models(provider="local")')
        provider = self._registry.provider(name)
        store = self._registry.store
        models = await self.read(provider)
        listing = ProviderModelList(provider.name, provider.base_url, self._registry.now(), models)
        try:
            store.lists.write(listing)
        except OSError as error:  # such as a read-only home
            log.warning("the list of %s is kept for this process only: %s", name, error)
        store.take(listing)
        return listing

    async def read(self, provider: Provider) -> tuple[Model, ...]:
        """Returns the models in *provider*'s own list."""
        registry, telemetry = self._registry, self._manager.telemetry
        key: Secret | None = None
        if not provider.open_list or registry.credentials.find(provider).key is not None:
            key = registry.key_for(provider)
        else:
            hosts = registry.settings.plain_http_hosts
            refuse_plain_http(provider.base_url, has_key=bool(provider.headers), hosts=hosts)
        try:
            if key is not None and self._transports.uses_sdk(provider):
                client, record = await self._sdk(provider, key)
                with (
                    self._manager.registry.using(record),
                    record_request(telemetry, provider, "models", record.id),
                ):
                    models = provider.parse_models(await client.list_models()).models
                return _usable(provider, models)
            async with self._transports.temporary(provider, key) as connection:
                session_id = connection.session.id if connection.session else None
                with record_request(telemetry, provider, "models", session_id):
                    return await self._pages(provider, connection.transport, key)
        except CallError as error:
            with_origin(error, provider=provider.name, model="", key=key)
            raise

    async def _pages(
        self, provider: Provider, transport: Transport, key: Secret | None
    ) -> tuple[Model, ...]:
        timeouts = timeouts_for(self._registry.settings)
        models: list[Model] = []
        page: str | None = None
        for _ in range(MOST_PAGES):
            request = provider.models_request(key, page=page)
            try:
                async with transport.send(request, timeouts) as response:
                    if response.status != 200:
                        raise await refusal(provider, response, request.url)
                    answer = provider.parse_models(await read_whole(response))
            except WrongAddressError as error:
                error.called = line_of(request)
                raise
            models += answer.models
            page = answer.next_page
            if page is None or len(models) >= MOST_MODELS:
                break
        return _usable(provider, models)


def _usable(provider: Provider, models: Sequence[Model]) -> tuple[Model, ...]:
    """Returns *models* with keys masked, without names that hide text or are too long."""
    usable = [
        replace(
            model,
            successor=model.successor if _is_name(model.successor or "") else None,
            aliases=tuple(filter(_is_name, model.aliases))[:MOST_ALIASES],
        )
        for model in map(without_keys, models[:MOST_MODELS])
        if _is_name(model.id)
    ]
    if len(usable) < len(models):
        log.warning(
            "%d of %d models in the list of %s were left out: their names contain invisible "
            "characters or more than %d characters, or the list is too long",
            len(models) - len(usable), len(models), provider.name, LONGEST_NAME,
        )  # fmt: skip
    return tuple(usable)


def _is_name(text: str) -> bool:
    return len(text) <= LONGEST_NAME and text.isprintable() and escape_controls(text) == text
