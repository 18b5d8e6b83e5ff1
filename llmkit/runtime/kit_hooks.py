"""Calls registered functions when the default kit is made.

The notebook's extension registers its live view here without importing the modules of a kit.
"""

from __future__ import annotations

from typing import Any

from ..telemetry.listeners import Listeners

_listeners: Listeners[Any] = Listeners("the creation of the default kit")

when_made = _listeners.add  # calls a function with the default kit when it is made
made = _listeners.tell  # the default kit is made
