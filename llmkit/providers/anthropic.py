"""Translates to and from Anthropic's Messages API.

Source: https://platform.claude.com/docs/en/api and the types of anthropic 2.12.0 (read 2026-11-24).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Any
from urllib.parse import urlencode

from ..catalogue.entry import Model
from ..catalogue.provider_table import ProviderFacts
from ..errors import (
    ContentFilterError,
    InsufficientFundsError,
    ProviderError,
    QuotaExhaustedError,
)
from ..secret import Secret
from ..types import Capability, Completion, Lifecycle, Prompt, Usage
from ..wire.messages import (
    HttpRequest,
    HttpResponse,
    as_date,
    as_dict,
    as_dicts,
    as_int,
    as_str,
    post_json,
)
from ..wire.sse import SSEDecoder
from .base import NOTHING, FittedPrompt, ModelPage, Provider, StreamParser, request_id_from
from .error_bodies import (
    code_of,
    error_object,
    holds_error,
    refused,
    status_inside,
    unreadable,
    words_in,
    words_of,
)
from .extra_body import extended
from .stream_parser import AnswerBuilder, EventParser, add_counts

VERSION = "2026-10-21"
# The newest version answers temperature, top_p and top_k with 400, even at their defaults; this one
# accepts them.
SAMPLING_VERSION = "2023-06-01"
SAMPLING = ("temperature", "top_p", "top_k")

# Claude Opus 4.7 and later models refuse sampling parameters under both versions
# (https://platform.claude.com/docs/en/about-claude/models/migration-guide, read 2026-11-24). Names
# without a number, such as claude-mythos-preview, belong to that generation.
FIRST_WITHOUT_SAMPLING = (4, 7)
# From Opus 4.1 on a model accepts temperature or top_p, not both
# (https://github.com/BerriAI/litellm/issues/15097, read 2026-11-24).
FIRST_WITH_ONE_OF_BOTH = (4, 1)
# The API requires a limit in every request. That of Claude 3 was 4,096 tokens.
MAX_TOKENS = 8192
MAX_TOKENS_CLAUDE_3 = 4096

# https://platform.claude.com/docs/en/api/errors (read 2026-11-24): an error inside a stream has
# only a type, because the response already has the status 200.
STATUS_OF_TYPE = {
    "invalid_request_error": 400, "authentication_error": 401, "billing_error": 402,
    "permission_error": 403, "not_found_error": 404, "request_too_large": 413,
    "rate_limit_error": 429, "api_error": 500, "timeout_error": 504, "overloaded_error": 529,
}  # fmt: skip
READ_BLOCKS = ("text", "thinking", "redacted_thinking")
SPEND_LIMITS = (
    "enforced_spend_limit_reached",
    "contract_spend_limit_reached",
    "linked_organization_spend_limit_reached",
)
_KINDS_OF_400: tuple[tuple[str, type[ProviderError]], ...] = (
    ("credit balance is too low", InsufficientFundsError),
    ("usage limits", QuotaExhaustedError),
    ("content filtering", ContentFilterError),
)
LONGEST_WORD = 100  # characters of a speed or a region
_STAGES = ("active", "deprecated", "retired")
_CAPABILITIES = {
    "image_input": Capability.VISION,
    "structured_outputs": Capability.JSON_SCHEMA,
    "thinking": Capability.REASONING,
}
_VERSION_IN_ID = re.compile(r"claude-(?:[a-z]+-)?(\d{1,9})(?:[-.](\d{1,2}))?(?!\d)")


class Anthropic(Provider):
    """Claude, under the newest API version, or the previous one for sampling parameters."""

    name = "anthropic"
    label = "Anthropic"
    default_base_url = "https://api.anthropic.com"
    key_vars = ("ANTHROPIC_API_KEY",)
    base_url_vars = ("ANTHROPIC_BASE_URL",)
    chat_path = "/v1/messages"
    superfluous = re.compile(r"/v1(?:/(?:messages|complete|models))?$|/messages$")
    parameter_fields = MappingProxyType({"stop": "stop_sequences", "seed": None})
    own_words = ("stop_sequences", "fallbacks")  # the latter asks after a refusal (SDK 2.14.0)
    plain_headers = MappingProxyType({"anthropic-version": SAMPLING_VERSION})  # for gateways
    facts = ProviderFacts(
        "maker", price_table="anthropic", slug="anthropic", aliases=("claude", "anthropic-text"),
        starts=("claude",), color=1, marker="s",
    )  # fmt: skip

    def fit(self, prompt: Prompt, model: str) -> FittedPrompt:
        """Returns *prompt* without blank stop sequences and parameters that *model* refuses."""
        fitted_prompt = super().fit(prompt, model)
        # "each stop sequence must contain non-whitespace"
        # (https://github.com/BerriAI/litellm/issues/3286, read 2026-11-24)
        stop = tuple(sequence for sequence in prompt.stop if sequence.strip())
        if stop == prompt.stop:
            return fitted_prompt
        fitted = replace(fitted_prompt.prompt, stop=stop)
        return FittedPrompt(fitted, (*fitted_prompt.ignored, "stop"))

    def refused_parameters(self, prompt: Prompt, model: str) -> Sequence[str]:
        if not takes_sampling(model):
            return ("temperature", "top_p")
        takes_only_one = "claude" in model and generation(model) >= FIRST_WITH_ONE_OF_BOTH
        return ("top_p",) if prompt.temperature is not None and takes_only_one else ()

    def filled_in(self, prompt: Prompt, model: str) -> Mapping[str, object]:
        """Returns the limit of tokens that the API requires, if the prompt's does not suffice.

        The budget for thinking counts towards it, and the API refuses a limit without room for text
        (https://platform.claude.com/docs/en/build-with-claude/extended-thinking, read 2026-11-30).
        """
        options: dict[str, Any] = dict(prompt.options)
        limit, thinking = prompt.max_tokens, as_dict(options.get("thinking"))
        budget = as_int(thinking.get("budget_tokens")) if thinking.get("type") == "enabled" else 0
        if options.get("max_tokens") is not None:
            limit = options["max_tokens"]
        if limit is None:
            limit = MAX_TOKENS_CLAUDE_3 if generation(model) < (4, 0) else MAX_TOKENS
        elif not (budget and isinstance(limit, int) and limit <= budget):
            return NOTHING
        return {"max_tokens": limit + (budget or 0)}

    def chat_request(
        self, prompt: Prompt, *, model: str, key: Secret | None, stream: bool = False
    ) -> HttpRequest:
        body = extended(
            _body(prompt, model, self.body_fields(prompt), stream), dict(prompt.options)
        )
        body |= self.filled_in(prompt, model)
        has_sampling = any(name in body for name in SAMPLING) and takes_sampling(model)
        headers = _headers(key, SAMPLING_VERSION if has_sampling else VERSION)
        return post_json(self.url(self.chat_path), body, headers, stream=stream)

    def parse_chat(self, response: HttpResponse) -> Completion:
        body = response.json()
        if holds_error(body):
            raise self._error(_status_of(body), body, words_of(response))
        if not isinstance(body, dict) or "content" not in body:
            raise unreadable(self, response.body)
        builder = AnswerBuilder(usage_of, model=as_str(body.get("model")))
        content = body["content"]
        blocks = [{"text": content}] if isinstance(content, str) else as_dicts(content)
        for place, block in enumerate(blocks):
            _take_block(builder, block, place)
        _count(builder, as_dict(body.get("usage")))
        reason = as_str(body.get("stop_reason"))
        if reason:
            builder.ended(reason)
        builder.request_id = request_id_from(response.headers, "request-id")
        return builder.whole(self)

    def stream_parser(self) -> StreamParser:
        return MessageParser(self, SSEDecoder(), AnswerBuilder(usage_of))

    def stream_error(self, event: dict[str, Any]) -> ProviderError:
        return self._error(_status_of(event), event, words_in(event))

    def models_request(
        self, key: Secret | None, *, page: str | None = None, limit: int = 1000
    ) -> HttpRequest:
        """Returns a GET of /v1/models, which omits retired models."""
        query = {"limit": str(limit)} | ({"after_id": page} if page else {})
        url = self.url(f"/v1/models?{urlencode(query)}")
        return HttpRequest("GET", url, _headers(key, VERSION))

    def parse_models(self, response: HttpResponse) -> ModelPage:
        body = as_dict(response.json())
        if not isinstance(body.get("data"), list):
            raise unreadable(self, response.body)
        models = tuple(_model(row) for row in as_dicts(body["data"]) if as_str(row.get("id")))
        return ModelPage(models, as_str(body.get("last_id")) if body.get("has_more") else None)

    def error_from(self, response: HttpResponse) -> ProviderError:
        header = request_id_from(response.headers, "request-id")
        return self._error(
            response.status, response.json(), words_of(response), header, response.model
        )

    def _error(
        self, status: int, body: object, words: str, request_id: str | None = None,
        model: str = "",
    ) -> ProviderError:  # fmt: skip
        error = error_object(body)
        details = as_dict(error.get("details"))
        kind: type[ProviderError] | None = None
        if details.get("error_code") in SPEND_LIMITS:
            kind = QuotaExhaustedError
        elif status == 400:
            text = words.lower()
            kind = next((kind for phrase, kind in _KINDS_OF_400 if phrase in text), None)
        code = code_of(details, "error_code") or code_of(error, "type")
        request_id = request_id or as_str(as_dict(body).get("request_id"))
        return refused(
            self, status, words, kind=kind, code=code, request_id=request_id, model=model
        )


class MessageParser(EventParser):
    """Reads one streamed message."""

    end_mark = "message_stop"

    def read(self, event: dict[str, Any]) -> None:
        """Adds one event; unknown types, such as ping, add nothing."""
        kind = event.get("type")
        if kind == "content_block_delta":
            _take_block(self.builder, as_dict(event.get("delta")), event.get("index", 0))
        elif holds_error(event):
            self.fail(self._provider.stream_error(event))
        elif kind == "content_block_start":
            _take_block(self.builder, as_dict(event.get("content_block")), event.get("index", 0))
        elif kind == "message_start":
            message = as_dict(event.get("message"))
            self.builder.model = as_str(message.get("model"))
            # The first count of output tokens is a placeholder.
            _count(self.builder, {**as_dict(message.get("usage")), "output_tokens": None})
        elif kind == "message_delta":
            _count(self.builder, as_dict(event.get("usage")))
            reason = as_str(as_dict(event.get("delta")).get("stop_reason"))
            if reason:
                self.builder.ended(reason)
                self.finished = self.builder.finish is not None
        elif kind == "message_stop":
            self.done = self.builder.is_whole = True


def takes_sampling(model: str) -> bool:
    """Returns True if *model* accepts sampling parameters under one of the API versions.

    Models not called Claude run on other servers with this API, which accept them.
    """
    return "claude" not in model or generation(model) < FIRST_WITHOUT_SAMPLING


def generation(model: str) -> tuple[int, int]:
    """Returns the version in a model id, (3, 5) for "claude-3-5-haiku-20241022".

    An id without a number counts as the newest.
    """
    match = _VERSION_IN_ID.search(model)
    return (int(match[1]), int(match[2] or 0)) if match else (99, 0)


def usage_of(usage: Mapping[str, Any]) -> Usage:
    """Returns the usage, with cached tokens in the input: Anthropic counts them separately."""
    cache_reads = as_int(usage.get("cache_read_input_tokens"))
    cache_writes = as_int(usage.get("cache_creation_input_tokens"))
    fresh = as_int(usage.get("input_tokens"))
    by_age = as_dict(usage.get("cache_creation"))
    hour_writes = as_int(by_age.get("ephemeral_1h_input_tokens"))
    if cache_writes is None and by_age:
        cache_writes = (as_int(by_age.get("ephemeral_5m_input_tokens")) or 0) + (hour_writes or 0)
    words = (as_str(usage.get(name)) for name in ("speed", "inference_geo"))
    speed, region = (
        word if word is None or (word.isascii() and len(word) <= LONGEST_WORD) else "unreadable"
        for word in words
    )
    searches = as_int(as_dict(usage.get("server_tool_use")).get("web_search_requests"))
    return Usage(
        input_tokens=None if fresh is None else fresh + (cache_reads or 0) + (cache_writes or 0),
        output_tokens=as_int(usage.get("output_tokens")),
        cached_tokens=cache_reads,
        reasoning_tokens=as_int(as_dict(usage.get("output_tokens_details")).get("thinking_tokens")),
        cache_write_tokens=cache_writes,
        cache_write_1h_tokens=hour_writes or None,
        web_searches=searches or None,
        speed=speed,
        inference_geo=region,
    )


def _count(builder: AnswerBuilder, usage: dict[str, Any]) -> None:
    add_counts(builder.counts, usage)
    builder.service_tier = as_str(builder.counts.get("service_tier"))


def _headers(key: Secret | None, version: str) -> dict[str, str]:
    headers = {"anthropic-version": version}
    # All API versions accept x-api-key, which takes precedence over an Authorization header.
    return headers | {"x-api-key": key.reveal()} if key else headers


def _body(
    prompt: Prompt, model: str, parameters: dict[str, object], stream: bool
) -> dict[str, Any]:
    system_messages = [m for m in prompt.messages if m.role == "system"]
    system = "\n\n".join(filter(None, [prompt.system, *(m.text for m in system_messages)]))
    optional = {"system": system if system.strip() else None, "stream": stream or None}
    return {
        "model": model,
        "messages": [
            {"role": m.role, "content": m.text}
            for m in prompt.messages
            if m.role != "system" and m.text.strip()  # the API refuses empty texts
        ],
        **{name: value for name, value in optional.items() if value is not None},
        **parameters,
    }


def _take_block(builder: AnswerBuilder, block: dict[str, Any], place: object) -> None:
    # Blocks of whole answers and deltas of streamed ones have the same text fields.
    for name, pieces in (("text", builder.text_pieces), ("thinking", builder.reasoning_pieces)):
        piece = as_str(block.get(name))
        if piece:
            pieces.append(piece)
    kind = as_str(block.get("type")) or ""
    if kind == "tool_use":
        builder.tool(
            place, name=block.get("name"), id=block.get("id"), arguments=block.get("input")
        )
    elif "partial_json" in block:
        builder.tool(place, arguments=block["partial_json"])
    elif kind and kind not in READ_BLOCKS and not kind.endswith("_delta"):
        builder.also(kind)


def _status_of(body: object) -> int:
    error = error_object(body)
    status = STATUS_OF_TYPE.get(as_str(error.get("type")) or "")
    return status or status_inside(error, words_in(body)) or 500


def _model(row: dict[str, Any]) -> Model:
    features = as_dict(row.get("capabilities"))
    support = {
        ours: as_dict(features.get(name)).get("supported") for name, ours in _CAPABILITIES.items()
    }
    stage = as_str(row.get("lifecycle"))
    return Model(
        Anthropic.name, row["id"], as_str(row.get("display_name")),
        lifecycle=Lifecycle(stage) if stage in _STAGES else Lifecycle.UNKNOWN,
        retires_on=as_date(row.get("retires_at")),
        max_input=as_int(row.get("max_input_tokens")),
        max_output=as_int(row.get("max_tokens")),
        capabilities=frozenset(c for c, is_supported in support.items() if is_supported is True),
        lacks=frozenset(c for c, is_supported in support.items() if is_supported is False),
    )  # fmt: skip
