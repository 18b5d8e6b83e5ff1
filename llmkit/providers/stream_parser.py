"""Builds answers from streams and documents; the common part of all dialects."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar, Protocol

from ..errors import BadResponseError, Outcome, ProviderError, shorten, shown
from ..types import Completion, Status, TextDelta, Usage
from ..wire.messages import fix_surrogates, parse_json
from ..wire.retry_hints import asked_in
from ..wire.sse import UNFRAMED, ServerSentEvent
from .base import NOTHING, Provider
from .error_bodies import holds_error, refused, unreadable
from .finish_reasons import ERROR, FILTERED, FINISHES, LENGTH, STATUSES, STOP, TOOL_CALLS, finish_of
from .think_tags import ThinkTags
from .tool_calls import ToolCalls

REPLACED = "bytes that are not UTF-8 were replaced by U+FFFD"
DONE = "[DONE]"  # proxies send it in any dialect
UNNAMED = "the provider sent no finish reason"
SECOND = "the server sent a second choice, which was ignored; for several answers pass repeats="
NO_USAGE = Usage()
MEDIA = {"image": "images", "audio": "audio", "video": "video"}
LONGEST_NAME = 1_000  # characters of a model, a finish reason or an id; the rest is cut
MOST_KINDS = 5  # of other content; further ones are not named


class Decoder(Protocol):
    """Splits a stream's bytes into events."""

    @property
    def replaced(self) -> bool:
        """True after bytes that are not UTF-8 were replaced by U+FFFD."""

    def feed(self, data: bytes) -> Iterable[ServerSentEvent]:
        """Returns the events that *data* completes."""

    def end(self) -> Iterable[ServerSentEvent]:
        """Returns the events left at the end of the stream; the last may be incomplete."""


class TextPieces:
    """One text that grows.

    Servers that count in UTF-16 may split an emoji into two JSON escapes. The first half is held
    back until the second arrives.

    Attributes:
        parts: The text so far.
        length: Its characters.
    """

    def __init__(self) -> None:
        self.length = 0
        self.parts: list[str] = []
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
            self.parts.append(text)
            self.length += len(text)
        return text

    @property
    def text(self) -> str:
        """The text so far; half an emoji is U+FFFD."""
        return "".join(self.parts) + (fix_surrogates(self._half) if self._half else "")


@dataclass(slots=True)
class AnswerBuilder:
    """An answer under construction.

    Attributes:
        usage_of: Returns the usage that `counts` tell.
        text_pieces: Text that `delta` has not returned yet, like `reasoning_pieces`.
        finish: The standard finish reason, None before the first. The last one counts.
        native_finish_reason: The provider's finish reason.
        is_refused: True if the provider marked text as the model's refusal.
        is_whole: True if the provider marked the end, with or without a finish reason.
        others: Kinds of content that is neither text nor reasoning nor a tool call.
        counts: The token counts so far, in the provider's words.
        tags: Finds reasoning in the text; None if the server sends it apart.
        names: The fields with a short text from the server.
    """

    names: ClassVar[tuple[str, ...]] = (
        "finish", "native_finish_reason", "model", "request_id", "service_tier",
    )  # fmt: skip
    usage_of: Callable[[Mapping[str, Any]], Usage]
    text_pieces: list[str] = field(default_factory=list)
    reasoning_pieces: list[str] = field(default_factory=list)
    finish: str | None = None
    native_finish_reason: str | None = None
    is_refused: bool = False
    is_whole: bool = False
    others: set[str] = field(default_factory=set)
    counts: dict[str, Any] = field(default_factory=dict)
    service_tier: str | None = None
    model: str | None = None
    request_id: str | None = None
    warnings: list[str] = field(default_factory=list)
    tags: ThinkTags | None = None
    _calls: ToolCalls | None = None
    _called: bool = False
    _text: TextPieces = field(default_factory=TextPieces)
    _reasoning: TextPieces = field(default_factory=TextPieces)

    def warn(self, warning: str) -> None:
        """Adds *warning* once."""
        if warning not in self.warnings:
            self.warnings.append(warning)

    def ended(self, word: str, upstream: object = None) -> None:
        """Sets the finish reason; *upstream* is that of the provider behind a gateway."""
        finish = FINISHES.get(word)
        if finish is None:
            finish = finish_of(word)
        if upstream and isinstance(upstream, str):
            # Some gateways report "stop" for every reason that they do not translate
            # (https://github.com/reVrost/go-openrouter/pull/43, read 2026-11-30).
            behind = finish_of(upstream) if finish == STOP else STOP
            finish = behind if behind in (LENGTH, FILTERED, ERROR) else finish
            word = upstream
        if finish:
            self.native_finish_reason, self.finish = word, finish

    def also(self, kind: str) -> None:
        """Notes that content of this *kind*, such as "image/png", came."""
        known_kinds = (name for part, name in MEDIA.items() if part in kind.lower())
        if len(self.others) < MOST_KINDS:
            self.others.add(next(known_kinds, None) or shorten(kind, 40))

    def tool(
        self,
        place: object,
        *,
        name: object = None,
        id: object = None,  # the providers' word
        arguments: object = "",
    ) -> None:
        """Adds to the tool call at *place* in the answer; see `ToolCalls.add`."""
        if self._calls is None:
            self._calls = ToolCalls()
        self._calls.add(place, name, id, arguments)
        self._called = True

    def delta(self, *, last: bool = False) -> TextDelta | None:
        """Returns what arrived since the last delta, None if nothing did.

        Args:
            last: True if nothing follows, so that nothing is held back.
        """
        if self.tags is not None:
            self._separate(self.tags, last)
        if not (self.text_pieces or self.reasoning_pieces):
            has_call, self._called = self._called, False
            return TextDelta() if has_call else None
        text = self._text.add(self.text_pieces)
        reasoning = self._reasoning.add(self.reasoning_pieces)
        self.text_pieces, self.reasoning_pieces = [], []
        return TextDelta(text, reasoning) if text or reasoning else None

    def _separate(self, tags: ThinkTags, is_last: bool) -> None:
        texts, thoughts = self.text_pieces, self.reasoning_pieces
        is_apart = bool(thoughts)  # the server separates the reasoning itself
        pairs = [] if is_apart else [tags.split("".join(texts))]
        if is_apart or is_last or tags.found_none:
            pairs.append(tags.end())
            self.tags = None
        self.text_pieces = [text for text, _ in pairs if text] + (texts if is_apart else [])
        self.reasoning_pieces = [thought for _, thought in pairs if thought] + thoughts

    def completion(
        self, status: Status | None = None, about: Mapping[str, Any] = NOTHING
    ) -> Completion:
        """Returns the answer so far; see `StreamParser.end`."""
        self.delta(last=True)
        for name in self.names:
            word = getattr(self, name)
            if word is not None and not (word.isascii() and len(word) <= LONGEST_NAME):
                setattr(self, name, fix_surrogates(word[:LONGEST_NAME]))
        more = dict(about)
        warnings, request_id = more.pop("warnings", ()), more.pop("request_id", None)
        service_tier = more.pop("service_tier", None)
        calls = () if self._calls is None else self._calls.result()
        finish, text, reasoning = self.finish, self._text.text, self._reasoning.text
        usage = self.usage_of(self.counts) if self.counts else NO_USAGE
        # Gateways that do not count send zeros (https://github.com/MiXaiLL76/auto_ai_router/pull/142
        # and https://github.com/BerriAI/litellm/issues/38065, read 2026-11-30).
        counts = usage.input_tokens, usage.output_tokens
        if 0 in counts:
            output = counts[1] or None if text or reasoning or calls else counts[1]
            usage = replace(usage, input_tokens=counts[0] or None, output_tokens=output)
        if self.is_refused and (finish in (STOP, LENGTH) or (self.is_whole and not finish)):
            finish = FILTERED
        elif calls and finish == STOP:  # some providers report "stop" after a tool call
            finish = TOOL_CALLS
        if status is None:
            status = Status.COMPLETE if self.is_whole else Status.TRUNCATED
            if finish:
                status = STATUSES.get(finish, Status.INCOMPLETE)
            if status is not Status.COMPLETE or not finish or not text or text.isspace():
                is_empty = not (text.strip() or calls)
                warnings = (*self._remarks(status, usage, is_empty=is_empty), *warnings)
        return Completion(
            text=text,
            reasoning=reasoning,
            tool_calls=calls,
            status=status,
            finish_reason=finish,
            native_finish_reason=self.native_finish_reason,
            usage=usage,
            service_tier=self.service_tier or service_tier,
            response_model=self.model,
            request_id=self.request_id or request_id,
            warnings=(*self.warnings, *warnings),
            **more,
        )

    def _remarks(self, status: Status, usage: Usage, *, is_empty: bool) -> Iterator[str]:
        """Yields what a reader must know about the end of an answer with this *status*."""
        if status is Status.INCOMPLETE:
            reason = shown(self.native_finish_reason)
            yield f"the answer ended with the finish reason {reason}, so it may be incomplete"
        if status is Status.COMPLETE and self.finish is None:
            yield UNNAMED
        if not (is_empty and status.is_ok):
            return
        spent, total = usage.reasoning_tokens or 0, usage.output_tokens or 0
        is_at_limit = status is Status.LENGTH
        if self.others:
            kinds = " and ".join(sorted(self.others))
            yield f"the answer has no text, but {kinds}, which llmkit does not return"
        elif spent and (is_at_limit or spent >= total):
            yield (
                f"the answer has no text: thinking used up {spent} of {max(spent, total)} output "
                "tokens; raise max_tokens, or lower the reasoning effort"
            )
        elif self._reasoning.text:
            what = "the answer has reasoning, but no text"
            cause = "thinking used up" if is_at_limit else "if thinking used up"
            yield f"{what}: {cause} the token limit; raise max_tokens"
        elif is_at_limit:
            yield "the answer is empty: the token limit came before any text; raise max_tokens"
        else:
            yield "the answer is empty: nothing came, neither text nor reasoning nor a tool call"

    def broken_off(self, provider: Provider) -> ProviderError:
        """Returns the error for a finish reason that means an error of the server."""
        words = f"the answer ended with the finish reason {shown(self.native_finish_reason)}"
        error = refused(provider, 500, words, code=self.native_finish_reason)
        has_content = self._text.text or self._reasoning.text or self._calls
        if has_content or self.usage_of(self.counts).output_tokens:
            error.outcome, error.possibly_billed = Outcome.STREAMED, True
        return error

    def whole(self, provider: Provider, *, needs_reason: bool = False) -> Completion:
        """Returns the answer of a document; without a finish reason it has a warning.

        If *needs_reason*, as in an array of the chunks of a stream, it is truncated instead.

        Raises:
            ServerError: Its finish reason means an error; `.completion` is the answer.
        """
        self.is_whole = not needs_reason
        answer = self.completion()
        if answer.status is Status.ERROR:
            error = self.broken_off(provider)
            error.completion = answer
            raise error
        return answer


def add_counts(counts: dict[str, Any], later: Mapping[str, Any], depth: int = 2) -> None:
    """Updates *counts*, and the objects in it, by those of a *later* event; it may have only some.

    Counts are running totals, so that a later zero or null is a count that the server left out
    (https://github.com/envoyproxy/ai-gateway/issues/1631, read 2026-11-30).
    """
    for name, count in later.items():
        before = counts.get(name)
        if depth and isinstance(count, dict) and isinstance(before, dict):
            add_counts(before, count, depth - 1)
        elif count or not before:
            counts[name] = count


class EventParser(ABC):
    """Reads one streamed answer event by event; subclasses interpret the events of a dialect.

    Attributes:
        end_mark: The dialect's mark for the end of a stream, None if it has none.
        ends_with_body: True if only the end of the body ends a stream of the dialect.
        builder: The answer so far.
    """

    end_mark: ClassVar[str | None] = None
    ends_with_body: ClassVar[bool] = False

    def __init__(self, provider: Provider, decoder: Decoder, builder: AnswerBuilder) -> None:
        self.begun = False
        self.finished = False
        self.done = False
        self.error: ProviderError | None = None
        self.builder = builder
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
            whole = last.data.strip() == DONE or isinstance(parse_json(last.data), dict | list)
            if (whole or last.event == "error") and not self.done:
                self._take(last)
        if self._decoder.replaced:
            self.builder.warnings.append(REPLACED)
        if self.finished and not self.done and self.end_mark:
            self.builder.warnings.append(f"the stream ended without its {self.end_mark} mark")
        self.done = True
        rest = self.builder.delta(last=True)
        if self.builder.finish == ERROR and self.error is None:
            self.error = self.builder.broken_off(self._provider)
        return rest

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
        kind = event.event
        if kind == UNFRAMED:
            # Only an error: a document may have any form, and `AnswerReader` keeps it.
            if holds_error(body):
                self._refuse(body)
        elif isinstance(body, dict):
            self.begun = True
            self.read(body)
            if self.error is not None:
                self.error.retry_after = asked_in(body)
            elif kind == "error":
                self._refuse(body)
        elif (text := data.strip()) == DONE:
            self.done = True
            self.builder.is_whole = self.begun and self.end_mark == DONE
        elif kind == "error" or holds_error(body):
            self._refuse(body if isinstance(body, str | list) else {"error": text})
        elif text and self.heeds(event):
            then = "ask again" if self.begun else None
            self.fail(unreadable(self._provider, data, then=then))

    def _refuse(self, body: Any) -> None:
        """Ends the stream with the error that *body* tells."""
        self.fail(self._provider.stream_error(body))
        assert self.error is not None
        self.error.retry_after = asked_in(body)
