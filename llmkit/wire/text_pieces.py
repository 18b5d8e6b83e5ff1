"""Text that arrives in pieces, joined so that no character stays halved."""

from __future__ import annotations

from collections.abc import Iterable


class Pieces:
    """One text as it grows.

    Servers that count in UTF-16 may cut an emoji in two and send each half as a JSON escape of
    its own; the first half is kept back until the second comes.
    """

    def __init__(self) -> None:
        self._parts: list[str] = []
        self._half = ""

    def add(self, pieces: Iterable[str]) -> str:
        """What *pieces* add to the text; called once per network read, not per piece."""
        text = self._half + "".join(pieces)
        self._half = ""
        if not text.isascii():
            if "\ud800" <= text[-1] <= "\udbff":
                text, self._half = text[:-1], text[-1]
            text = mended(text)
        if text:
            self._parts.append(text)
        return text

    @property
    def text(self) -> str:
        """All of it so far; a half that never found its other one is U+FFFD."""
        return "".join(self._parts) + (mended(self._half) if self._half else "")


def mended(text: str) -> str:
    """*text* with halves of a character joined, and lone ones replaced by U+FFFD."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return text
