"""All that one user of llmkit knows of models: shipped, listed by providers, said by the person."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from ..catalogue.entry import Catalogue
from ..catalogue.provider_lists import TTL, ProviderModelList, with_lists
from ..catalogue.user_rows import UserRows, with_user_rows
from ..errors import ConfigError
from ..providers.builtin import shipped
from .model_list_cache import ModelListCache

NOTHING = UserRows()
NEVER = datetime.max.replace(tzinfo=UTC)


class CatalogueSnapshot(NamedTuple):
    """What is known at one moment: of all models, and of these by the person's own rows."""

    now: datetime
    own: UserRows
    catalogue: Catalogue


class CatalogueStore:
    """The catalogue with everything laid over it, made again when one of its parts changes.

    Providers' own lists win over what is shipped, the person's rows over both. Reads files, and
    asks nobody.

    Attributes:
        lists: Where the lists are kept between processes.
        own_file: The file with the user's own rows, and whether it must be there.
    """

    def __init__(
        self,
        lists: ModelListCache,
        *,
        own_file: tuple[Path, bool],
        places: Callable[[Collection[str]], Iterable[tuple[str, str]]],
        providers: Callable[[], Collection[str]],
        vet: Callable[[Mapping[str, Mapping[str, str]]], None] = lambda providers: None,
    ) -> None:
        """Args:
        places: Name and base URL of each of these providers.
        providers: The names that there are without the person's rows.
        vet: Raises ConfigError for servers that the person's rows must not name.
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
        """What is known at that time.

        Raises:
            ConfigError: The person's rows cannot be read.
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
        """What was known when somebody last looked; reads no file."""
        return self._catalogue or shipped()

    def own(self) -> UserRows:
        """The person's rows, read again when their file has changed.

        Raises:
            ConfigError: There is no such file, or a row in it is wrong.
        """
        path, is_required = self.own_file
        # Few users have such a file, and every call looks: os.stat costs more if there is none.
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
        """Lays a fresh list over what is known, in the place of an earlier one."""
        self._fresh_lists[listing.provider, listing.base_url] = listing
        self.forget()

    def forget(self) -> None:
        """Makes the catalogue again when it is next needed."""
        self._catalogue = None

    def _read(self, path: Path) -> UserRows:
        try:
            text = path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigError(f"{path} cannot be read: {error}") from None
        from ..catalogue.user_file import user_rows  # only a person with a file pays for it

        rows = user_rows(text, str(path), self._providers())
        try:
            self._vet(rows.providers)
        except ConfigError as error:
            raise ConfigError(f"{path}: {error}") from None
        return rows
