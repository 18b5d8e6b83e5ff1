"""The models that a person has picked in one panel for another to compare."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from ...telemetry.listeners import Listeners

if TYPE_CHECKING:
    from ...kit import Kit


class ModelSelection:
    """Names in the order picked, none twice.

    Attributes:
        names: As they were picked; whoever compares them may change the list.
    """

    def __init__(self) -> None:
        self.names: list[str] = []
        self._listeners: Listeners[str] = Listeners("the picked models")

    def add(self, name: str) -> None:
        """Picks *name*, and tells whoever compares."""
        if name not in self.names:
            self.names.append(name)
        self._listeners.tell(name)

    def watch(self, callback: Callable[[str], None]) -> Callable[[], None]:
        """Calls *callback* with every name that is picked from now on; gives the way to stop."""
        return self._listeners.add(callback)


def selection_of(kit: Kit) -> ModelSelection:
    """The selection that all panels of *kit* share."""
    return _selection.setdefault(kit, ModelSelection())


_selection: WeakKeyDictionary[Kit, ModelSelection] = WeakKeyDictionary()
