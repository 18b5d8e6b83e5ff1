"""Providers' own lists of models on disk, one file each, shared by all processes of a person.

Keeper of platformdirs.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import uuid
from collections.abc import Callable
from pathlib import Path

from ..catalogue.provider_lists import ProviderModelList, document, list_from
from ..secret import redact
from ..wire.messages import write_json

log = logging.getLogger(__name__)


def usual_folder() -> Path:
    """Where the operating system wants what can be fetched again."""
    import platformdirs

    return Path(platformdirs.user_cache_dir("llmkit", appauthor=False))


class ModelListCache:
    """The lists in one folder, which is made when the first is written."""

    def __init__(self, folder: Callable[[], Path | None]) -> None:
        """Args:
        folder: Asked when it is needed; None where nothing may be kept on disk.
        """
        self._folder = folder

    def providers(self) -> set[str]:
        """Those of whom any list is kept, wherever it was read."""
        folder = self._folder()
        try:
            files = os.listdir(folder / "models") if folder is not None else []
        except OSError:  # nothing was ever kept
            files = []
        return {file.rpartition("-")[0] for file in files if file.endswith(".json")}

    def read(self, provider: str, base_url: str) -> ProviderModelList | None:
        """The list of that place, None where there is none that can be read."""
        path = self._path(provider, base_url)
        if path is None:
            return None
        try:
            listing = list_from(json.loads(path.read_bytes()))
        except FileNotFoundError:
            return None
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            log.warning("%s cannot be read (%s); refresh(%r) writes it anew", path, error, provider)
            return None
        return listing if (listing.provider, listing.base_url) == (provider, base_url) else None

    def write(self, listing: ProviderModelList) -> None:
        """Keeps *listing* in the place of an earlier one; whoever reads sees the one or the other.

        Raises:
            OSError: It cannot be written.
        """
        path = self._path(listing.provider, listing.base_url)
        if path is None:
            return
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        text = redact(write_json(document(listing)).decode())
        # Names of fine-tuned models say what a person works on: nobody else may read them.
        new = path.with_suffix(f".{uuid.uuid4().hex[:8]}.new")
        descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with open(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
        new.replace(path)

    def _path(self, provider: str, base_url: str) -> Path | None:
        folder = self._folder()
        if folder is None:
            return None
        place = hashlib.sha256(base_url.encode()).hexdigest()[:8]
        return folder / "models" / f"{provider}-{place}.json"
