"""Text that arrives in pieces, joined without halved characters; and excerpts of error bodies."""

from __future__ import annotations

import re
from collections.abc import Iterable

from ..errors import MESSAGE_LIMIT, shorten
from ..secret import redact

_TITLE = re.compile(r"<title[^>]*>(.*?)</title", re.IGNORECASE | re.DOTALL)
_PAGE = re.compile(r"\s*(<!doctype|<html|<\?xml|<head|<body|<h1|<center)", re.IGNORECASE)
_TAG = re.compile(r"<[^>]*>?")
_MARKUP = re.compile(
    r"</|<!|<(html|head|body|title|script|style|svg|img|a|b|i|p|br|hr|div|span|h\d|pre)\b",
    re.IGNORECASE,
)
_KEY = 2_000  # characters; no key is longer
_READ = 20_000  # characters of a body that are looked at


class TextPieces:
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
            text = fix_surrogates(text)
        if text:
            self._parts.append(text)
        return text

    @property
    def text(self) -> str:
        """All of it so far; a half that never found its other one is U+FFFD."""
        return "".join(self._parts) + (fix_surrogates(self._half) if self._half else "")


def fix_surrogates(text: str) -> str:
    """*text* with halves of a character joined, and lone ones replaced by U+FFFD."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return text


def snippet(text: str, limit: int = MESSAGE_LIMIT) -> str:
    """What *text* says, in at most *limit* characters; a web page is called one."""
    # Keys go before the text is cut, so that no first half of one is left; what is longer than
    # any key is cut before, because a body may have millions of characters.
    text = redact(text[: _READ + _KEY])[:_READ]
    if not text.strip():
        return "an empty body"
    if _PAGE.match(text):
        title = _TITLE.search(text)
        heading = shorten(_TAG.sub(" ", title[1]), limit - 20) if title else ""
        return f'a web page, "{heading}"' if heading else "a web page"
    return shorten(_TAG.sub(" ", text) if _MARKUP.search(text) else text, limit)
