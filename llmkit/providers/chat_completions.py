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
    fix_surrogates,
    post_json,
    texts_in,
)
from ..wire.sse import ServerSentEvent, SSEDecoder
from .addresses import CHAT
from .base import ModelPage, Provider, request_id_from
from .chat_completions_errors import error_inside, error_of, told_inside
from .error_bodies import unreadable
from .extra_body import extended
from .finish_reasons import ERROR
from .stream_parser import DONE, SECOND, AnswerBuilder, EventParser, add_counts
from .think_tags import ThinkTags
from .tool_calls import LATEST

AUDIO_SECONDS = "audio input is billed by the second"
THOUGHTS = ("thinking", "reasoning", "reasoning_text")  # types of a part of the content
REFUSAL = "the model refused; see its text for the reason"
# A token of Microsoft Entra ID is a bearer token, a key of a resource is not
# (https://learn.microsoft.com/azure/ai-services/openai/reference, read 2026-11-30).
ENTRA = "eyJ"
OTHER = "the server's closing message differs from the text that came before it, which was kept"


@dataclass
class ChatAnswerBuilder(AnswerBuilder):
    """Builds an answer from chunks; a whole answer is one large chunk."""

    def take(self, chunk: Mapping[str, Any]) -> None:
        """Adds the usage, the model and choice 0 of *chunk*; ignores other choices."""
        choices, usage = chunk.get("choices"), chunk.get("usage")
        for position, choice in enumerate(choices if isinstance(choices, list) else ()):
            if not isinstance(choice, dict):
                continue
            index, delta = choice.get("index"), choice.get("delta")
            if (index if isinstance(index, int) else position) != 0:
                if as_dict(delta or choice.get("message")).get("content"):
                    self.warn(SECOND)
                continue
            is_told = isinstance(delta, dict) and self._take_piece(delta)
            if not is_told and isinstance(choice.get("message"), dict):
                self._take_whole(choice["message"])
            reason = choice.get("finish_reason")
            if reason and isinstance(reason, str):
                self.ended(reason, choice.get("native_finish_reason"))
            # Moonshot (https://github.com/earendil-works/pi/issues/2017, read 2026-11-30).
            usage = usage or choice.get("usage")
        if not usage and "x_groq" in chunk:
            # Groq (https://github.com/vercel/ai/issues/1651, read 2026-11-30).
            usage = as_dict(chunk["x_groq"]).get("usage")
        tier, model = chunk.get("service_tier"), chunk.get("model")
        if usage and isinstance(usage, dict):
            if self.counts:
                add_counts(self.counts, usage)
            else:
                self.counts = usage
            tier = tier or usage.get("service_tier")  # of Mistral
        self.service_tier = tier if tier and isinstance(tier, str) else self.service_tier
        self.model = model if model and isinstance(model, str) else self.model

    def _take_piece(self, piece: Mapping[str, Any], *, is_whole: bool = False) -> bool:
        """Adds *piece*, and returns True if it says anything."""
        content = piece.get("content")
        text = content if isinstance(content, str) else None
        if text:
            self.text_pieces.append(text)
            if len(piece) == 1:  # nearly every piece
                return True
        # llama.cpp, vLLM and DeepSeek send reasoning_content, OpenRouter sends reasoning and
        # reasoning_details. A server that sends several of them repeats the same text.
        thought = (
            piece.get("reasoning_content")
            or piece.get("reasoning")
            or piece.get("thinking")
            or piece.get("reasoning_details")
        )
        if thought:
            self.reasoning_pieces.extend([thought] if type(thought) is str else texts_in(thought))
        if not text and (content or "audio" in piece or "images" in piece):
            self._take_parts(piece, is_thought_told=bool(thought))
        calls, refusal = piece.get("tool_calls"), piece.get("refusal")
        if calls:
            self._take_calls(as_dicts(calls), is_whole)
        if refusal and isinstance(refusal, str):
            self._refused(refusal)
        return bool(content or thought or calls or refusal)

    def _refused(self, text: str) -> None:
        self.text_pieces.append(text)
        self.is_refused = True
        self.warn(REFUSAL)

    def _take_parts(self, piece: Mapping[str, Any], *, is_thought_told: bool) -> None:
        # Mistral's reasoning models: thinking and text parts in one list.
        content = piece.get("content")
        for part in content if isinstance(content, list) else [content]:
            fields = {"text": part} if isinstance(part, str) else as_dict(part)
            kind = as_str(fields.get("type"))
            refusal = as_str(fields.get("refusal"))
            if refusal is not None:
                self._refused(refusal)
            elif kind in THOUGHTS or fields.get("thinking") is not None:
                found = (fields.get(name) for name in ("thinking", "reasoning", "summary", "text"))
                if not is_thought_told:
                    self.reasoning_pieces.extend(texts_in(next(filter(None, found), None)))
            elif fields.get("text") is not None:
                self.text_pieces.extend(texts_in(fields["text"]))
            elif fields:
                self.also(kind or "content of an unknown type")
        for name in ("audio", "images"):
            if piece.get(name):
                self.also(name)

    def _take_calls(self, calls: list[dict[str, Any]], is_whole: bool) -> None:
        for position, call in enumerate(calls):
            tool, place = as_dict(call.get("function")), call.get("index")
            id, name = as_str(call.get("id")), tool.get("name")
            if is_whole:
                place = None
            elif not isinstance(place, int):
                # A piece without an index belongs to the call with its id, or to the latest call.
                goes_on = (self._calls and self._calls.knows(id)) if id else not name
                place = LATEST if goes_on and (id or len(calls) == 1) else position
            self.tool(place, name=name, id=id, arguments=tool.get("arguments"))

    def _take_whole(self, message: Mapping[str, Any]) -> None:
        """Adds what *message*, the whole answer so far, has beyond the pieces that came before.

        Perplexity sends it beside every delta, MiniMax in the last chunk
        (https://github.com/infiniflow/ragflow/pull/15443, read 2026-11-30).
        """
        whole = ChatAnswerBuilder(self.usage_of)
        whole._take_piece(message, is_whole=True)
        for pieces, before, told in (
            (self.text_pieces, self.tags or self._text, whole.text_pieces),
            (self.reasoning_pieces, self._reasoning, whole.reasoning_pieces),
        ):
            pending, text = "".join(pieces), fix_surrogates("".join(told))
            rest = ""
            # Takes no longer than reading *message* did.
            if len(text) > before.length + len(pending):
                so_far = fix_surrogates("".join((*before.parts, pending)))
                if text.startswith(so_far):
                    rest = text[len(so_far) :]
                else:
                    self.warn(OTHER)
            pieces[:] = filter(None, (pending, rest))
        if whole._calls is not None and self._calls is not None:
            self._calls.complete(whole._calls)
        elif whole._calls is not None:
            self._calls, self._called = whole._calls, True
        self.is_refused |= whole.is_refused
        self.others |= whole.others
        for warning in whole.warnings:
            self.warn(warning)


class ChatStream(EventParser):
    """Reads one streamed answer."""

    end_mark = DONE
    builder: ChatAnswerBuilder

    def read(self, event: dict[str, Any]) -> None:
        builder = self.builder
        builder.take(event)
        if (
            "choices" not in event or "error" in event
            or "base_resp" in event or "x_groq" in event
        ):  # fmt: skip
            error = error_inside(self._provider, event)
            if error is not None:
                self.fail(error)
        elif builder.finish == ERROR and (error := error_inside(self._provider, event)):
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
    details = "prompt_tokens_details", "prompt_token_details", "input_tokens_details"
    prompt = as_dict(next(filter(None, map(usage.get, details)), None))
    answer = as_dict(usage.get("completion_tokens_details") or usage.get("output_tokens_details"))
    counts = usage.get("prompt_tokens"), usage.get("completion_tokens")
    # mlx-vlm (https://github.com/earendil-works/pi/issues/2326, read 2026-11-30). Beside the counts
    # of Anthropic's cache, its names mean Anthropic's counts, without the cached tokens.
    if counts == (None, None) and "cache_read_input_tokens" not in usage:
        counts = usage.get("input_tokens"), usage.get("output_tokens")
    input_tokens, output_tokens = map(as_int, counts)
    cached = as_int(prompt.get("cached_tokens"))
    if cached is None:  # DeepSeek, Moonshot, Mistral, and gateways to Claude
        names = (
            "prompt_cache_hit_tokens", "cached_tokens", "num_cached_tokens",
            "cache_read_input_tokens",
        )  # fmt: skip
        cached = as_int(next((usage[name] for name in names if name in usage), None))
    reasoning = as_int(answer.get("reasoning_tokens", usage.get("reasoning_tokens")))
    writes = as_int(prompt.get("cache_write_tokens", usage.get("cache_creation_input_tokens")))
    total = as_int(usage.get("total_tokens"))
    if input_tokens and output_tokens is not None:
        rest = (total or 0) - input_tokens - output_tokens
        if rest > 0 and rest == (cached or 0) + (writes or 0) != reasoning:
            input_tokens += rest
        elif rest > 0 and reasoning in (None, rest):
            output_tokens += rest
        elif reasoning is not None and reasoning > output_tokens:
            output_tokens += reasoning
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


class OpenAIChat(Provider):
    """The common part of the providers that speak this dialect.

    Attributes:
        chat_path: Path below the base URL, like `models_path`.
        always: Fields of every request.
        request_id_headers: Response headers that may have the request id, in lower case.
        builder: The class that builds an answer from this provider's chunks.
    """

    chat_path: ClassVar[str] = CHAT
    models_path: ClassVar[str] = "/models"
    own_words: ClassVar[tuple[str, ...]] = ("max_completion_tokens",)
    asks_for_usage: ClassVar[bool] = True
    always: ClassVar[Mapping[str, object]] = MappingProxyType({})
    request_id_headers: ClassVar[tuple[str, ...]] = ("x-request-id",)
    builder: ClassVar[type[ChatAnswerBuilder]] = ChatAnswerBuilder

    def filled_in(self, prompt: Prompt, model: str) -> Mapping[str, object]:
        options = dict(prompt.options)
        return {name: value for name, value in self.always.items() if name not in options}

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
        return post_json(
            self.base_url + self.chat_path + self.query, body, self._headers(key), stream=stream
        )

    def parse_chat(self, response: HttpResponse) -> Completion:
        body = self._checked(response)
        choices = as_dicts(as_dict(body).get("choices"))
        if not any(isinstance(choice.get("message"), dict) for choice in choices):
            raise unreadable(self, response.body)
        builder = self.builder(usage_in, tags=ThinkTags() if self.facts.think_tags else None)
        builder.take(as_dict(body))
        builder.request_id = self._request_id(response) or builder.request_id
        return builder.whole(self)

    def stream_parser(self) -> ChatStream:
        tags = ThinkTags() if self.facts.think_tags else None
        return ChatStream(self, SSEDecoder(), self.builder(usage_in, tags=tags))

    def stream_error(self, event: dict[str, Any]) -> ProviderError:
        return told_inside(self, event)

    def models_request(
        self, key: Secret | None, *, page: str | None = None, limit: int = 1000
    ) -> HttpRequest:
        """Returns the request for the model list, which has one page in this dialect."""
        return HttpRequest("GET", self.url(self.models_path), self._headers(key))

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
        if not key:
            return {}
        if self._address.is_azure and not key.reveal().startswith(ENTRA):
            return {"api-key": key.reveal()}
        return {"Authorization": bearer(key)}

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
