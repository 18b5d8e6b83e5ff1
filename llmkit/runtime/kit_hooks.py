"""What is to be done with the default kit once somebody needs it; needs none itself.

So the notebook's extension can put its live view there without loading what a kit is made of.
"""

from __future__ import annotations

from typing import Any

from ..telemetry.listeners import Listeners

_listeners: Listeners[Any] = Listeners("the making of the default kit")

when_made = _listeners.add  # calls a function with the default kit when it is made
made = _listeners.tell  # the default kit is made
