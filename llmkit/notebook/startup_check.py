"""Checks all keys in the background of a notebook, where that is wished."""

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
    """Begins the check on a thread of its own, if it is wished.

    Args:
        is_enabled: What a kit that exists already says; None asks the environment and the file.
    """
    if is_enabled is None:
        try:
            is_enabled = load_settings(os.environ, {}).check_at_load
        except ConfigError:  # the first thing that needs a setting says what is wrong with it
            is_enabled = False
    if is_enabled:
        # A daemon: a kernel that is asked to end does not wait for a provider.
        threading.Thread(target=_check, name="llmkit-sign-in", daemon=True).start()


def _check() -> None:
    try:
        kit = api().current_kit()
        kit.manager.run(kit.check_all())
    except CancelledError:  # the kernel ends, or the extension was unloaded
        log.debug("checking the keys in the background was stopped")
    except Exception:  # nobody waits for it: the state of each key says what is known
        log.info("checking the keys in the background did not finish", exc_info=True)
