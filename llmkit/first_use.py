"""What is to be done with the default kit once somebody needs it; needs none itself.

So the notebook's extension can put its live view there without loading what a kit is made of.
"""

from __future__ import annotations

from collections.abc import Callable
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
