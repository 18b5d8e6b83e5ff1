"""Shares what the user picked and typed between panels of one kit."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from ...telemetry.listeners import Listeners

if TYPE_CHECKING:
    from ...kit import Kit
    from .compare_form import CompareForm


class ModelSelection:
    """The picked models, and the form of the compare panel.

    Attributes:
        names: Names without duplicates, in the order of picking; the compare panel may edit it.
        form: What was typed last into a compare panel; one that is opened again begins with it.
    """

    def __init__(self) -> None:
        self.names: list[str] = []
        self.form: CompareForm | None = None
        self._listeners: Listeners[str] = Listeners("the picked models")

    def add(self, name: str) -> None:
        """Picks *name*, and notifies the listeners."""
        if name not in self.names:
            self.names.append(name)
        self._listeners.tell(name)

    def watch(self, callback: Callable[[str], None]) -> Callable[[], None]:
        """Calls *callback* with each name picked later, and returns the function that stops it."""
        return self._listeners.add(callback)


def selection_of(kit: Kit) -> ModelSelection:
    """Returns the selection that all panels of *kit* share."""
    return _selection.setdefault(kit, ModelSelection())


_selection: WeakKeyDictionary[Kit, ModelSelection] = WeakKeyDictionary()
