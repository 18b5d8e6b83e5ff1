"""Builds answers from streams and documents; the common part of all dialects."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Protocol

from ..errors import BadResponseError, ProviderError
from ..types import Completion, Status, TextDelta, ToolCall, Usage
from ..wire.messages import fix_surrogates, parse_json
from ..wire.retry_hints import asked_in
from ..wire.sse import ServerSentEvent
from .base import NOTHING, Provider
from .error_bodies import unreadable

# Every other finish reason means a complete answer.
STATUSES = {"length": Status.LENGTH, "filtered": Status.FILTERED}
REPLACED = "bytes that are not UTF-8 were replaced by U+FFFD"
DONE = "[DONE]"  # proxies send it in any dialect
UNNAMED = "the provider sent no finish reason"
NO_USAGE = Usage()
LONGEST_NAME = 1_000  # characters of a model, a finish reason or an id; the rest is cut


class Decoder(Protocol):
    """Splits a stream's bytes into events."""

    @property
    def replaced(self) -> bool:
        """True after bytes that are not UTF-8 were replaced by U+FFFD."""

    def feed(self, data: bytes) -> Iterable[ServerSentEvent]:
        """Returns the events that *data* completes."""

    def end(self) -> Iterable[ServerSentEvent]:
        """Returns the events left at the end of the stream; the last may be incomplete."""


@dataclass(slots=True)
class _Call:
    name: str = ""
    id: str | None = None
    parts: list[str] = field(default_factory=list)


class TextPieces:
    """One text that grows.

    Servers that count in UTF-16 may split an emoji into two JSON escapes. The first half is held
    back until the second arrives.
    """

    def __init__(self) -> None:
        self._parts: list[str] = []
        self._half = ""

    def add(self, pieces: Iterable[str]) -> str:
        """Returns the text that *pieces* add. Called once per network read, not per piece."""
        text = self._half + "".join(pieces)
        self._half = ""
        if not text.isascii():
            if "\ud800" <= text[-1] <= "\udbff":
                text, self._half = text[:-1], text[-1]
            text = fix_surrogates(text)
        if text:
            self._parts.append(text)
        return text

    @property
    def text(self) -> str:
        """The text so far; half an emoji is U+FFFD."""
        return "".join(self._parts) + (fix_surrogates(self._half) if self._half else "")


@dataclass(slots=True)
class AnswerBuilder:
    """An answer under construction.

    Attributes:
        text_pieces: Text that `delta` has not returned yet, like `reasoning_pieces`.
        finish: The standard finish reason, None before the end.
        native_finish_reason: The provider's finish reason.
        names: The fields with a short text from the server.
    """

    names: ClassVar[tuple[str, ...]] = ("finish", "native_finish_reason", "model", "request_id")
    text_pieces: list[str] = field(default_factory=list)
    reasoning_pieces: list[str] = field(default_factory=list)
    finish: str | None = None
    native_finish_reason: str | None = None
    usage: Usage = NO_USAGE
    model: str | None = None
    request_id: str | None = None
    warnings: list[str] = field(default_factory=list)
    _calls: dict[object, _Call] = field(default_factory=dict)
    _called: bool = False
    _text: TextPieces = field(default_factory=TextPieces)
    _reasoning: TextPieces = field(default_factory=TextPieces)

    def ended(self, native: str, names: Mapping[str, str]) -> None:
        """Sets the finish reason *native*, translated by *names* if it is there."""
        self.native_finish_reason = native
        self.finish = names.get(native, native)

    def tool(
        self,
        place: object,
        *,
        name: object = None,
        id: object = None,  # the providers' word
        arguments: object = "",
    ) -> None:
        """Adds to the tool call at *place* in the answer; None adds a complete call.

        Raises:
            BadResponseError: *arguments* is an object that is nested too deeply.
        """
        is_place = isinstance(place, int | str)
        call = self._calls.setdefault(str(place) if is_place else len(self._calls), _Call())
        call.name = call.name or (name if isinstance(name, str) else "")
        call.id = call.id or (id if isinstance(id, str) else None)
        if isinstance(arguments, str):
            call.parts.append(arguments)
        elif arguments:  # some providers send an object instead of text
            try:
                call.parts.append(json.dumps(arguments, ensure_ascii=False))
            except RecursionError:
                raise BadResponseError(
                    "the arguments of a tool call are nested too deeply; ask again",
                    possibly_billed=True,
                ) from None
        self._called = True

    def delta(self) -> TextDelta | None:
        """Returns what arrived since the last delta, None if nothing did."""
        if not (self.text_pieces or self.reasoning_pieces):
            has_call, self._called = self._called, False
            return TextDelta() if has_call else None
        text = self._text.add(self.text_pieces)
        reasoning = self._reasoning.add(self.reasoning_pieces)
        self.text_pieces, self.reasoning_pieces = [], []
        return TextDelta(text, reasoning) if text or reasoning else None

    def completion(
        self, status: Status | None = None, about: Mapping[str, Any] = NOTHING
    ) -> Completion:
        """Returns the answer so far; see `StreamParser.end`."""
        self.delta()
        for name in self.names:
            word = getattr(self, name)
            if word is not None and not (word.isascii() and len(word) <= LONGEST_NAME):
                setattr(self, name, fix_surrogates(word[:LONGEST_NAME]))
        more = dict(about)
        warnings, request_id = more.pop("warnings", ()), more.pop("request_id", None)
        if status is None:
            status = STATUSES.get(self.finish or "", Status.COMPLETE)
            status = status if self.finish else Status.TRUNCATED
        calls: tuple[ToolCall, ...] = ()
        if self._calls:
            calls = tuple(
                ToolCall(
                    fix_surrogates(call.name),
                    fix_surrogates("".join(call.parts)) or "{}",
                    fix_surrogates(call.id) if call.id else None,
                )
                for call in self._calls.values()
                if call.name
            )
        return Completion(
            text=self._text.text,
            reasoning=self._reasoning.text,
            tool_calls=calls,
            status=status,
            # Some providers report "stop" after a tool call.
            finish_reason="tool_calls" if calls and self.finish == "stop" else self.finish,
            native_finish_reason=self.native_finish_reason,
            usage=self.usage,
            response_model=self.model,
            request_id=self.request_id or request_id,
            warnings=(*self.warnings, *warnings),
            **more,
        )

    def whole(self) -> Completion:
        """Returns the answer of a whole document, with a warning if it has no finish reason."""
        if self.finish is not None:
            return self.completion()
        self.warnings.append(UNNAMED)
        return self.completion(Status.COMPLETE)


class EventParser(ABC):
    """Reads one streamed answer event by event; subclasses interpret the events of a dialect.

    Attributes:
        end_mark: The dialect's mark for the end of a stream, None if it has none.
        builder: The answer so far.
    """

    end_mark: ClassVar[str | None] = None

    def __init__(
        self, provider: Provider, decoder: Decoder, builder: AnswerBuilder | None = None
    ) -> None:
        self.begun = False
        self.finished = False
        self.done = False
        self.error: ProviderError | None = None
        self.builder = builder or AnswerBuilder()
        self._provider = provider
        self._decoder = decoder
        self._closed = False

    @abstractmethod
    def read(self, event: dict[str, Any]) -> None:
        """Adds one event to the builder; sets `finished`, `done` and `error` accordingly."""

    def feed(self, data: bytes) -> TextDelta | None:
        try:
            for event in () if self.done else self._decoder.feed(data):
                self._take(event)
                if self.done:
                    break
        except BadResponseError as error:  # one event exceeds the size limit
            self.fail(error)
        return self.builder.delta()

    def close(self) -> TextDelta | None:
        if self._closed:
            return None
        self._closed = True
        # Some servers omit the blank line after the last event. A whole event counts; a cut one
        # is not valid JSON and is dropped.
        for last in () if self.done else self._decoder.end():
            whole = last.data.strip() == DONE or isinstance(parse_json(last.data), dict)
            if whole and not self.done:
                self._take(last)
        if self._decoder.replaced:
            self.builder.warnings.append(REPLACED)
        if self.finished and not self.done and self.end_mark:
            self.builder.warnings.append(f"the stream ended without its {self.end_mark} mark")
        self.done = True
        return self.builder.delta()

    def end(self, status: Status | None = None, about: Mapping[str, Any] = NOTHING) -> Completion:
        self.close()
        return self.builder.completion(status or (Status.ERROR if self.error else None), about)

    def heeds(self, event: ServerSentEvent) -> bool:
        """Returns False if *event*, which is not a JSON object, is foreign to the dialect."""
        return True

    def fail(self, error: ProviderError) -> None:
        """Ends the stream with *error*; the text so far is kept."""
        self.error = error
        self.done = True

    def _take(self, event: ServerSentEvent) -> None:
        data = event.data
        body = None if data == DONE else parse_json(data)
        if isinstance(body, dict):
            self.begun = True
            self.read(body)
            if self.error is not None:
                self.error.retry_after = asked_in(body)
        elif (text := data.strip()) == DONE:
            self.done = True
        elif text and self.heeds(event):
            self.fail(unreadable(self._provider, data))
