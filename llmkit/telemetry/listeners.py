"""Functions that are told of something."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")

log = logging.getLogger(__name__)


class Listeners(Generic[T]):
    """Functions of one value, called on the thread where it happened.

    One that raises is logged, and costs neither the others nor the caller anything.
    """

    def __init__(self, what: str) -> None:
        """Args:
        what: What they listen to, for the log.
        """
        self._what = what
        self._functions: tuple[Callable[[T], None], ...] = ()

    def __len__(self) -> int:
        return len(self._functions)

    def add(self, function: Callable[[T], None]) -> Callable[[], None]:
        """Calls *function* from now on; returns what stops that."""
        self._functions = (*self._functions, function)

        def stop() -> None:
            self._functions = tuple(one for one in self._functions if one is not function)

        return stop

    def tell(self, value: T) -> None:
        """Calls each with *value*."""
        for function in self._functions:
            try:
                function(value)
            except Exception:
                log.exception("a listener to %s failed", self._what)
