"""The elements of a JSON array, each as soon as its bytes have arrived."""

from __future__ import annotations

import re

from ..errors import BadResponseError
from .cutting import EVENT_LIMIT

# Inside a string only its end and an escape matter, outside only what opens or closes.
_TELLING = re.compile(rb'"(?:[^"\\]|\\.)*("?)|[\[\]{}]', re.DOTALL)
_OPEN = (b"[", b"{")


class JSONArrayDecoder:
    """Turns the bytes of one array of objects into its objects' text.

    Attributes:
        mark: None: `texts` never gives two objects in one text.
        replaced: True once bytes that are not UTF-8 became U+FFFD.
    """

    mark = None

    def __init__(self, limit: int = EVENT_LIMIT) -> None:
        self.replaced = False
        self._limit = limit
        self._pending = bytearray()
        self._depth = 0
        self._seen = 0
        self._start = 0

    def feed(self, data: bytes) -> list[str]:
        """The objects that *data* completes.

        Raises:
            BadResponseError: An object is larger than the limit.
        """
        self._pending += data
        found = []
        for match in _TELLING.finditer(bytes(self._pending), self._seen):
            mark = match[0]
            if mark.startswith(b'"') and not match[1]:  # the string goes on in the next read
                self._seen = match.start()
                break
            self._seen = match.end()
            if mark in _OPEN:
                self._open(match.start())
            elif not mark.startswith(b'"') and self._close():
                found.append(self._text(bytes(self._pending[self._start : match.end()])))
        self._forget()
        return found

    texts = feed

    def event(self, text: str) -> str:
        """The object that is written as *text*."""
        return text

    def end(self) -> list[str]:
        """Nothing: an object that is not closed is not whole."""
        self._pending.clear()
        return []

    def _open(self, at: int) -> None:
        self._depth += 1
        if self._depth == 2:  # the first is the array itself
            self._start = at

    def _close(self) -> bool:
        self._depth -= 1
        return self._depth == 1

    def _forget(self) -> None:
        done = self._start if self._depth > 1 else self._seen
        del self._pending[:done]
        self._seen -= done
        self._start = 0
        if len(self._pending) > self._limit:
            raise BadResponseError(
                f"the server sent an element of over {self._limit:,} bytes; nothing honest is "
                "that large, check the base URL",
                possibly_billed=True,
            )

    def _text(self, element: bytes) -> str:
        try:
            return element.decode()
        except UnicodeDecodeError:
            self.replaced = True
            return element.decode("utf-8", "replace")
