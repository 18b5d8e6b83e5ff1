"""Speaks the chat-completions dialect of OpenAI, which many servers share.

Source: https://platform.openai.com/docs/api-reference/chat and the types of openai 3.54.0
(read 2026-11-22).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, ClassVar

from ..catalogue.entry import Model
from ..errors import ProviderError
from ..secret import Secret, bearer
from ..types import Completion, Lifecycle, Prompt, Usage
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
from ..wire.sse import ServerSentEvent, SSEDecoder
from .base import ModelPage, Provider, request_id_from
from .chat_completions_errors import error_inside, error_of
from .error_bodies import unreadable
from .extra_body import extended
from .stream_parser import DONE, AnswerBuilder, EventParser, later_counts

BESIDE_TEXT = frozenset({"audio", "images"})  # fields with other content
AUDIO_SECONDS = "audio input is billed by the second"
REFUSAL = "the model refused; see its text for the reason"


@dataclass
class ChatAnswerBuilder(AnswerBuilder):
    """Builds an answer from chunks; a whole answer is one large chunk."""

    def take(self, chunk: Mapping[str, Any]) -> None:
        """Adds the usage, the model and choice 0 of *chunk*; ignores other choices."""
        choices, usage = chunk.get("choices"), chunk.get("usage")
        for position, choice in enumerate(choices if isinstance(choices, list) else ()):
            if not isinstance(choice, dict):
                continue
            index = choice.get("index")
            if (index if isinstance(index, int) else position) != 0:
                continue
            piece = choice.get("delta") or choice.get("message")
            if isinstance(piece, dict):
                self._take_piece(piece)
            reason = choice.get("finish_reason")
            if reason and isinstance(reason, str):
                self.ended(reason, choice.get("native_finish_reason"))
            # Moonshot (https://github.com/earendil-works/pi/issues/2017, read 2026-11-30).
            usage = usage or choice.get("usage")
        # Groq (https://github.com/vercel/ai/issues/1651, read 2026-11-30).
        usage = as_dict(usage or as_dict(chunk.get("x_groq")).get("usage"))
        if usage:
            self.counts = later_counts(self.counts, usage) if self.counts else usage
            self.usage = usage_in(self.counts)
        # Mistral says the tier in the usage.
        tier = as_str(chunk.get("service_tier")) or as_str(usage.get("service_tier"))
        self.service_tier = tier or self.service_tier
        self.model = as_str(chunk.get("model")) or self.model

    def _take_piece(self, piece: Mapping[str, Any]) -> None:
        content = piece.get("content")
        if content and isinstance(content, str):
            self.text_pieces.append(content)
        elif content or not BESIDE_TEXT.isdisjoint(piece):
            self._take_parts(piece)
        # llama.cpp, vLLM and DeepSeek send reasoning_content, OpenRouter sends reasoning. A proxy
        # that sends both repeats the same text.
        thought = piece.get("reasoning_content") or piece.get("reasoning")
        if thought and isinstance(thought, str):
            self.reasoning_pieces.append(thought)
        calls = piece.get("tool_calls")
        if calls:
            for position, call in enumerate(as_dicts(calls)):
                tool, place = as_dict(call.get("function")), call.get("index")
                self.tool(
                    place if isinstance(place, int) else position,
                    name=tool.get("name"), id=call.get("id"), arguments=tool.get("arguments"),
                )  # fmt: skip
        refusal = piece.get("refusal")
        if refusal and isinstance(refusal, str):
            self.text_pieces.append(refusal)
            self.is_refused = True
            if REFUSAL not in self.warnings:
                self.warnings.append(REFUSAL)

    def _take_parts(self, piece: Mapping[str, Any]) -> None:
        # Mistral's reasoning models: thinking and text parts in one list.
        for part in as_dicts(piece.get("content")):
            if part.get("thinking") is not None:
                self.reasoning_pieces.extend(_texts_in(part["thinking"]))
            elif part.get("text") is not None:
                self.text_pieces.extend(_texts_in(part["text"]))
            else:
                self.also(as_str(part.get("type")) or "content of an unknown type")
        for name in BESIDE_TEXT:
            if piece.get(name):
                self.also(name)


class ChatStream(EventParser):
    """Reads one streamed answer."""

    end_mark = DONE
    builder: ChatAnswerBuilder

    def read(self, event: dict[str, Any]) -> None:
        builder = self.builder
        builder.take(event)
        if event.get("error") or event.get("object") == "error":
            error = error_inside(self._provider, event)
            if error is not None:
                self.fail(error)
        self.finished = builder.finish is not None

    def heeds(self, event: ServerSentEvent) -> bool:
        """Returns False for other event names: they are a proxy's, like a ping."""
        return event.event in ("message", "error")


def usage_in(usage: Mapping[str, Any]) -> Usage:
    """Returns token counts; input includes cached tokens, output includes reasoning.

    Some servers leave one of them out, so that only the total has it: xAI and gateways to Gemini
    the reasoning (https://github.com/vercel/ai/pull/12425 and
    https://github.com/mozilla-ai/any-llm/issues/1290, read 2026-11-30), and gateways to Claude the
    cached tokens (https://github.com/decolua/9router/pull/2658, read 2026-11-30).
    """
    prompt = as_dict(usage.get("prompt_tokens_details"))
    answer = as_dict(usage.get("completion_tokens_details"))
    input_tokens, output_tokens = (
        as_int(usage.get("prompt_tokens")), as_int(usage.get("completion_tokens"))
    )  # fmt: skip
    cached = as_int(prompt.get("cached_tokens"))
    if cached is None:  # DeepSeek, Moonshot, and gateways to Claude
        names = ("prompt_cache_hit_tokens", "cached_tokens", "cache_read_input_tokens")
        cached = as_int(next((usage[name] for name in names if name in usage), None))
    reasoning = as_int(answer.get("reasoning_tokens", usage.get("reasoning_tokens")))
    writes = as_int(prompt.get("cache_write_tokens", usage.get("cache_creation_input_tokens")))
    total = as_int(usage.get("total_tokens"))
    if input_tokens and output_tokens is not None:
        rest = (total or 0) - input_tokens - output_tokens
        if total is None and reasoning is not None and reasoning > output_tokens:
            output_tokens += reasoning
        elif rest > 0 and rest == (cached or 0) + (writes or 0) != reasoning:
            input_tokens += rest
        elif rest > 0 and reasoning in (None, rest):
            output_tokens += rest
    searches = as_int(as_dict(usage.get("server_tool_use")).get("web_search_requests"))
    return Usage(
        input_tokens=input_tokens,
        output_tokens=output_tokens,
        cached_tokens=cached,
        reasoning_tokens=reasoning,
        cache_write_tokens=writes,
        input_audio_tokens=as_int(prompt.get("audio_tokens")) or None,
        output_audio_tokens=as_int(answer.get("audio_tokens")) or None,
        input_image_tokens=as_int(prompt.get("image_tokens")) or None,
        output_image_tokens=as_int(answer.get("image_tokens")) or None,
        web_searches=searches or None,
        unpriced=AUDIO_SECONDS if as_int(usage.get("prompt_audio_seconds")) else None,
    )


def _texts_in(value: object) -> list[str]:
    if isinstance(value, str):
        return [value]
    return [part["text"] for part in as_dicts(value) if isinstance(part.get("text"), str)]


class OpenAIChat(Provider):
    """The common part of the providers that speak this dialect.

    Attributes:
        chat_path: Path below the base URL, like `models_path`.
        asks_for_usage: True if a stream has token counts only when the request asks for them.
        always: Fields of every request.
        request_id_headers: Response headers that may have the request id, in lower case.
        builder: The class that builds an answer from this provider's chunks.
    """

    chat_path: ClassVar[str] = "/chat/completions"
    models_path: ClassVar[str] = "/models"
    asks_for_usage: ClassVar[bool] = True
    always: ClassVar[Mapping[str, object]] = MappingProxyType({})
    request_id_headers: ClassVar[tuple[str, ...]] = ("x-request-id",)
    builder: ClassVar[type[ChatAnswerBuilder]] = ChatAnswerBuilder

    def filled_in(self, prompt: Prompt, model: str) -> Mapping[str, object]:
        return self.always

    def chat_request(
        self, prompt: Prompt, *, model: str, key: Secret | None, stream: bool = False
    ) -> HttpRequest:
        messages = [{"role": turn.role, "content": turn.text} for turn in prompt.messages]
        if prompt.system:
            messages.insert(0, {"role": "system", "content": prompt.system})
        body: dict[str, object] = {"model": model, "messages": messages}
        body |= self.body_fields(prompt)
        body |= self.always
        if stream:
            body["stream"] = True
        if stream and self.asks_for_usage:
            body["stream_options"] = {"include_usage": True}
        if prompt.options:
            body = extended(body, dict(prompt.options))
        return post_json(self.base_url + self.chat_path, body, self._headers(key), stream=stream)

    def parse_chat(self, response: HttpResponse) -> Completion:
        body = self._checked(response)
        choices = as_dicts(as_dict(body).get("choices"))
        if not any(isinstance(choice.get("message"), dict) for choice in choices):
            raise unreadable(self, response.body)
        builder = self.builder()
        builder.take(as_dict(body))
        builder.request_id = self._request_id(response) or builder.request_id
        return builder.whole(self)

    def stream_parser(self) -> ChatStream:
        return ChatStream(self, SSEDecoder(), self.builder())

    def models_request(
        self, key: Secret | None, *, page: str | None = None, limit: int = 1000
    ) -> HttpRequest:
        """Returns the request for the model list, which has one page in this dialect."""
        return HttpRequest("GET", self.base_url + self.models_path, self._headers(key))

    def parse_models(self, response: HttpResponse) -> ModelPage:
        body = self._checked(response)
        # Together AI sends the bare array.
        rows = body if isinstance(body, list) else as_dict(body).get("data")
        if not isinstance(rows, list):
            raise unreadable(self, response.body)
        models = tuple(self._model(row) for row in as_dicts(rows) if as_str(row.get("id")))
        return ModelPage(models, self._next_page(as_dict(body)))

    def error_from(self, response: HttpResponse) -> ProviderError:
        return error_of(self, response, request_id=self._request_id(response))

    def _checked(self, response: HttpResponse) -> Any:
        body = response.json()
        error = error_inside(self, body, request_id=self._request_id(response))
        if error is not None:
            raise error
        return body

    def _headers(self, key: Secret | None) -> dict[str, str]:
        return {"Authorization": bearer(key)} if key else {}

    def _model(self, row: Mapping[str, Any]) -> Model:
        return Model(self.name, row["id"])

    def _next_page(self, body: Mapping[str, Any]) -> str | None:
        return None

    def _request_id(self, response: HttpResponse) -> str | None:
        return request_id_from(response.headers, *self.request_id_headers)


def lifecycle_by(row: Mapping[str, Any], end: str) -> Lifecycle:
    """Returns deprecated if the field *end* is a date, active if it is null, else unknown."""
    if row.get(end, "") is None:
        return Lifecycle.ACTIVE
    return Lifecycle.DEPRECATED if as_date(row.get(end)) else Lifecycle.UNKNOWN
