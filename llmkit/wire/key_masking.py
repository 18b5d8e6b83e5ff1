"""Takes keys out of a text that comes in pieces, also a key that they cut in two."""

from __future__ import annotations

from ..secret import MASK, long_keys


class TextRedactor:
    """One text as it comes; whole keys of this process become `***`. Serves once.

    The text is held back only where it ends in the beginning of a key, see `long_keys`: an answer
    that waits whenever it ends in "s" would not be a stream.
    """

    def __init__(self) -> None:
        self._keys = long_keys()
        self._carried = max((len(head) - 1 for _, head in self._keys), default=0)
        self._window = ""  # what the next piece may complete to a key
        self._told = 0  # how much of it has been given already
        self._seen = 0  # characters
        self._clean = True

    def feed(self, text: str) -> str:
        """What *text* adds, without keys; "" where all of it may become one."""
        self._seen += len(text)
        if not self._keys:
            return text
        self._window = window = self._window + text
        for _, head in self._keys:
            if head in window:
                self._clean = False
                return self._searched()
        return self._give(len(window), max(len(window) - self._carried, 0))

    def passed(self, text: str) -> bool:
        """True where *text* is all that was fed, and no key that is held now even begins in it."""
        return self._clean and self._seen == len(text) and self._keys is long_keys()

    def end(self) -> str:
        """What was held back, as a mask: it is the larger part of a key that was cut."""
        has_rest = len(self._window) > self._told
        self._window, self._told = "", 0
        return MASK if has_rest else ""

    def _give(self, until: int, rest_start: int) -> str:
        """The window up to *until* as far as it is new; from *rest_start* on it is carried on."""
        new = self._window[self._told : until]
        self._window = self._window[rest_start:]
        self._told = max(self._told, until) - rest_start
        return new

    def _searched(self) -> str:
        """The window, with its whole keys masked, up to what may be the beginning of one."""
        text = ""
        while True:
            matches = ((self._window.find(key), len(key)) for key, _ in self._keys)
            start, size = min(((at, size) for at, size in matches if at >= 0), default=(0, 0))
            if not size:
                break
            text += self._give(start, start) + MASK
            self._window, self._told = self._window[size:], 0
        window = self._window
        until, rest_start = len(window), max(len(window) - self._carried, 0)
        for key, head in self._keys:
            start = window.rfind(head)
            if start >= 0 and key.startswith(window[start:]):
                until = rest_start = min(start, until)
        return text + self._give(until, rest_start)


def redact_whole(text: str) -> str:
    """*text*, which is whole, without the keys of this process."""
    if not any(head in text for _, head in long_keys()):
        return text
    redactor = TextRedactor()
    return redactor.feed(text) + redactor.end()
