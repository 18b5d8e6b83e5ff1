"""Builds an error from a provider's error response: provider, reason and next step."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..errors import (
    AuthenticationError,
    BadResponseError,
    ContentFilterError,
    ContextLengthExceededError,
    InsufficientFundsError,
    InvalidRequestError,
    ModelNotFoundError,
    PermissionDeniedError,
    ProviderError,
    QuotaExhaustedError,
    RateLimitError,
    ServerError,
    error_class,
    shorten,
)
from ..secret import redact
from ..wire.messages import SNIPPET, HttpResponse, as_dict, parse_json, snippet
from .base import Provider

# The provider had received the whole request, so it may have charged for it.
POSSIBLY_BILLED = frozenset({500, 502, 504, 524})
CODE_LIMIT = 80
LONGEST_LOC = 20  # steps to a field

_REASON_FIELDS = ("error", "detail", "message", "msg", "error_description", "title")

# What happened, and the next step; `{key}` and `{name}` are those of the provider.
_SENTENCES: Mapping[type[ProviderError], tuple[str, str]] = {
    AuthenticationError: ("refused the key", "check {key}"),
    PermissionDeniedError: (
        "denied permission to the key", "request access, or use another model or key"
    ),
    InsufficientFundsError: ("requires payment", "add credit there, or use another provider"),
    QuotaExhaustedError: (
        "reports an exhausted quota", "raise it there, wait for its reset, or use another provider"
    ),
    ModelNotFoundError: ("has no such model", 'see llmkit.models(provider="{name}")'),
    RateLimitError: ("limits the request rate", "wait, or lower limit_per_provider"),
    ContextLengthExceededError: (
        "rejected the prompt as too long",
        "shorten it, lower max_tokens, or use a model with a larger context window",
    ),
    ContentFilterError: ("filtered the prompt", "change its wording"),
    InvalidRequestError: ("rejected the request", "correct the named part of it"),
    ServerError: ("failed", "try again later"),
    BadResponseError: ("sent an unexpected response", "check the base URL"),
}  # fmt: skip
_REDIRECT = ("answered with a redirect, which llmkit does not follow", "correct the base URL")


def refused(
    provider: Provider,
    status: int,
    words: str,
    *,
    kind: type[ProviderError] | None = None,
    code: str | None = None,
    request_id: str | None = None,
    then: str | None = None,
) -> ProviderError:
    """Returns the error for a response with *status*.

    Args:
        words: The provider's reason. It is shortened and redacted here.
        kind: The error's class, None to derive it from *status*.
        then: The next step, None for the usual one of that class.
    """
    kind = kind or error_class(status)
    if 300 <= status < 400:
        what, usual = _REDIRECT
    else:
        sentences = (_SENTENCES[c] for c in kind.__mro__ if c in _SENTENCES)
        what, usual = next(sentences, ("failed", "try again"))
    then = then or usual.format(key=" or ".join(provider.key_vars) or "the key", name=provider.name)
    reason = snippet(words)
    return kind(
        f"{provider.name} {what} ({status}): {reason.rstrip('.;')}; {then}",
        provider=provider.name,
        status=status,
        code=shorten(redact(code), CODE_LIMIT) if code else None,
        request_id=request_id,
        possibly_billed=provider.facts.paid
        and (status in POSSIBLY_BILLED or kind is BadResponseError),
    )


def words_of(response: HttpResponse) -> str:
    """Returns the reason in an error body, the whole text if its shape is unknown."""
    return words_in(response.json()) or response.text


def words_in(value: object, depth: int = 4) -> str:
    """Returns the reason in an error body of any known shape, "" if it has none."""
    if isinstance(value, str):
        return value
    if depth == 0:
        return ""
    if isinstance(value, list):
        return "; ".join(filter(None, (words_in(item, depth - 1) for item in value[:3])))
    document = as_dict(value)
    reason = next(
        filter(None, (words_in(document.get(key), depth - 1) for key in _REASON_FIELDS)), ""
    )
    # FastAPI: {"loc": ["body", "messages"], "msg": "Field required"}
    loc = document.get("loc")
    parts = loc[1:LONGEST_LOC] if isinstance(loc, list) else ()
    place = ".".join(str(part) for part in parts if isinstance(part, str | int))
    return f"{place}: {reason}" if place and reason else reason


def error_object(value: object) -> dict[str, Any]:
    """Returns the error object: inside "error", inside a list of one, or *value* itself."""
    body = _first(value)
    return as_dict(body.get("error")) or body


def holds_error(value: object) -> bool:
    """Returns True if a body or an event contains an error, also with HTTP status 200."""
    body = _first(value)
    return bool(body.get("error")) or body.get("type") == "error"


def unreadable(provider: Provider, payload: str | bytes) -> ProviderError:
    """Returns the error for a body or an event that has status 200 but an unexpected form."""
    text = payload.decode("utf-8", "replace") if isinstance(payload, bytes) else payload
    words = words_in(parse_json(text)) or text
    return refused(provider, 200, snippet(words, SNIPPET), kind=BadResponseError)


def code_of(error: Mapping[str, Any], *names: str) -> str | None:
    """Returns the code in the first of the fields *names* that has one."""
    values = (error.get(name) for name in names)
    return next((str(v) for v in values if isinstance(v, str | int) and v), None)


def _first(value: object) -> dict[str, Any]:
    # Google sends some errors in a list of one.
    return as_dict(value[0] if isinstance(value, list) and value else value)
