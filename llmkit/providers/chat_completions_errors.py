"""Reads error bodies, and errors inside answers, of the chat-completions dialect."""

from __future__ import annotations

from collections.abc import Mapping
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
from ..wire.messages import HttpResponse, as_dict, as_str, as_strings
from .base import Provider
from .error_bodies import (
    code_of,
    error_object,
    holds_error,
    refused,
    status_inside,
    words_in,
    words_of,
)

# Codes and types that are more specific than the status. Sources: OpenAI's error guide, answers of
# Mistral's API, OpenRouter's `metadata.error_type`, llama.cpp's server (all read 2026-11-22).
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
    "DataInspectionFailed": ContentFilterError,  # Qwen
    "1026": ContentFilterError,  # MiniMax
    "insufficient_quota": QuotaExhaustedError,
    "billing_hard_limit_reached": QuotaExhaustedError,
}
# Phrases of OpenRouter, and of a LiteLLM proxy with 400, which send no code with them:
# https://github.com/BerriAI/litellm/issues/9663 (read 2026-11-30).
BY_WORDS: Mapping[str, type[ProviderError]] = {
    "is not a valid model id": ModelNotFoundError,
    "invalid model name passed in": ModelNotFoundError,
    "requires moderation": ContentFilterError,
    "key limit exceeded": QuotaExhaustedError,  # OpenRouter: the key's own budget, with 403
}
# The classes that a code or a phrase may choose for a status with several meanings.
NARROWER: Mapping[int, tuple[type[ProviderError], ...]] = {
    400: (ContextLengthExceededError, ModelNotFoundError, ContentFilterError, QuotaExhaustedError),
    403: (ContentFilterError, QuotaExhaustedError),
    422: (ContextLengthExceededError, ModelNotFoundError, ContentFilterError),
    429: (QuotaExhaustedError,),
}
# An error inside a stream has no HTTP status; its type replaces it.
_LIMITS = ("rate_limit_exceeded", "rate_limit_error", "rate_limited", "requests", "tokens")
STATUS_OF_TYPE: Mapping[str, int] = {
    **dict.fromkeys(("server_error", "internal_server_error", "InternalServerError"), 500),
    **dict.fromkeys(("overloaded_error", "unavailable_error"), 503),
    **dict.fromkeys((*_LIMITS, "insufficient_quota"), 429),
    **dict.fromkeys(("invalid_request_error", "BadRequestError"), 400),
    "authentication_error": 401, "permission_error": 403, "not_found_error": 404,
    # MiniMax: https://platform.minimax.io/docs/api-reference/errorcode (read 2026-11-30)
    "1002": 429, "1039": 429, "1004": 401, "2049": 401, "1008": 402, "1013": 500, "2013": 400,
    # Qwen: https://www.alibabacloud.com/help/en/model-studio/error-code (read 2026-11-30)
    "InvalidParameter": 400, "InvalidApiKey": 401, "Throttling": 429, "Throttling.RateQuota": 429,
    "Arrearage": 402, "InternalError": 500,
}  # fmt: skip


def error_of(
    provider: Provider, response: HttpResponse, *, request_id: str | None = None
) -> ProviderError:
    """Returns the error for a *response* with a status other than 200."""
    body = response.json()
    error = error_object(body)
    words = _words(error) or words_of(response)
    codes = _codes(error)
    kind, code = _kind(response.status, codes, words), _telling(codes, response.status)
    return refused(
        provider, response.status, words, kind=kind, code=code, request_id=request_id,
        model=response.model,
    )  # fmt: skip


def error_inside(
    provider: Provider, body: object, *, request_id: str | None = None
) -> ProviderError | None:
    """Returns the error inside a body or an event with status 200, None if there is none."""
    if not holds_error(body):
        return None
    return told_inside(provider, body, request_id=request_id)


def told_inside(
    provider: Provider, body: object, *, request_id: str | None = None
) -> ProviderError:
    """Returns the error that *body*, a body or an event with status 200, holds."""
    error = error_object(body)
    words = _words(error) or words_in(body)
    codes = _codes(error)
    type_statuses = (STATUS_OF_TYPE[code] for code in codes if code in STATUS_OF_TYPE)
    code_statuses = (400 for code in codes if code in BY_CODE)
    phrases = (400 for phrase in BY_WORDS if phrase in words.lower())
    status = status_inside(error, words, *type_statuses, *code_statuses, *phrases)
    kind, code = _kind(status, codes, words) if status else ServerError, _telling(codes, status)
    refusal = refused(provider, status or 200, words, kind=kind, code=code, request_id=request_id)
    if status is None and isinstance(refusal, ServerError):
        # The request may have been answered, so it must not be retried.
        refusal.outcome, refusal.possibly_billed = Outcome.FINAL, provider.facts.paid
    return refusal


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
        code_of(error, "code", "status_code"), code_of(error, "type"),
        code_of(metadata, "error_type"), flag,
    )  # fmt: skip
    return tuple(code for code in codes if code)


def _words(error: Mapping[str, Any]) -> str:
    # OpenRouter's message is only "Provider returned error"; `raw` has the upstream's reason.
    metadata = as_dict(error.get("metadata"))
    raw = as_str(metadata.get("raw"))
    message, param = words_in(error), as_str(error.get("param"))
    # OpenRouter: the providers of the model, and those that the account or the request allows.
    for name in ("available_providers", "requested_providers"):
        if message and (providers := as_strings(metadata.get(name))):
            message += f" ({name.replace('_', ' ')}: {', '.join(providers)})"
    if param and message and param not in message:
        message = f"{message} ({param})"
    if not raw:
        return message
    return f"{message} ({as_str(metadata.get('provider_name')) or 'upstream'}: {raw})"


def _telling(codes: tuple[str, ...], status: int | None) -> str | None:
    """Returns the first code that does not only repeat the status."""
    return next((code for code in codes if code != str(status)), None)
