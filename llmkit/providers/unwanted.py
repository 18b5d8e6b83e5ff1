"""Recognises what of llmkit's own a server refuses, so that the request can do without it.

The phrases are those of https://github.com/charmbracelet/crush/issues/422,
https://github.com/github/gh-models/issues/31, https://github.com/stulzq/azure-openai-proxy/issues/63,
https://github.com/CherryHQ/cherry-studio/issues/9214 and of FastAPI, Go, Jackson and Pydantic (all
read 2026-11-30).
"""

from __future__ import annotations

import re
from typing import Literal

# A refusal of the request itself; nothing was computed.
STATUSES = frozenset({400, 403, 404, 405, 406, 415, 422, 501})

_NO = (
    r"(?:n[o']t (?:be )?(?:yet )?(?:\w+ )?"
    r"(?:support|allow|permit|available|enabled|implement|valid)"
    r"|unsupported|unimplemented|disabled|unavailable|unknown|unrecogni[sz]ed|unexpected|forbidden|invalid|extra"
    r"|(?:must|should|has to) be (?:verified|false|off|disabled|set to false)|cannot|can't)"
)
_STREAM = r"(?<!non-)(?<!non )\bstream(?:ing|ed|s)?\b(?!-)"
_OPTIONS = re.compile(r"\bstream[ _]?options\b|\binclude_usage\b", re.IGNORECASE)
_STREAMING = re.compile(
    rf"{_STREAM}[^.;]{{0,80}}?{_NO}|{_NO}[^.;]{{0,80}}?{_STREAM}"
    rf"|{_STREAM}\W{{1,9}}(?:to )?\W{{0,9}}false"
    r"|non-streaming only|only (?:supports? )?non-streaming",
    re.IGNORECASE,
)
_HEADERS = re.compile(
    rf"x-openrouter-title|anthropic[- _]version|{_NO} (?:\w+ )?(?:header|version\b)", re.IGNORECASE
)


def unwanted_in(status: int, words: str) -> Literal["stream", "stream_options", "headers"] | None:
    """Returns the part of a request that an error with *status* and the reason *words* refuses."""
    if status not in STATUSES:
        return None
    if _OPTIONS.search(words):
        return "stream_options"
    if _STREAMING.search(words):
        return "stream"
    return "headers" if _HEADERS.search(words) else None
