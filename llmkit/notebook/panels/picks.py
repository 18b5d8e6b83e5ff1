"""The models that a person has picked in one panel for another to compare."""

from __future__ import annotations

from collections.abc import Callable
from weakref import WeakKeyDictionary

from ...kit import Kit


class Picks:
    """Names in the order picked, none twice.

    Attributes:
        names: As they were picked; whoever compares them may change the list.
    """

    def __init__(self) -> None:
        self.names: list[str] = []
        self._watchers: list[Callable[[str], None]] = []

    def add(self, name: str) -> None:
        """Picks *name*, and tells whoever compares."""
        if name not in self.names:
            self.names.append(name)
        for callback in tuple(self._watchers):
            callback(name)

    def watch(self, callback: Callable[[str], None]) -> Callable[[], None]:
        """Calls *callback* with every name that is picked from now on; gives the way to stop."""
        self._watchers.append(callback)

        def stop() -> None:
            if callback in self._watchers:
                self._watchers.remove(callback)

        return stop


def picks_of(kit: Kit) -> Picks:
    """The picks that all panels of *kit* share."""
    return _picks.setdefault(kit, Picks())


_picks: WeakKeyDictionary[Kit, Picks] = WeakKeyDictionary()
