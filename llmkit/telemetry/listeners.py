"""Calls functions on an event; a failure of one does not affect the others."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Generic, TypeVar

from ..secret import without_locals

T = TypeVar("T")

log = logging.getLogger(__name__)


class Listeners(Generic[T]):
    """Functions of one value, called on the thread of the event; their errors are logged."""

    def __init__(self, what: str) -> None:
        self._what = what  # named in the log
        self.functions: tuple[Callable[[T], None], ...] = ()

    def add(self, function: Callable[[T], None]) -> Callable[[], None]:
        """Adds *function*; returns a function that removes it."""
        self.functions = (*self.functions, function)

        def stop() -> None:
            self.functions = tuple(one for one in self.functions if one is not function)

        return stop

    def tell(self, value: T) -> None:
        """Calls each function with *value*."""
        for function in self.functions:
            try:
                function(value)
            except Exception as error:
                log.exception("a listener to %s failed", self._what, exc_info=without_locals(error))
