"""A key that shows itself to nobody, and the means to take keys out of text."""

from __future__ import annotations

import threading
from typing import NoReturn

MASK = "***"
SHOWN = 4  # characters of a key that may be shown, and only of a key long enough to spare them
SHORTEST_REDACTED = 6  # a shorter "key" would tear holes into ordinary text

_live: set[str] = set()
_lock = threading.Lock()


class HeaderValue(str):
    """A header's text whose repr is masked.

    aiohttp sends a `str` subclass as it is, and only `repr` reaches tracebacks and logs.
    `__str__` must stay: overriding it makes aiohttp send the mask (measured, aiohttp 3.14.5).
    """

    __slots__ = ()

    def __repr__(self) -> str:
        return repr(MASK)


class Secret:
    """A key, readable only through `reveal()`.

    Lives as long as whoever holds it; its value is taken out of every message that passes
    `redact` for as long as the process lives, because a provider may echo an old key too.
    """

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = HeaderValue(value)
        with _lock:
            _live.add(str(value))

    def reveal(self) -> str:
        """The key itself, for a header; its repr is masked."""
        return self._value

    @property
    def tail(self) -> str:
        """At most the last four characters, for a person to tell two keys apart."""
        return self._value[-SHOWN:] if len(self._value) >= 4 * SHOWN else ""

    def __repr__(self) -> str:
        return f"Secret({MASK})"

    __str__ = __repr__

    def __format__(self, spec: str) -> str:
        return repr(self)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and str(self._value) == str(other._value)

    def __hash__(self) -> int:
        return hash(str(self._value))

    def __bool__(self) -> bool:
        return bool(self._value)

    def __reduce__(self) -> NoReturn:
        raise TypeError("a Secret is not pickled or copied: pass the object itself")


def bearer(key: Secret) -> HeaderValue:
    """The value of an Authorization header."""
    return HeaderValue("Bearer " + key.reveal())


def redact(text: str) -> str:
    """*text* without any key that this process has held."""
    with _lock:
        known = sorted(_live, key=len, reverse=True)
    for value in known:
        if len(value) >= SHORTEST_REDACTED and value in text:
            text = text.replace(value, MASK)
    return text
