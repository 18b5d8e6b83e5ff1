"""What an error body, or an error inside an answer, means in the chat-completions dialect."""

from __future__ import annotations

import re
from collections.abc import Mapping
from itertools import chain
from typing import Any

from ..errors import (
    ContentFilterError,
    ContextLengthExceededError,
    ModelNotFoundError,
    Outcome,
    ProviderError,
    QuotaExhaustedError,
    ServerError,
    error_class,
)
from ..wire.messages import HttpResponse, as_dict, as_str
from .base import Provider
from .error_bodies import code_of, error_object, refused, words_in, words_of

# Codes and types that say more than the status. Sources: OpenAI's error guide; Mistral's numbers
# as its API answers; OpenRouter's `metadata.error_type`; llama.cpp's server (all read 2026-11-22).
BY_CODE: Mapping[str, type[ProviderError]] = {
    "context_length_exceeded": ContextLengthExceededError,
    "exceed_context_size_error": ContextLengthExceededError,  # llama.cpp
    "3051": ContextLengthExceededError,  # Mistral
    "model_not_found": ModelNotFoundError,
    "unknown_model": ModelNotFoundError,
    "invalid_model": ModelNotFoundError,  # Mistral, with 400
    "1500": ModelNotFoundError,  # Mistral, with 400
    "content_filter": ContentFilterError,
    "content_policy_violation": ContentFilterError,
    "moderation_blocked": ContentFilterError,
    "flagged_input": ContentFilterError,  # OpenRouter, with 403
    "insufficient_quota": QuotaExhaustedError,
    "billing_hard_limit_reached": QuotaExhaustedError,
}
# Servers that give no code are known by these words only (vLLM, Mistral, llama.cpp, OpenRouter).
BY_WORDS: Mapping[str, type[ProviderError]] = {
    "maximum context length": ContextLengthExceededError,
    "exceeds the available context size": ContextLengthExceededError,
    "too large for model with": ContextLengthExceededError,
    "is not a valid model id": ModelNotFoundError,
    "requires moderation": ContentFilterError,
    "key limit exceeded": QuotaExhaustedError,  # OpenRouter: the key's own budget, with 403
}
# A status that has several meanings, and which of them a code or a word may pick.
NARROWER: Mapping[int, tuple[type[ProviderError], ...]] = {
    400: (ContextLengthExceededError, ModelNotFoundError, ContentFilterError, QuotaExhaustedError),
    403: (ContentFilterError, QuotaExhaustedError),
    413: (ContextLengthExceededError,),
    422: (ContextLengthExceededError, ModelNotFoundError, ContentFilterError),
    429: (QuotaExhaustedError,),
}
# An error inside a stream has no status of its own; a field or its type stands for one.
STATUS_FIELDS = ("raw_status_code", "code", "status", "status_code")
_STATUS = re.compile(r"[45][0-9][0-9]")
STATUS_OF_TYPE: Mapping[str, int] = {
    "server_error": 500,
    "internal_server_error": 500,
    "InternalServerError": 500,
    "overloaded_error": 503,
    "unavailable_error": 503,
    "rate_limit_exceeded": 429,
    "rate_limit_error": 429,
    "rate_limited": 429,
    "requests": 429,
    "tokens": 429,
    "insufficient_quota": 429,
    "invalid_request_error": 400,
    "BadRequestError": 400,
    "authentication_error": 401,
    "permission_error": 403,
    "not_found_error": 404,
}


def error_of(
    provider: Provider, response: HttpResponse, *, request_id: str | None = None
) -> ProviderError:
    """The error that a *response* other than 200 means."""
    body = response.json()
    error = error_object(body)
    words = _words(error) or words_of(response)
    codes = _codes(error)
    nameless = response.status == 404 and not codes and "model" not in words.lower()
    return refused(
        provider,
        response.status,
        words,
        kind=_kind(response.status, codes, words),
        code=_telling(codes, response.status),
        request_id=request_id,
        then="check the model id, and the base URL too" if nameless else None,
    )


def error_inside(
    provider: Provider, body: object, *, request_id: str | None = None
) -> ProviderError | None:
    """The error that a body or an event with 200 holds, None where it holds none."""
    document = as_dict(body)
    if not (document.get("error") or document.get("object") == "error"):
        return None
    error = error_object(document)
    words = _words(error) or words_in(document)
    codes = _codes(error)
    texts = (str(error.get(field)) for field in STATUS_FIELDS)
    numbers = (int(number) for number in texts if _STATUS.fullmatch(number))
    type_statuses = (STATUS_OF_TYPE[code] for code in codes if code in STATUS_OF_TYPE)
    code_statuses = (400 for code in codes if code in BY_CODE)
    status = next(chain(numbers, type_statuses, code_statuses), None)
    refusal = refused(
        provider,
        status or 200,
        words,
        kind=_kind(status, codes, words) if status else ServerError,
        code=_telling(codes, status),
        request_id=request_id,
    )
    if status is None:
        # Nobody can say that this request was not answered: it is not sent a second time.
        refusal.outcome, refusal.possibly_billed = Outcome.FINAL, provider.facts.paid
    return refusal


def broken_off(provider: Provider) -> ProviderError:
    """The error for an answer whose finish reason is "error"."""
    return refused(provider, 500, 'the answer ended with the finish reason "error"', code="error")


def _kind(status: int, codes: tuple[str, ...], words: str) -> type[ProviderError]:
    allowed_kinds = NARROWER.get(status, ())
    by_code = (BY_CODE.get(code) for code in codes)
    by_words = (kind for phrase, kind in BY_WORDS.items() if phrase in words.lower())
    kinds = (kind for kind in (*by_code, *by_words) if kind in allowed_kinds)
    return next(kinds, None) or error_class(status)


def _codes(error: Mapping[str, Any]) -> tuple[str, ...]:
    metadata = as_dict(error.get("metadata"))
    flag = "flagged_input" if "flagged_input" in metadata else None
    codes = (
        code_of(error, "code"),
        code_of(error, "type"),
        code_of(metadata, "error_type"),
        flag,
    )
    return tuple(code for code in codes if code)


def _words(error: Mapping[str, Any]) -> str:
    # OpenRouter's own message is "Provider returned error"; the reason is the upstream's.
    metadata = as_dict(error.get("metadata"))
    raw = as_str(metadata.get("raw"))
    message = words_in(error)
    if not raw:
        return message
    return f"{message} ({as_str(metadata.get('provider_name')) or 'upstream'}: {raw})"


def _telling(codes: tuple[str, ...], status: int | None) -> str | None:
    """The first code that does not merely repeat the status."""
    return next((code for code in codes if code != str(status)), None)
