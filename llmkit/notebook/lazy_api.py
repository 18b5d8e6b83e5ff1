"""The public functions, imported at the first word that needs them and not at `%load_ext`."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from ..cell import InterruptGuard


@InterruptGuard()
def api() -> Any:
    """The module of the public functions."""
    return import_module("..api", __package__)
