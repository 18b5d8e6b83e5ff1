"""Reads an answer in the chat-completions dialect, streamed or whole."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..types import Usage
from ..wire.json_values import as_dict, as_dicts, as_int, as_str
from ..wire.sse import ServerSentEvent
from .chat_completions_errors import broken_off, error_inside
from .stream_parser import DONE, AnswerBuilder, EventParser

# Source: the types of openai 3.54.0, mistralai 3.7.0 and openrouter 1.3.84 (read 2026-11-22).
FINISH_REASONS = {
    "stop": "stop",
    "length": "length",
    "model_length": "length",  # Mistral: the model's own limit
    "content_filter": "filtered",
    "tool_calls": "tool_calls",
    "function_call": "tool_calls",
}
BROKEN = "error"  # Mistral and OpenRouter: the server failed inside the answer
AFTERTHOUGHT = "text that came after the finish reason was left out"
REFUSAL = "the model refused; its text says why"


@dataclass
class ChatAnswerBuilder(AnswerBuilder):
    """An answer that grows by chunks; a whole answer is one large chunk."""

    def take(self, chunk: Mapping[str, Any]) -> None:
        """Adds what *chunk* says; only its choice 0 counts."""
        choices = chunk.get("choices")
        for position, choice in enumerate(choices if isinstance(choices, list) else ()):
            if not isinstance(choice, dict):
                continue
            index = choice.get("index")
            if (index if isinstance(index, int) else position) != 0:
                continue
            piece = choice.get("delta") or choice.get("message")
            if isinstance(piece, dict):
                if self.finish is None:
                    self._take_piece(piece)
                elif piece.get("content") and AFTERTHOUGHT not in self.warnings:
                    self.warnings.append(AFTERTHOUGHT)
            reason = choice.get("finish_reason")
            if reason and isinstance(reason, str) and self.finish is None:
                self.ended(reason, FINISH_REASONS)
                self.native_finish_reason = as_str(choice.get("native_finish_reason")) or reason
        usage = chunk.get("usage")
        if usage:
            self.usage = usage_in(as_dict(usage))
        self.model = as_str(chunk.get("model")) or self.model

    def _take_piece(self, piece: Mapping[str, Any]) -> None:
        content = piece.get("content")
        if content and isinstance(content, str):
            self.text_pieces.append(content)
        elif content:
            # Mistral's reasoning models: thinking and text parts in one list.
            for part in as_dicts(content):
                if part.get("thinking") is not None:
                    self.reasoning_pieces.extend(_texts_in(part["thinking"]))
                else:
                    self.text_pieces.extend(_texts_in(part.get("text")))
        # llama.cpp, vLLM and DeepSeek say reasoning_content, OpenRouter says reasoning; a proxy
        # that says both says the same twice.
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
            if REFUSAL not in self.warnings:
                self.warnings.append(REFUSAL)


class ChatStream(EventParser):
    """Reads one streamed answer."""

    end_mark = DONE
    builder: ChatAnswerBuilder

    def read(self, event: dict[str, Any]) -> None:
        """Takes one event into the builder."""
        builder = self.builder
        builder.take(event)
        if event.get("error") or event.get("object") == "error":
            error = error_inside(self._provider, event)
            if error is not None:
                self.fail(error)
        elif builder.native_finish_reason == BROKEN:
            self.fail(broken_off(self._provider))
        self.finished = builder.finish is not None

    def heeds(self, event: ServerSentEvent) -> bool:
        """False where it has a name, which the dialect has not: it is a proxy's, like a ping."""
        return event.event in ("message", "error")


def usage_in(usage: Mapping[str, Any]) -> Usage:
    """Token counts; here the prompt includes its cached part, the answer its reasoning."""
    prompt = as_dict(usage.get("prompt_tokens_details"))
    answer = as_dict(usage.get("completion_tokens_details"))
    return Usage(
        input_tokens=as_int(usage.get("prompt_tokens")),
        output_tokens=as_int(usage.get("completion_tokens")),
        cached_tokens=as_int(prompt.get("cached_tokens")),
        reasoning_tokens=as_int(answer.get("reasoning_tokens")),
        cache_write_tokens=as_int(prompt.get("cache_write_tokens")),
    )


def _texts_in(value: object) -> list[str]:
    if isinstance(value, str):
        return [value]
    return [part["text"] for part in as_dicts(value) if isinstance(part.get("text"), str)]
