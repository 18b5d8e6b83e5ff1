"""The words of a foreign body, fit for a sentence of ours: one line, no markup, no key."""

from __future__ import annotations

import re

from ..errors import MESSAGE_LIMIT, brief
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


def snippet(text: str, limit: int = MESSAGE_LIMIT) -> str:
    """What *text* says, in at most *limit* characters; a web page is called one."""
    # Keys go before the text is cut, so that no first half of one is left; what is longer than
    # any key is cut before, because a body may have millions of characters.
    text = redact(text[: _READ + _KEY])[:_READ]
    if not text.strip():
        return "an empty body"
    if _PAGE.match(text):
        title = _TITLE.search(text)
        named = brief(_TAG.sub(" ", title[1]), limit - 20) if title else ""
        return f'a web page, "{named}"' if named else "a web page"
    return brief(_TAG.sub(" ", text) if _MARKUP.search(text) else text, limit)
