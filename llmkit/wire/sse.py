"""Decodes server-sent events and lines of JSON from a stream that is cut at any byte.

Source: https://html.spec.whatwg.org/multipage/server-sent-events.html (read 2026-11-24).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from typing import ClassVar, Generic, NamedTuple, TypeVar

from ..errors import BadResponseError

T = TypeVar("T")

EVENT_LIMIT = 16 * 1024 * 1024  # bytes; the largest real events carry an image
BYTE_ORDER_MARK = b"\xef\xbb\xbf"
LONGEST_EVENT = 1_000  # lines
UNFRAMED = "unframed"  # the type of JSON that came without a field


class ServerSentEvent(NamedTuple):
    """One event; a tuple, because every chunk of every answer creates one.

    Attributes:
        data: The data lines, joined by line feeds.
        event: The type; "message" if the server named none.
        id: The last id in the stream, "" before the first.
    """

    data: str
    event: str = "message"
    id: str = ""


# Takes half the time of the constructor.
_new_event = tuple.__new__


class EventSplitter(ABC, Generic[T]):
    """Splits the bytes of one stream into events.

    Attributes:
        mark: The separator of events.
        called: The name of an event in error messages.
        replaced: True once bytes that are not UTF-8 became U+FFFD.
    """

    mark: ClassVar[str]
    called: ClassVar[str]

    def __init__(self, limit: int = EVENT_LIMIT) -> None:
        self.replaced = False
        self._limit = limit
        self._pending = bytearray()
        self._begun = False
        self._mark = self.mark.encode()

    @abstractmethod
    def event(self, text: str) -> T | None:
        """Returns the event that *text* encodes, None if there is none."""

    def feed(self, data: bytes) -> Iterator[T]:
        """Yields the events that *data* completes.

        Raises:
            BadResponseError: An event exceeds the size limit; those before it were yielded.
        """
        whole = self._whole(data)
        if whole and not self._begun:
            self._begun = True
            whole = whole.removeprefix(BYTE_ORDER_MARK)
        texts: Iterable[str] = ()
        if len(whole) > self._limit:
            texts = map(self._text, whole.split(self._mark))
        elif whole:
            try:
                texts = whole.decode().split(self.mark)
            except UnicodeDecodeError:  # decodes each event separately, so that only one is changed
                texts = map(self._text, whole.split(self._mark))
        for text in texts:
            event = self.event(text)
            if event is not None:
                yield event
        if len(self._pending) - len(self._mark) >= self._limit:
            raise self._over_limit()

    def _whole(self, data: bytes) -> bytes | bytearray:
        """Returns the complete events without the last mark, and buffers the rest."""
        buffer, mark = self._pending, self._mark
        if mark[:1] not in data:  # a fast path for the pieces of a large event
            buffer += data
            return b""
        if not buffer:
            cut = data.rfind(mark)
            buffer += data if cut < 0 else data[cut + len(mark) :]
            return data[: max(cut, 0)]
        # The search starts before *data*: a mark may be split over two reads.
        start = max(len(buffer) - len(mark) + 1, 0)
        buffer += data
        cut = buffer.rfind(mark, start)
        if cut < 0:
            return b""
        self._pending = buffer[cut + len(mark) :]
        del buffer[cut:]  # avoids a copy of a large buffer
        return buffer

    def end(self) -> list[T]:
        """Returns the event that the stream left without a mark, if any; it may be incomplete."""
        block, self._pending = self._pending, bytearray()
        event = self.event(
            self._text(block if self._begun else block.removeprefix(BYTE_ORDER_MARK))
        )
        return [] if event is None else [event]

    def _text(self, block: bytes | bytearray) -> str:
        if len(block) > self._limit:
            raise self._over_limit()
        try:
            return block.decode()
        except UnicodeDecodeError:
            self.replaced = True
            return block.decode("utf-8", "replace")

    def _over_limit(self) -> BadResponseError:
        return BadResponseError(
            f"the server sent {self.called} of over {self._limit:,} bytes; check the base URL",
            possibly_billed=True,
        )


class SSEDecoder(EventSplitter[ServerSentEvent]):
    """Decodes server-sent events; ignores `retry`, because llmkit never reconnects a stream."""

    mark = "\n\n"
    called = "an event"
    _after_return = False
    _id = ""

    def event(self, text: str) -> ServerSentEvent | None:
        """Returns the event that *text* encodes; None for a comment or an event without data.

        JSON outside of a field, which the standard ignores, is an event of the type `UNFRAMED`.
        """
        if text.startswith("data: ") and "\n" not in text:  # nearly every event
            return _new_event(ServerSentEvent, (text[6:], "message", self._id))
        data, kind = [], ""
        unframed: list[str] = []
        for line in text.split("\n"):
            field, _, value = line.partition(":")  # a comment's field is ""
            value = value.removeprefix(" ")
            if field == "data":
                data.append(value)
            elif field == "event":
                kind = value
            elif field == "id" and "\0" not in value:
                self._id = value
            elif field == "error" and value:
                # llama.cpp (https://github.com/ggml-org/llama.cpp/issues/16109, read 2026-11-30)
                data, kind = [value], "error"
            elif unframed or line.startswith(("{", "[")):
                unframed.append(line)
            elif data and line.startswith((" ", "\t", "}", "]")):  # of indented JSON
                data.append(line)
        # Servers whose generation fails after the headers write their error as a plain body
        # (https://github.com/lemonade-sdk/lemonade/issues/2826, read 2026-11-30).
        if unframed and data in ([], ["[DONE]"]):
            data, kind = unframed, UNFRAMED
        return ServerSentEvent("\n".join(data), kind or "message", self._id) if data else None

    def _whole(self, data: bytes) -> bytes | bytearray:
        # A carriage return ends its line at once, because the stream may pause after it. A line
        # feed at the start of the next read belongs to it.
        if self._after_return and data:
            data = data.removeprefix(b"\n")
            self._after_return = False
        if b"\r" in data:
            self._after_return = data.endswith(b"\r")
            data = data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        return super()._whole(data)


class NDJSONDecoder(EventSplitter[ServerSentEvent]):
    """Decodes events of one line each, or of several if they are indented; skips blank lines."""

    mark = "\n"
    called = "a line"
    _lines: tuple[str, ...] = ()

    def event(self, text: str) -> ServerSentEvent | None:
        """Returns the line as an event, None if it is blank or another line belongs to it."""
        line = text.strip()
        if line == "{" or self._lines:
            self._lines = (*self._lines, line)
            if text.rstrip() != "}" and len(self._lines) < LONGEST_EVENT:
                return None
            line, self._lines = "\n".join(self._lines), ()
        return ServerSentEvent(line) if line else None
