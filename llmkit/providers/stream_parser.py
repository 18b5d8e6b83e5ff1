"""What reading an answer has in common in every dialect, streamed or whole."""

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

# Every other finish reason means that the provider had finished.
STATUSES = {"length": Status.LENGTH, "filtered": Status.FILTERED}
REPLACED = "bytes that are not UTF-8 came as U+FFFD"
DONE = "[DONE]"  # proxies add it to any dialect
UNNAMED = "the provider did not say why the answer ended"

NO_USAGE = Usage()


class Decoder(Protocol):
    """Cuts a stream's bytes into events."""

    @property
    def replaced(self) -> bool:
        """True once bytes that are not UTF-8 became U+FFFD."""
        ...

    def feed(self, data: bytes) -> Iterable[ServerSentEvent]:
        """The events that *data* completes."""
        ...

    def end(self) -> Iterable[ServerSentEvent]:
        """The events that the end of the stream left unfinished; the last may be half of one."""
        ...


@dataclass(slots=True)
class _Call:
    name: str = ""
    id: str | None = None
    parts: list[str] = field(default_factory=list)


class TextPieces:
    """One text as it grows.

    Servers that count in UTF-16 may cut an emoji in two and send each half as a JSON escape of
    its own; the first half is kept back until the second comes.
    """

    def __init__(self) -> None:
        self._parts: list[str] = []
        self._half = ""

    def add(self, pieces: Iterable[str]) -> str:
        """What *pieces* add to the text; called once per network read, not per piece."""
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
        """All of it so far; a half that never found its other one is U+FFFD."""
        return "".join(self._parts) + (fix_surrogates(self._half) if self._half else "")


@dataclass(slots=True)
class AnswerBuilder:
    """An answer that is still being put together.

    Attributes:
        text_pieces: Pieces of text that `delta` has not returned yet; so for `reasoning_pieces`.
        finish: Our word for why the answer ended, None until it did.
        native_finish_reason: In the provider's words.
    """

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
        """Notes the finish reason *native*, by its name in *names* or as it is."""
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
        """Adds to the call of a tool at that *place* in the answer; None for one that is whole."""
        call = self._calls.setdefault(len(self._calls) if place is None else str(place), _Call())
        call.name = call.name or (name if isinstance(name, str) else "")
        call.id = call.id or (id if isinstance(id, str) else None)
        if isinstance(arguments, str):
            call.parts.append(arguments)
        elif arguments:  # some providers give them as an object and not as text
            call.parts.append(json.dumps(arguments, ensure_ascii=False))
        self._called = True

    def delta(self) -> TextDelta | None:
        """What came since the last delta; None where nothing did."""
        if not (self.text_pieces or self.reasoning_pieces):
            has_call, self._called = self._called, False
            return TextDelta() if has_call else None
        text, reasoning = (
            self._text.add(self.text_pieces),
            self._reasoning.add(self.reasoning_pieces),
        )
        self.text_pieces, self.reasoning_pieces = [], []
        return TextDelta(text, reasoning) if text or reasoning else None

    def completion(
        self, status: Status | None = None, about: Mapping[str, Any] = NOTHING
    ) -> Completion:
        """The answer as far as it came; see `StreamParser.end`."""
        self.delta()
        more = dict(about)
        warnings, request_id = more.pop("warnings", ()), more.pop("request_id", None)
        if status is None:
            status = STATUSES.get(self.finish or "", Status.COMPLETE)
            status = status if self.finish else Status.TRUNCATED
        calls: tuple[ToolCall, ...] = ()
        if self._calls:
            calls = tuple(
                ToolCall(call.name, fix_surrogates("".join(call.parts)) or "{}", call.id)
                for call in self._calls.values()
                if call.name
            )
        return Completion(
            text=self._text.text,
            reasoning=self._reasoning.text,
            tool_calls=calls,
            status=status,
            # Some providers call that an ordinary end.
            finish_reason="tool_calls" if calls and self.finish == "stop" else self.finish,
            native_finish_reason=self.native_finish_reason,
            usage=self.usage,
            response_model=self.model,
            request_id=self.request_id or request_id,
            warnings=(*self.warnings, *warnings),
            **more,
        )

    def whole(self) -> Completion:
        """The answer of a document that came to its end, whether or not it names a reason."""
        if self.finish is not None:
            return self.completion()
        self.warnings.append(UNNAMED)
        return self.completion(Status.COMPLETE)


class EventParser(ABC):
    """Reads one streamed answer event by event; a dialect says what one event means.

    Attributes:
        end_mark: How the dialect says that nothing more comes, None where it has no such mark.
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
        """Takes one event into the builder; sets `finished`, `done` and `error` as it says."""

    def feed(self, data: bytes) -> TextDelta | None:
        """What *data* adds to the answer, joined; None where it adds no text."""
        try:
            for event in () if self.done else self._decoder.feed(data):
                self._take(event)
                if self.done:
                    break
        except BadResponseError as error:  # one event beyond all measure
            self.fail(error)
        return self.builder.delta()

    def close(self) -> TextDelta | None:
        """Says that nothing more comes; what the last event lacked is made up for, and returned."""
        if self._closed:
            return None
        self._closed = True
        # Some servers leave out the line that closes the last event. What is whole counts; what
        # was cut inside is no JSON and is dropped.
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
        """The answer as far as it came, see `StreamParser.end`."""
        self.close()
        return self.builder.completion(status or (Status.ERROR if self.error else None), about)

    def heeds(self, event: ServerSentEvent) -> bool:
        """False where *event*, which is no JSON object, is none of this dialect's."""
        return True

    def fail(self, error: ProviderError) -> None:
        """Ends the stream with *error*; the text so far stays."""
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
