"""Holds the settings, keys, providers and model catalogue of one user."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime
from functools import lru_cache, partial
from pathlib import Path
from typing import Any, NamedTuple

from ..catalogue.entry import Catalogue, normal
from ..catalogue.lookup import names_beginning
from ..catalogue.names import qualified_name, unknown_provider
from ..catalogue.provider_lists import TTL, ProviderModelList, with_lists
from ..catalogue.resolution import Resolution
from ..catalogue.resolve import resolve
from ..catalogue.user_rows import UserRows, with_user_rows
from ..errors import ConfigError, MissingApiKeyError
from ..providers.base import Provider
from ..providers.builtin import PROVIDERS, compatible, provider_table, shipped
from ..secret import Secret
from ..settings import PREFIX, URL_SUFFIX, Settings, config_path, load_settings
from ..types import How
from ..wire.base_urls import refuse_plain_http
from .credentials import Credentials, Environment
from .key_stores import stores
from .model_list_cache import ModelListCache, usual_folder
from .own_headers import own_headers
from .servers import check_servers

NOTHING = UserRows()
NEVER = datetime.max.replace(tzinfo=UTC)


class CatalogueSnapshot(NamedTuple):
    """The catalogue at one moment, and the user's own rows in it."""

    now: datetime
    own: UserRows
    catalogue: Catalogue


class CatalogueStore:
    """The catalogue with model lists and the user's rows, rebuilt when one of them changes.

    Providers' lists override the shipped rows, and the user's rows override both. Reads files and
    sends no requests.

    Attributes:
        lists: The cache of model lists on disk.
        own_file: The file with the user's own rows, and True if it must exist.
    """

    def __init__(
        self,
        lists: ModelListCache,
        *,
        own_file: tuple[Path, bool],
        places: Callable[[Collection[str]], Iterable[tuple[str, str]]],
        providers: Callable[[], Collection[str]],
        vet: Callable[[Mapping[str, Mapping[str, Any]]], None] = lambda providers: None,
    ) -> None:
        """Args:
        places: Returns name and base URL of each given provider.
        providers: Returns the provider names without those of the user's rows.
        vet: Raises ConfigError for servers that the user's rows must not name.
        """
        self.lists = lists
        self.own_file = own_file
        self._places = places
        self._providers = providers
        self._vet = vet
        self._own: tuple[object, UserRows] = (None, NOTHING)
        self._fresh_lists: dict[tuple[str, str], ProviderModelList] = {}
        self._catalogue: Catalogue | None = None
        self._catalogue_rows: UserRows | None = None
        self._expiry = NEVER

    def snapshot(self, now: datetime) -> CatalogueSnapshot:
        """Returns the catalogue at the time *now*.

        Raises:
            ConfigError: The user's rows cannot be read.
        """
        own = self.own()
        if self._catalogue is None or own is not self._catalogue_rows or now >= self._expiry:
            names = {provider for provider, _ in self._fresh_lists} | self.lists.providers()
            places = self._places(names)
            candidates = [
                self._fresh_lists.get(place) or self.lists.read(*place) for place in places
            ]
            lists = [one for one in candidates if one is not None]
            ends = [one.read_at + TTL for one in lists if one.fresh(now)]
            self._expiry = min(ends, default=NEVER)
            catalogue = with_lists(shipped(), lists, now)
            self._catalogue = catalogue if own is NOTHING else with_user_rows(catalogue, own)
            self._catalogue_rows = own
        return CatalogueSnapshot(now, own, self._catalogue)

    @property
    def latest(self) -> Catalogue:
        """The catalogue of the last snapshot; reads no file."""
        return self._catalogue or shipped()

    def own(self) -> UserRows:
        """Returns the user's rows, read again if their file has changed.

        Raises:
            ConfigError: A required file is missing, or a row is invalid.
        """
        path, is_required = self.own_file
        # Few users have this file, and every call checks: os.stat is slower without a file.
        if is_required or os.access(path, os.F_OK):
            try:
                stat = os.stat(path)
            except OSError as error:
                if is_required:
                    raise ConfigError(f"catalogue_file {path} cannot be read: {error}") from None
            else:
                version = (path, stat.st_mtime_ns, stat.st_size)
                if version != self._own[0]:
                    self._own = (version, self._read(path))
                return self._own[1]
        self._own = (None, NOTHING)
        return NOTHING

    def take(self, listing: ProviderModelList) -> None:
        """Replaces the list of a provider by a fresh one."""
        self._fresh_lists[listing.provider, listing.base_url] = listing
        self.forget()

    def forget(self) -> None:
        """Discards the catalogue; the next snapshot rebuilds it."""
        self._catalogue = None

    def _read(self, path: Path) -> UserRows:
        try:
            text = path.read_text(encoding="utf-8-sig")
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigError(f"{path} cannot be read: {error}") from None
        from ..catalogue.user_file import user_rows  # not imported without a file

        rows = user_rows(text, str(path), self._providers())
        try:
            self._vet(rows.providers)
        except ConfigError as error:
            raise ConfigError(f"{path}: {error}") from None
        return rows


class ProviderRegistry:
    """Settings, keys and providers of one user of llmkit.

    Attributes:
        settings: The current settings; `configure` replaces them.
        credentials: The keys of all providers.
        store: The catalogue of models, with the user's own rows.
        now: Returns the current time in UTC.
        open_ended: Providers whose models the catalogue cannot know.
    """

    def __init__(
        self,
        environ: Mapping[str, str],
        changes: Mapping[str, object],
        keys: Mapping[str, str] | None = None,
        clock: Callable[[], datetime] | None = None,
    ) -> None:
        self.now = clock or partial(datetime.now, UTC)
        self._is_at_home = environ is os.environ
        self._environ = environ = Environment(environ)
        self._changes = dict(changes)
        self.settings: Settings = _load_settings(environ, self._changes)
        self.open_ended: tuple[str, ...] = ()
        self.store = CatalogueStore(
            ModelListCache(self._cache_folder),
            own_file=_own_file(self.settings, environ),
            places=self._places,
            providers=lambda: (*PROVIDERS, *self.settings.providers),
            vet=lambda servers: check_servers(servers, self.settings.plain_http_hosts),
        )
        self._use(self.settings, self._changes)
        self.credentials = Credentials(
            environ,
            keys,
            stores=lambda: stores(keyring=self.settings.keyring),
            known=self.provider_names,
            plain_http_hosts=lambda: self.settings.plain_http_hosts,
        )

    def configure(self, **changes: object) -> Settings:
        """Applies *changes* and returns the settings; one invalid change rejects them all."""
        before = self.settings, self._changes, self.store.own_file
        all_changes = {**self._changes, **changes}
        settings = _load_settings(self._environ, all_changes)
        try:  # the new file may have the provider of a new header
            self.settings, self.store.own_file = settings, _own_file(settings, self._environ)
            self._use(settings, all_changes)
        except BaseException:
            self.settings, self._changes, self.store.own_file = before
            raise
        self.store.forget()
        return self.settings

    def _use(self, settings: Settings, changes: dict[str, object]) -> None:
        """Sets the settings; checks the user's headers, whose values *changes* no longer show."""
        if settings.headers:
            providers = (*PROVIDERS, *settings.providers, *self.store.own().providers)
            settings = replace(settings, headers=own_headers(settings.headers, providers))
            if "headers" in changes:
                changes = {**changes, "headers": settings.headers}
        self.settings, self._changes = settings, changes

    def with_server(
        self, name: str, base_url: str, key_var: str | None, *, priced: bool
    ) -> Mapping[str, Mapping[str, Any]]:
        """Returns the setting `providers` with one more server; see `llmkit.add_provider`."""
        entry: dict[str, object] = {"base_url": base_url, "priced": priced}
        if key_var:
            entry["key_var"] = key_var
        return {**self.settings.providers, name: entry}

    def provider(self, name: str, snapshot: CatalogueSnapshot | None = None) -> Provider:
        """Returns the provider called *name*, with its configured base URL.

        Args:
            snapshot: The snapshot of the same call, None to check the user's file.

        Raises:
            UnknownProviderError: *name* is unknown; the message lists the known ones.
        """
        custom = self._custom(snapshot.own if snapshot else None).get(name)
        headers = tuple(self.settings.headers.get(name, {}).items())
        if custom is not None:
            key_vars = (custom["key_var"],) if custom.get("key_var") else ()
            priced = custom.get("priced", True)
            return _compatible(name, custom["base_url"], key_vars, priced, headers)
        kind = PROVIDERS.get(name)
        if kind is None:
            raise unknown_provider(provider_table(), name, self.provider_names())
        return _built_in(kind, self._base_url(kind), headers)

    def _base_url(self, kind: type[Provider]) -> str | None:
        """Returns the configured base URL of a built-in provider, None if none is set.

        Order: configure(base_urls=...), LLMKIT_<PROVIDER>_BASE_URL, `base_urls` in the file, the
        provider's usual variables.
        """
        own_variable = f"{PREFIX}{kind.name.upper()}{URL_SUFFIX}"
        url, environ = self.settings.base_urls.get(kind.name), self._environ
        if url and ("base_urls" in self._changes or not environ.get(own_variable, "").strip()):
            return url
        for variable in (own_variable, *kind.base_url_vars):
            if environ.get(variable, "").strip():
                return environ[variable].strip()
        return None

    def provider_names(self) -> tuple[str, ...]:
        """Returns the names of all providers, the built-in ones first."""
        return (*PROVIDERS, *self._custom())

    def snapshot(self) -> CatalogueSnapshot:
        """Returns the current catalogue; one snapshot serves a whole call."""
        return self.store.snapshot(self.now())

    @property
    def catalogue(self) -> Catalogue:
        """The current catalogue of models."""
        return self.snapshot().catalogue

    def resolve(
        self,
        name: str,
        provider: str | None = None,
        *,
        verbatim: bool = False,
        on: date | None = None,
        snapshot: CatalogueSnapshot | None = None,
    ) -> Resolution:
        """Resolves *name* today or on another day, see `llmkit.resolve` and `provider`."""
        now, own, catalogue = snapshot = snapshot or self.snapshot()
        lookup = partial(
            _resolved, on=on or now.date(), catalogue=catalogue,
            providers=(*self._custom(own), *self.open_ended),
        )  # fmt: skip
        place = own.names.get(normal(name)) if own.names else None
        if place is not None and provider in (None, place[0]):
            resolution = lookup(qualified_name(place), None, verbatim=False)
            return replace(resolution, asked=name, how=How.ALIAS)
        resolution = lookup(name, provider, verbatim=verbatim)
        if resolution.by_maker and resolution.alternatives and provider is None:
            return self._with_direct_keys(resolution, snapshot)
        return resolution

    def _with_direct_keys(self, resolution: Resolution, snapshot: CatalogueSnapshot) -> Resolution:
        """Adds a warning if the person has a key for the maker that the name states."""
        for name in resolution.alternatives:
            direct = self.provider(name.partition(":")[0], snapshot)
            if not direct.needs_key or self.credentials.has(direct):
                warning = (
                    f"{resolution.asked} is OpenRouter's name, so OpenRouter answers; for "
                    f"{direct.label} itself ask for {name}"
                )
                return replace(resolution, warnings=(warning,))
        return resolution

    def model_names(self, prefix: str) -> list[str]:
        """Returns the model names that begin with *prefix*; see `catalogue.lookup`."""
        return names_beginning(
            prefix, self.catalogue, on=self.now().date(),
            providers=self.provider_names(), own=self.store.own().names,
        )  # fmt: skip

    def _custom(self, own: UserRows | None = None) -> Mapping[str, Mapping[str, Any]]:
        """Returns the user's own servers by name; settings override the catalogue file."""
        providers = (own or self.store.own()).providers
        return {**providers, **self.settings.providers} if providers else self.settings.providers

    def _places(self, names: Collection[str]) -> Iterator[tuple[str, str]]:
        for name in self.provider_names():
            if name in names:
                yield name, self.provider(name).base_url

    def _cache_folder(self) -> Path | None:
        if self.settings.cache_dir is not None:
            return Path(os.path.expanduser(self.settings.cache_dir))
        # A caller with another environment does not mean the home folder of this process.
        return usual_folder() if self._is_at_home else None

    def key_for(self, provider: Provider, asked: str | None = None) -> Secret | None:
        """Returns the key to send; refuses to send one over a network in clear text.

        Raises:
            MissingApiKeyError: No key is set; for the model name *asked*, the message says how to
                ask for it at a provider that has a key.
            ConfigError: The key or the base URL cannot be used.
        """
        try:
            key = self.credentials.require(provider)
        except MissingApiKeyError as error:
            if asked is None:
                raise
            from .counterparts import with_counterparts  # few calls lack a key

            now, _, catalogue = self.snapshot()
            raise with_counterparts(
                error, asked, catalogue,
                today=now.date(), resolve=self.resolve, has_key=self.has_key,
            ) from None  # fmt: skip
        has_secret = key is not None or bool(provider.headers)
        hosts = self.settings.plain_http_hosts
        refuse_plain_http(provider.base_url, has_key=has_secret, hosts=hosts)
        return key

    def has_key(self, name: str) -> bool:
        """Returns True if the provider called *name* has its key, or needs none."""
        try:
            self.key_for(self.provider(name))
        except ConfigError:
            return False
        return True


def _load_settings(environ: Mapping[str, str], changes: Mapping[str, object]) -> Settings:
    settings = load_settings(environ, changes)
    try:
        check_servers(settings.providers, settings.plain_http_hosts)
    except ConfigError as error:
        source = "configure()" if "providers" in changes else config_path(environ)
        raise ConfigError(f"{source}: {error}") from None
    return settings


def _own_file(settings: Settings, environ: Mapping[str, str]) -> tuple[Path, bool]:
    """Returns the path of the user's own rows, and True if the file must exist."""
    if settings.catalogue_file is not None:
        return Path(os.path.expanduser(settings.catalogue_file)), True
    return config_path(environ).with_name("catalogue.toml"), False


# The same names are resolved often, and results depend on the arguments only.
_resolved = lru_cache(maxsize=1024)(resolve)
_compatible = lru_cache(maxsize=64)(compatible)


@lru_cache(maxsize=64)
def _built_in(
    kind: type[Provider], url: str | None, headers: tuple[tuple[str, Secret], ...]
) -> Provider:
    provider = kind(url)
    provider.headers = dict(headers)
    return provider
