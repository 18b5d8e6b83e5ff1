"""The interface of each fake provider: its paths, the place of its key, its required headers."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

# By provider: a pattern of method and path below its base URL, and the kind of answer.
# As requested by the official SDKs (read 2026-11-22); any other path is not found.
ROUTES: Mapping[str, Mapping[str, str]] = {
    "openai": {r"POST /chat/completions": "chat", r"GET /models": "models"},
    "anthropic": {r"POST /v1/messages": "chat", r"GET /v1/models": "models"},
    "google": {
        r"POST /v1(beta)?/models/[^/:]+:generateContent": "chat",
        r"POST /v1(beta)?/models/[^/:]+:streamGenerateContent": "stream",
        r"GET /v1(beta)?/models": "models",
    },
    "mistral": {r"POST /v1/chat/completions": "chat", r"GET /v1/models": "models"},
    "openrouter": {
        r"POST /chat/completions": "chat", r"GET /models(/user)?": "models", r"GET /key": "key",
    },
    "ollama": {
        r"POST /api/chat": "chat", r"GET /api/tags": "models", r"GET /api/version": "version",
    },
}  # fmt: skip

# Where each provider reads the key. A local Ollama needs none.
KEY_PLACES: Mapping[str, tuple[str, ...]] = {
    "openai": ("authorization",),
    "anthropic": ("x-api-key", "authorization"),  # x-api-key wins if both are there
    "google": ("x-goog-api-key",),
    "mistral": ("authorization",),
    "openrouter": ("authorization",),
}

OPEN_LISTS = ("openrouter",)  # needs no key

NO_SAMPLING = "2026-10-21"  # the version of Anthropic's API that accepts none of these
SAMPLING = ("temperature", "top_p", "top_k")


def route_of(provider: str, method: str, path: str) -> str | None:
    """Returns what the path asks for, None if that provider has no such path."""
    asked = f"{method} {path}"
    return next((what for p, what in ROUTES[provider].items() if re.fullmatch(p, asked)), None)


def has_key(provider: str, headers: Mapping[str, str], key: str) -> bool:
    """Returns True if the place that this provider reads contains exactly *key*."""
    if provider not in KEY_PLACES:
        return True
    for name in KEY_PLACES[provider]:
        if name in headers:
            wanted = f"Bearer {key}" if name == "authorization" else key
            return headers[name] == wanted
    return False


def complaint(provider: str, headers: Mapping[str, str], body: Any) -> str | None:
    """Returns Anthropic's error for what its API version does not allow (read 2026-11-22)."""
    if provider != "anthropic":
        return None
    version = headers.get("anthropic-version")
    if version is None:
        return "anthropic-version: header is required"
    extra = [name for name in SAMPLING if name in (body or {})]
    if extra and version >= NO_SAMPLING:
        return f"{extra[0]}: Extra inputs are not permitted"
    return None
