"""Imports the public functions at their first use instead of at `%load_ext`."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from ..cell import InterruptGuard


@InterruptGuard()
def api() -> Any:
    """Returns the module of the public functions."""
    return import_module("..api", __package__)
