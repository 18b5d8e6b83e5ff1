"""Builds an error from a provider's error response: provider, reason and next step."""

from __future__ import annotations

import re
from collections.abc import Mapping
from itertools import chain
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
from ..wire.messages import LONGEST_REASON, SNIPPET, HttpResponse, as_dict, parse_json, snippet
from .base import Provider
from .unwanted import unwanted_in

# The provider had received the whole request, so it may have charged for it.
POSSIBLY_BILLED = frozenset({500, 502, 504, 524})
CODE_LIMIT = 80
LONGEST_LOC = 20  # steps to a field

_REASON_FIELDS = (
    "error", "errors", "detail", "message", "msg", "error_msg", "error_description", "title",
    "status_msg",
)  # fmt: skip
_CODE_FIELDS = ("code", "status", "status_code", "statusCode", "error_code")
# Fields of an answer or of a list of models; an error has none of them.
_ANSWER_FIELDS = ("choices", "candidates", "content", "data", "models", "usage")
_MESSAGE_FIELDS = ("message", "msg", "error_msg")
_GOOD = ("200", "ok", "success")  # codes
# A prompt is too long: OpenAI and vLLM, llama.cpp, Ollama, Anthropic (two), Mistral, Qwen, Bedrock,
# Gemini (two), Text Generation Inference, xAI.
TOO_LONG = (
    "maximum context length", "available context size", "exceeds the context length",
    "prompt is too long", "exceed context limit", "too large for model with",
    "range of input length should be", "input is too long", "input token count",
    "request payload size exceeds", "tokens + `max_new_tokens` must be", "maximum prompt length",
)  # fmt: skip
# What replaces the HTTP status of an error inside a body with status 200.
STATUS_FIELDS = ("raw_status_code", *_CODE_FIELDS, "http_code")
STATUS_OF_WORDS = {
    **dict.fromkeys(TOO_LONG, 400), **dict.fromkeys(("unauthorized", "invalid api key"), 401),
    **dict.fromkeys(("rate limit", "too many requests", "usage limit"), 429), "overloaded": 503,
}  # fmt: skip
_STATUS = re.compile(r"[45][0-9][0-9]")
# LM Studio answers an unknown path like this, with the status 200
# (https://github.com/lmstudio-ai/lmstudio-bug-tracker/issues/618, read 2026-11-30).
WRONG_PATH = "unexpected endpoint or method"
# A request larger than the limit of a whole minute. OpenAI sends 429, Groq sends 413, both with the
# code of a rate limit (https://github.com/vanna-ai/vanna-flask/issues/11, read 2026-11-30).
TOO_LARGE = "request too large"
_LIMIT_AND_REQUEST = re.compile(r"limit:? ?([\d,]{1,20})\b.{0,40}?requested:? ?([\d,]{1,20})")

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
    kind, words = kind or error_class(status), words[:LONGEST_REASON]
    lower_words = words.lower()
    is_too_long = {
        RateLimitError: _is_too_large, InvalidRequestError: _is_too_long, ServerError: _is_too_long,
    }.get(kind)  # fmt: skip
    if is_too_long is not None and is_too_long(lower_words):
        kind = ContextLengthExceededError
    if is_lost := WRONG_PATH in lower_words:
        kind, then = BadResponseError, None
    if 300 <= status < 400:
        what, usual = _REDIRECT
    else:
        sentences = (_SENTENCES[c] for c in kind.__mro__ if c in _SENTENCES)
        what, usual = next(sentences, ("failed", "try again"))
    then = then or usual.format(key=" or ".join(provider.key_vars) or "the key", name=provider.name)
    reason = snippet(words)
    may_be_billed = status in POSSIBLY_BILLED and kind is not ContextLengthExceededError
    error = kind(
        f"{provider.name} {what} ({status}): {reason.rstrip('.;')}; {then}",
        provider=provider.name,
        status=status,
        code=shorten(redact(code), CODE_LIMIT) if code else None,
        request_id=request_id,
        possibly_billed=provider.facts.paid
        and not is_lost
        and (may_be_billed or kind is BadResponseError),
    )
    error.unwanted = unwanted_in(status, words)
    return error


def _is_too_large(words: str) -> bool:
    match = _LIMIT_AND_REQUEST.search(words)
    limit, requested = (int(n.replace(",", "") or 0) for n in match.groups()) if match else (0, 0)
    return TOO_LARGE in words or requested > limit > 0


def _is_too_long(words: str) -> bool:
    return any(phrase in words for phrase in TOO_LONG)


def status_inside(error: Mapping[str, Any], words: str, *others: int) -> int | None:
    """Returns the HTTP status that an *error* inside a body with status 200 stands for.

    Its own fields decide, then *others*, then its *words*.
    """
    values = (error.get(field) for field in STATUS_FIELDS)
    texts = (str(value) for value in values if isinstance(value, str | int))
    numbers = (int(number) for number in texts if _STATUS.fullmatch(number))
    lower_words = words.lower()
    phrases = (status for phrase, status in STATUS_OF_WORDS.items() if phrase in lower_words)
    is_list = isinstance(error.get("detail"), list)  # FastAPI's list of wrong fields
    return next(chain(numbers, others, phrases, (422,) * is_list), None)


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
    parts = loc[loc[:1] == ["body"] : LONGEST_LOC] if isinstance(loc, list) else ()
    place = ".".join(str(part) for part in parts if isinstance(part, str | int))
    return f"{place}: {reason}" if place and reason else reason


def error_object(value: object) -> dict[str, Any]:
    """Returns the error object: inside "error", inside a list of one, or *value* itself.

    Groq sends errors of a stream in `x_groq`, MiniMax in `base_resp`, OpenRouter in a choice,
    Cloudflare in `errors`.
    """
    body = _first(value)
    for holder in (body, as_dict(body.get("x_groq")), _first(body.get("choices"))):
        if error := holder.get("error") or holder.get("errors"):
            return as_dict(_first(error)) or holder
    return base if (base := as_dict(body.get("base_resp"))).get("status_code") else body


def holds_error(value: object) -> bool:
    """Returns True if a body or an event contains an error, also with HTTP status 200."""
    body = _first(value)
    if error_object(body) is not body or body.get("error") or body.get("errors"):
        return True
    if "error" in (body.get("type"), body.get("object")):
        return True
    if any(map(body.get, _ANSWER_FIELDS)):
        return False
    # FastAPI and Pydantic send `detail`, Qwen and Databricks a message with a code. Zhipu and Coze
    # call it `msg`, Baidu `error_msg`.
    codes = (code for name in _CODE_FIELDS if (code := body.get(name)))
    words = (str(code).lower() for code in codes if isinstance(code, str | int))
    is_bad = body.get("success") is False or any(word not in _GOOD for word in words)
    has_message = any(isinstance(body.get(name), str) for name in _MESSAGE_FIELDS)
    return bool(body.get("detail")) or (is_bad and has_message)


def unreadable(
    provider: Provider, payload: str | bytes, *, then: str | None = None
) -> ProviderError:
    """Returns the error for a body or an event that has status 200 but an unexpected form."""
    text = payload.decode("utf-8", "replace") if isinstance(payload, bytes) else payload
    words = words_in(parse_json(text)) or text
    return refused(provider, 200, snippet(words, SNIPPET), kind=BadResponseError, then=then)


def code_of(error: Mapping[str, Any], *names: str) -> str | None:
    """Returns the code in the first of the fields *names* that has one."""
    values = (error.get(name) for name in names)
    return next((str(v) for v in values if isinstance(v, str | int) and v), None)


def _first(value: object) -> dict[str, Any]:
    # Google sends some errors in a list of one.
    return as_dict(value[0] if isinstance(value, list) and value else value)
