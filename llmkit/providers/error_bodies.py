"""What a provider's refusal becomes: one error that says who, what and the next step."""

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

# The request was taken in whole before these came, so work may have been done and charged.
POSSIBLY_BILLED = frozenset({500, 502, 504, 524})
CODE_LIMIT = 80

_SPEAKING = ("error", "detail", "message", "msg", "error_description", "title")

# What happened, and what to do next; `{key}` and `{name}` are the provider's.
_SENTENCES: Mapping[type[ProviderError], tuple[str, str]] = {
    AuthenticationError: ("refused the key", "check {key}"),
    PermissionDeniedError: (
        "does not allow this to the key",
        "ask for access, or use another model or key",
    ),
    InsufficientFundsError: ("wants payment first", "add credit there, or use another provider"),
    QuotaExhaustedError: (
        "says that the quota is used up",
        "raise it there, wait for its reset, or use another provider",
    ),
    ModelNotFoundError: ("has no such model", 'see llmkit.models(provider="{name}")'),
    RateLimitError: ("wants fewer requests", "wait, or lower limit_per_provider"),
    ContextLengthExceededError: (
        "finds the prompt too long",
        "shorten it, ask for fewer tokens, or use a model with a larger window",
    ),
    ContentFilterError: ("filtered the prompt", "change its wording"),
    InvalidRequestError: ("does not accept the request", "correct what it names"),
    ServerError: ("failed", "try again later"),
    BadResponseError: (
        "answered with something that its API does not promise",
        "check that the base URL is right",
    ),
}
_REDIRECT = ("answered with a redirect, which is not followed", "correct the base URL")


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
    """The error for a refusal with *status*; without *kind* the status alone decides its class.

    *words* are the provider's own and are shortened, and freed of keys, here. *then* is the next
    step, where the usual one for that class is not the best.
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
    """The reason that an error body gives, whatever its shape."""
    return words_in(response.json()) or response.text


def words_in(value: object, depth: int = 4) -> str:
    """The reason in JSON of any of the shapes that error bodies have; "" where there is none."""
    if isinstance(value, str):
        return value
    if depth == 0:
        return ""
    if isinstance(value, list):
        return "; ".join(filter(None, (words_in(item, depth - 1) for item in value[:3])))
    document = as_dict(value)
    reason = next(filter(None, (words_in(document.get(key), depth - 1) for key in _SPEAKING)), "")
    # FastAPI: {"loc": ["body", "messages"], "msg": "Field required"}
    loc = document.get("loc")
    place = ".".join(map(str, loc[1:])) if isinstance(loc, list) else ""
    return f"{place}: {reason}" if place and reason else reason


def error_object(value: object) -> dict[str, Any]:
    """The object that tells about an error: inside "error", inside a list of one, or bare."""
    body = _first(value)
    return as_dict(body.get("error")) or body


def holds_error(value: object) -> bool:
    """True where a body or an event says "error", whatever the HTTP status said."""
    body = _first(value)
    return bool(body.get("error")) or body.get("type") == "error"


def unreadable(provider: Provider, payload: str | bytes) -> ProviderError:
    """The error for a body or an event with 200 that is not what the API promises."""
    text = payload.decode("utf-8", "replace") if isinstance(payload, bytes) else payload
    words = words_in(parse_json(text)) or text
    return refused(provider, 200, snippet(words, SNIPPET), kind=BadResponseError)


def code_of(error: Mapping[str, Any], *names: str) -> str | None:
    """The first of *names* under which *error* carries a code."""
    values = (error.get(name) for name in names)
    return next((str(v) for v in values if isinstance(v, str | int) and v), None)


def _first(value: object) -> dict[str, Any]:
    # Google sends some errors as a list of one.
    return as_dict(value[0] if isinstance(value, list) and value else value)
