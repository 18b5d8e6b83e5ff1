"""Caches providers' lists of models on disk, one file each, for all processes of the user.

Keeper of platformdirs.
"""

from __future__ import annotations

import hashlib
import logging
import os
from collections.abc import Callable
from pathlib import Path

from ..catalogue.provider_lists import ProviderModelList, document, list_from
from ..cell import ready
from ..secret import redact
from ..wire.messages import write_json
from ..wire.typed_values import parse_file
from .files import make_private_folder, replace_file

log = logging.getLogger(__name__)


def usual_folder() -> Path:
    """Returns the operating system's cache folder for llmkit."""
    ready("platformdirs")
    import platformdirs

    return Path(platformdirs.user_cache_dir("llmkit", appauthor=False))


class ModelListCache:
    """The lists in one folder, which is created with the first list."""

    def __init__(self, folder: Callable[[], Path | None]) -> None:
        """Uses the result of *folder*, called at each use; None keeps nothing on disk."""
        self._folder = folder

    def providers(self) -> set[str]:
        """Returns the providers with a cached list, of any base URL."""
        folder = self._folder()
        try:
            files = os.listdir(folder / "models") if folder is not None else []
        except OSError:  # no list was written yet
            files = []
        return {file.rpartition("-")[0] for file in files if file.endswith(".json")}

    def read(self, provider: str, base_url: str) -> ProviderModelList | None:
        """Returns the list of that server, None without a readable one."""
        path = self._path(provider, base_url)
        if path is None:
            return None
        try:
            listing = list_from(parse_file(path.read_bytes()))
        except FileNotFoundError:
            return None
        except (OSError, ValueError) as error:
            log.warning("%s cannot be read (%s); refresh(%r) replaces it", path, error, provider)
            return None
        return listing if (listing.provider, listing.base_url) == (provider, base_url) else None

    def write(self, listing: ProviderModelList) -> None:
        """Replaces the cached list by *listing* in one step; raises OSError if it cannot."""
        path = self._path(listing.provider, listing.base_url)
        if path is None:
            return
        for folder in (path.parent.parent, path.parent):
            make_private_folder(folder, ours=path.parent.parent == usual_folder())
        text = redact(write_json(document(listing)).decode())
        # Names of fine-tuned models are private.
        replace_file(path, text.encode(), private=True)

    def _path(self, provider: str, base_url: str) -> Path | None:
        folder = self._folder()
        if folder is None:
            return None
        place = hashlib.sha256(base_url.encode()).hexdigest()[:8]
        return folder / "models" / f"{provider}-{place}.json"
