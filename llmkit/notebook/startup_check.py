"""Checks all keys in the background of a notebook if the setting check_at_load is on."""

from __future__ import annotations

import logging
import os
import threading
from concurrent.futures import CancelledError

from ..errors import ConfigError
from ..settings import load_settings
from .lazy_api import api

log = logging.getLogger(__name__)


def check_at_startup(*, is_enabled: bool | None = None) -> None:
    """Starts the check in a daemon thread if it is enabled.

    Args:
        is_enabled: The setting of an existing kit; None reads the environment and the file.
    """
    if is_enabled is None:
        try:
            is_enabled = load_settings(os.environ, {}).check_at_load
        except ConfigError:  # reported by the first call that needs a setting
            is_enabled = False
    if is_enabled:
        # A daemon: a kernel that shuts down does not wait for a provider.
        threading.Thread(target=_check, name="llmkit-sign-in", daemon=True).start()


def _check() -> None:
    try:
        kit = api().current_kit()
        kit.manager.run(kit.check_all())
    except CancelledError:  # the kernel shuts down, or the extension was unloaded
        log.debug("the background check of the keys was cancelled")
    except Exception:  # no caller waits: the state of each key says what is known
        log.info("the background check of the keys failed", exc_info=True)
