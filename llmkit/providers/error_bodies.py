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
    RoutingRestrictedError,
    ServerError,
    WrongAddressError,
    error_class,
    shorten,
)
from ..secret import redact
from ..wire.messages import (
    A_PAGE,
    LONGEST_REASON,
    SNIPPET,
    HttpResponse,
    as_dict,
    parse_json,
    snippet,
)
from . import restrictions
from .addresses import ABSENT, advice, subject_of
from .base import Provider
from .unwanted import unwanted_in

# The provider had received the whole request, so it may have charged for it.
POSSIBLY_BILLED = frozenset({500, 502, 504, 524})
CODE_LIMIT = 80
LONGEST_LOC = 20  # steps to a field
LONGEST_QUOTE = 120  # characters of a reason or a URL beside others

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
    WrongAddressError: ("has no such path", "check the base URL"),
    RateLimitError: ("limits the request rate", "wait, or lower limit_per_provider"),
    ContextLengthExceededError: (
        "rejected the prompt as too long",
        "shorten it, lower max_tokens, or use a model with a larger context window",
    ),
    ContentFilterError: ("filtered the prompt", "change its wording"),
    RoutingRestrictedError: (
        "has that model, but no endpoint that the account and the request permit", ""
    ),
    InvalidRequestError: ("rejected the request", "correct the named part of it"),
    ServerError: ("failed", "try again later"),
    BadResponseError: ("sent an unexpected response", "check the base URL"),
}  # fmt: skip
_NO_MODEL_OR_ACCESS = (
    "has no such model, or not for this key",
    'see llmkit.models(provider="{name}"), or request access',
)
_NO_VERSION = ("refused the API version", "check the base URL")
_MAY_BE_ACCESS = (AuthenticationError, InvalidRequestError, ModelNotFoundError)
# With 503 the same words may tell of providers that are down, so that status stays retryable.
_MAY_BE_ROUTING = (InvalidRequestError, ModelNotFoundError, PermissionDeniedError)
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
    model: str = "",
) -> ProviderError:
    """Returns the error for a response with *status*.

    Args:
        words: The provider's reason. It is shortened and redacted here.
        kind: The error's class, None to derive it from *status*.
        then: The next step, None for the usual one of that class.
        model: The id of the model that was asked, "" if unknown.
    """
    words = words[:LONGEST_REASON]
    lower_words = words.lower()
    usual_kind = kind or error_class(status)
    kind = _narrower(usual_kind, lower_words)
    reason, is_too_long = snippet(words), kind is ContextLengthExceededError
    is_billed = kind is BadResponseError or (status in POSSIBLY_BILLED and not is_too_long)
    is_restricted = kind is not usual_kind and not is_too_long
    if is_restricted:
        subject = then = None
    else:
        subject = _subject(provider, status, reason, f"{code or ''} {words}", model, then)
    if subject in ("address", "version", "either"):
        kind, is_billed, then = WrongAddressError, False, _next_address(provider, subject)
        reason = shorten(reason, LONGEST_QUOTE)
    elif subject is None and kind is ModelNotFoundError and status in ABSENT and code is None:
        then = "check the model id and the base URL"
    if 300 <= status < 400:
        what, usual = _REDIRECT
    elif kind is ModelNotFoundError and restrictions.may_deny_access(lower_words):
        what, usual = _NO_MODEL_OR_ACCESS
    elif subject == "version":
        what, usual = _NO_VERSION
    else:
        sentences = (_SENTENCES[c] for c in kind.__mro__ if c in _SENTENCES)
        what, usual = next(sentences, ("failed", "try again"))
    if kind is RoutingRestrictedError:
        then = restrictions.way_out(lower_words, provider.settings_url)
    error = kind(
        f"{provider.name} {what} ({status}): {reason.rstrip('.;')}",
        provider=provider.name,
        status=status,
        code=shorten(redact(code), CODE_LIMIT) if code else None,
        request_id=request_id,
        possibly_billed=provider.facts.paid and is_billed,
    )
    keys = " or ".join(provider.key_vars) or "the key"
    error.next_step = then or usual.format(key=keys, name=provider.name)
    error.unwanted = unwanted_in(status, words)
    return error


def _narrower(kind: type[ProviderError], words: str) -> type[ProviderError]:
    """Returns the class that *words* in lower case choose, *kind* if they say nothing more."""
    is_too_long = {
        RateLimitError: _is_too_large, InvalidRequestError: _is_too_long, ServerError: _is_too_long,
    }.get(kind)  # fmt: skip
    if is_too_long is not None and is_too_long(words):
        return ContextLengthExceededError
    if kind in _MAY_BE_ROUTING and restrictions.excludes_all(words):
        return RoutingRestrictedError
    if kind in _MAY_BE_ACCESS and restrictions.denies_access(words):
        return PermissionDeniedError
    return kind


def _subject(
    provider: Provider, status: int, reason: str, words: str, model: str, then: str | None
) -> str | None:
    """Returns what the refusal is about; "either" if it may be the address or the model."""
    is_page = reason.startswith(A_PAGE)
    subject = subject_of(status, "" if is_page else words, model)
    if subject is not None or provider.is_official:
        return subject
    is_site = is_page and status == 200 and then is None
    return "address" if is_site else "either" if status in ABSENT else None


def _next_address(provider: Provider, subject: str) -> str:
    base_url, query = provider.base_url, provider.query
    if subject == "version":
        then = f"{'correct' if query else 'add'} ?api-version=... at its end"
    else:
        then = advice(
            provider.name, base_url, query, provider.chat_path, is_added=provider.is_added
        )
    doubt = ", unless it only lacks this model or list" if subject == "either" else ""
    place = shorten(f"{base_url}{query}", LONGEST_QUOTE)
    return f"base URL {place} of {provider.name} is probably wrong{doubt}: {then}"


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


def refuse_error(provider: Provider, response: HttpResponse) -> None:
    """Raises ProviderError if a *response* with status 200 holds an error, or is not a document."""
    body = response.json()
    if holds_error(body):
        raise provider.stream_error(body)
    if not isinstance(body, dict | list):
        raise unreadable(provider, response.body)


def code_of(error: Mapping[str, Any], *names: str) -> str | None:
    """Returns the code in the first of the fields *names* that has one."""
    values = (error.get(name) for name in names)
    return next((str(v) for v in values if isinstance(v, str | int) and v), None)


def _first(value: object) -> dict[str, Any]:
    # Google sends some errors in a list of one.
    return as_dict(value[0] if isinstance(value, list) and value else value)
