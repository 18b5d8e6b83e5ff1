"""Functions that are told of something."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")

log = logging.getLogger(__name__)


class Listeners(Generic[T]):
    """Functions of one value, called on the thread where it happened.

    If one raises, the error is logged; the others are called, and the caller goes on.

    Attributes:
        functions: Those that are called now.
    """

    def __init__(self, what: str) -> None:
        """Args:
        what: What they listen to, for the log.
        """
        self._what = what
        self.functions: tuple[Callable[[T], None], ...] = ()

    def add(self, function: Callable[[T], None]) -> Callable[[], None]:
        """Calls *function* from now on; returns what stops that."""
        self.functions = (*self.functions, function)

        def stop() -> None:
            self.functions = tuple(one for one in self.functions if one is not function)

        return stop

    def tell(self, value: T) -> None:
        """Calls each with *value*."""
        for function in self.functions:
            try:
                function(value)
            except Exception:
                log.exception("a listener to %s failed", self._what)
