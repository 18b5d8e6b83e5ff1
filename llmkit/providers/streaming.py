"""What reading an answer has in common in every dialect, streamed or whole."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from functools import cache
from operator import attrgetter
from typing import Any, ClassVar, Protocol

from ..errors import BadResponseError, ProviderError
from ..types import Completion, Status, TextDelta, ToolCall, Usage
from ..wire.exchange import parse_json
from ..wire.pieces import Pieces, mended
from ..wire.retry_hints import asked_in
from ..wire.sse import ServerSentEvent
from .base import NOTHING, Provider
from .plain_deltas import Paths, PlainDeltas, event_end
from .refusal import unreadable

# Every other finish reason means that the provider had finished.
STATUSES = {"length": Status.LENGTH, "filtered": Status.FILTERED}
REPLACED = "bytes that are not UTF-8 came as U+FFFD"
DONE = "[DONE]"  # proxies add it to any dialect
UNNAMED = "the provider did not say why the answer ended"

NO_USAGE = Usage()
ONE = ([1, 0], [0, 1])  # pieces of text and of reasoning

Event = ServerSentEvent | str
Rest = ServerSentEvent | Sequence[str] | None


class Decoder(Protocol):
    """Cuts a stream's bytes into events or lines."""

    @property
    def mark(self) -> str | None:
        """What stands between two events of one text; None where no text holds two."""
        ...

    @property
    def replaced(self) -> bool:
        """True once bytes that are not UTF-8 became U+FFFD."""
        ...

    def texts(self, data: bytes) -> list[str]:
        """What *data* completes, as text."""
        ...

    def event(self, text: str) -> Event | None:
        """The event that is written as *text*, None where that says nothing."""
        ...

    def end(self) -> Rest:
        """What the end of the stream left unfinished."""
        ...


@dataclass(slots=True)
class _Call:
    name: str = ""
    id: str | None = None
    parts: list[str] = field(default_factory=list)

    def whole(self) -> ToolCall:
        return ToolCall(self.name, mended("".join(self.parts)) or "{}", self.id)


@dataclass(slots=True)
class Draft:
    """An answer that is still being put together.

    Attributes:
        texts: Pieces of text that `delta` has not taken yet; so for `thoughts`.
        finish: Our word for why the answer ended, None until it did.
        native: The provider's own.
    """

    texts: list[str] = field(default_factory=list)
    thoughts: list[str] = field(default_factory=list)
    finish: str | None = None
    native: str | None = None
    usage: Usage = NO_USAGE
    model: str | None = None
    request_id: str | None = None
    warnings: list[str] = field(default_factory=list)
    _calls: dict[object, _Call] = field(default_factory=dict)
    _called: bool = False
    _text: Pieces = field(default_factory=Pieces)
    _reasoning: Pieces = field(default_factory=Pieces)

    def ended(self, native: str, names: Mapping[str, str]) -> None:
        """Notes the finish reason *native*, by its name in *names* or as it is."""
        self.native = native
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
        if not (self.texts or self.thoughts):
            called, self._called = self._called, False
            return TextDelta() if called else None
        text, reasoning = self._text.add(self.texts), self._reasoning.add(self.thoughts)
        self.texts, self.thoughts = [], []
        return TextDelta(text, reasoning) if text or reasoning else None

    def rest(self) -> tuple[object, ...]:
        """All that it knows but for its text; equal to an earlier one where nothing was added."""
        calls = [(call.name, call.id, len(call.parts)) for call in self._calls.values()]
        kind: Any = type(self)
        return calls, len(self.warnings), _known(kind)(self)

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
        calls = tuple(call.whole() for call in self._calls.values() if call.name)
        return Completion(
            text=self._text.text,
            reasoning=self._reasoning.text,
            tool_calls=calls,
            status=status,
            # Some providers call that an ordinary end.
            finish_reason="tool_calls" if calls and self.finish == "stop" else self.finish,
            native_finish_reason=self.native,
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


@cache
def _known(kind: Any) -> Callable[[Draft], object]:
    others = ("texts", "thoughts", "warnings", "_text", "_reasoning", "_calls")
    return attrgetter(*(field.name for field in fields(kind) if field.name not in others))


class EventParser(ABC):
    """Reads one streamed answer event by event; a dialect says what one event means.

    Attributes:
        end_mark: How the dialect says that nothing more comes, None where it has no such mark.
        paths: Where in its most frequent events what they say is.
        draft: The answer so far.
        plain: What such events look like.
    """

    end_mark: ClassVar[str | None] = None
    paths: ClassVar[Paths]

    def __init__(self, provider: Provider, decoder: Decoder, draft: Draft | None = None) -> None:
        self.begun = False
        self.finished = False
        self.done = False
        self.error: ProviderError | None = None
        self.draft = draft or Draft()
        self.plain = PlainDeltas(self.paths)
        self._provider = provider
        self._decoder = decoder
        self._closed = False

    @abstractmethod
    def read(self, event: dict[str, Any]) -> None:
        """Takes one event into the draft; sets `finished`, `done` and `error` as it says."""

    def feed(self, data: bytes) -> TextDelta | None:
        """What *data* adds to the answer, joined; None where it adds no text."""
        if self.done:
            return None
        try:
            for text in self._decoder.texts(data):
                self._take_text(text)
        except BadResponseError as error:  # one event beyond all measure
            self.fail(error)
        return self.draft.delta()

    def close(self) -> None:
        """Says that nothing more comes: what the last event lacked is made up for."""
        if self._closed:
            return
        self._closed = True
        if not self.done:
            self._take_last()
        if self._decoder.replaced:
            self.draft.warnings.append(REPLACED)
        if self.finished and not self.done and self.end_mark:
            self.draft.warnings.append(f"the stream ended without its {self.end_mark} mark")
        self.done = True

    def end(self, status: Status | None = None, about: Mapping[str, Any] = NOTHING) -> Completion:
        """The answer as far as it came, see `StreamParser.end`."""
        self.close()
        return self.draft.completion(status or (Status.ERROR if self.error else None), about)

    def heeds(self, event: Event) -> bool:
        """False where *event*, which is no JSON object, is none of this dialect's."""
        return True

    def fail(self, error: ProviderError) -> None:
        """Ends the stream with *error*; the text so far stays."""
        self.error = error
        self.done = True

    def _take_text(self, text: str) -> None:
        """Takes the events in *text*: plain ones as many at once as there are, others by one."""
        at, mark = 0, self._decoder.mark
        while at < len(text) and not self.done:
            if text.startswith("\n", at):  # a blank line too many
                at += 1
                continue
            run = self.plain.run(text, at)
            if run is not None:
                said, thought, at = run
                (self.draft.thoughts if thought else self.draft.texts).append(said)
                continue
            end = event_end(text, at, mark)
            written = text[at:end]
            event = self._decoder.event(written)
            if event is not None:
                self._take(event, written)
            at = end + len(mark or "")

    def _take(self, event: Event, text: str = "") -> None:
        """Takes one event, which the stream wrote as *text*."""
        payload = _payload(event)
        body = None if payload == DONE else parse_json(payload)
        if isinstance(body, dict):
            self.begun = True
            self._read(body, text)
        elif (said := payload.strip()) == DONE:
            self.done = True
        elif said and self.heeds(event):
            self.fail(unreadable(self._provider, payload))

    def _read(self, body: dict[str, Any], text: str) -> None:
        if self.plain.curious():
            self._read_to_learn(body, text)
        else:
            self.read(body)
        if self.error is not None:
            self.error.retry_after = asked_in(body)

    def _read_to_learn(self, body: dict[str, Any], text: str) -> None:
        draft, plain = self.draft, self.plain
        before, texts, thoughts = draft.rest(), len(draft.texts), len(draft.thoughts)
        self.read(body)
        new = (draft.texts[texts:], draft.thoughts[thoughts:])
        if draft.rest() != before:
            plain.forget()  # what a plain event says besides its text was not said last
        elif [len(pieces) for pieces in new] in ONE:
            (said,), thought = new[0] or new[1], not new[0]
            mark = self._decoder.mark
            plain.learn(text, body, said, thought=thought, mark=mark, body_of=self._body_of)

    def _body_of(self, text: str) -> Any:
        """The JSON in *text* if that is one event, else None."""
        event = self._decoder.event(text)
        return None if event is None else parse_json(_payload(event))

    def _take_last(self) -> None:
        # Some servers leave out the line that closes the last event. What is whole counts; what
        # was cut inside is no JSON and is dropped.
        last = self._decoder.end()
        events = [last] if isinstance(last, ServerSentEvent) else list(last or ())
        for event in map(_payload, events):
            if _is_whole(event) and not self.done:
                self._take(event)


def _is_whole(payload: str) -> bool:
    return payload.strip() == DONE or isinstance(parse_json(payload), dict)


def _payload(event: Event) -> str:
    return event.data if isinstance(event, ServerSentEvent) else event
