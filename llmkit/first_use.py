"""What is to be done with the default kit once somebody needs it; needs none itself.

So the notebook's extension can put its live view there without loading what a kit is made of.
"""

from __future__ import annotations

import gc
import importlib
from collections.abc import Callable
from types import ModuleType
from typing import Any

_callbacks: list[Callable[[Any], None]] = []


def when_made(callback: Callable[[Any], None]) -> Callable[[], None]:
    """Calls *callback* with the default kit when it is made; gives what takes that back."""
    _callbacks.append(callback)

    def forget() -> None:
        if callback in _callbacks:
            _callbacks.remove(callback)

    return forget


def made(kit: Any) -> None:
    """The default kit is *kit*."""
    for callback in tuple(_callbacks):
        callback(kit)


def imported(name: str) -> ModuleType:
    """The module called *name*, imported without the garbage collector looking at what it makes.

    Nearly all of that stays for ever, and looking at it time and again costs a tenth of a first
    answer.
    """
    collecting = gc.isenabled()
    gc.disable()
    try:
        return importlib.import_module(name)
    finally:
        if collecting:
            if not gc.get_freeze_count():  # what somebody has frozen stays so
                gc.freeze()
                gc.unfreeze()  # to the old objects, where a full collection finds them
            gc.enable()
