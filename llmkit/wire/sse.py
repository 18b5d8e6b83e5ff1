"""Events out of a stream that was cut anywhere: server-sent events, and lines of JSON.

Source: https://html.spec.whatwg.org/multipage/server-sent-events.html (read 2026-11-24).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from typing import ClassVar, Generic, NamedTuple, TypeVar

from ..errors import BadResponseError

T = TypeVar("T")

EVENT_LIMIT = 16 * 1024 * 1024  # bytes; the largest honest events carry an image
BYTE_ORDER_MARK = b"\xef\xbb\xbf"


class ServerSentEvent(NamedTuple):
    """One event. A tuple, because one is made for every chunk of every answer.

    Attributes:
        data: The data lines, joined by line feeds.
        event: Its type; "message" where the server named none.
        id: The last id that the stream gave, "" before the first.
    """

    data: str
    event: str = "message"
    id: str = ""


# Half the time of the constructor, for every chunk of every answer.
_new_event = tuple.__new__


class EventSplitter(ABC, Generic[T]):
    """Turns one stream's bytes, cut anywhere, into events.

    Attributes:
        mark: What stands between two events.
        called: What an event is called in a message.
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
        """The event that is written as *text*, None where that says nothing."""

    def feed(self, data: bytes) -> Iterator[T]:
        """The events that *data* completes.

        Raises:
            BadResponseError: One of them is larger than the limit; those before it were given.
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
            except UnicodeDecodeError:  # the events before and after are still to be exact
                texts = map(self._text, whole.split(self._mark))
        for text in texts:
            event = self.event(text)
            if event is not None:
                yield event
        if len(self._pending) - len(self._mark) >= self._limit:
            raise self._over_limit()

    def _whole(self, data: bytes) -> bytes | bytearray:
        """What is complete with *data*, without its last mark; the rest is kept."""
        buffer, mark = self._pending, self._mark
        if mark[:1] not in data:  # quickly told, and most of a large event is that
            buffer += data
            return b""
        if not buffer:
            cut = data.rfind(mark)
            buffer += data if cut < 0 else data[cut + len(mark) :]
            return data[: max(cut, 0)]
        # Some bytes back: the mark may be split over two reads.
        start = max(len(buffer) - len(mark) + 1, 0)
        buffer += data
        cut = buffer.rfind(mark, start)
        if cut < 0:
            return b""
        self._pending = buffer[cut + len(mark) :]
        del buffer[cut:]  # and not a copy of what may be large
        return buffer

    def end(self) -> list[T]:
        """The event that the end of the stream left without its mark, if there is one.

        It may be half of one: a caller should look at it only if its contents tell a whole event
        from a half.
        """
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
            f"the server sent {self.called} of over {self._limit:,} bytes; nothing honest is that "
            "large, check the base URL",
            possibly_billed=True,
        )


class SSEDecoder(EventSplitter[ServerSentEvent]):
    """Turns one stream's bytes into events; `retry` is left unread, for nothing reconnects."""

    mark = "\n\n"
    called = "an event"
    _after_return = False
    _id = ""

    def event(self, text: str) -> ServerSentEvent | None:
        """The event that is written as *text*; None for a comment, and for one without data."""
        if text.startswith("data: ") and "\n" not in text:  # nearly every event there is
            return _new_event(ServerSentEvent, (text[6:], "message", self._id))
        data, kind = [], ""
        for line in text.split("\n"):
            field, _, value = line.partition(":")  # a comment's field is ""
            value = value.removeprefix(" ")
            if field == "data":
                data.append(value)
            elif field == "event":
                kind = value
            elif field == "id" and "\0" not in value:
                self._id = value
        return ServerSentEvent("\n".join(data), kind or "message", self._id) if data else None

    def _whole(self, data: bytes) -> bytes | bytearray:
        # A carriage return ends its line at once, for the stream may pause behind it; the line
        # feed that may follow in the next read belongs to it.
        if self._after_return and data:
            data = data.removeprefix(b"\n")
            self._after_return = False
        if b"\r" in data:
            self._after_return = data.endswith(b"\r")
            data = data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        return super()._whole(data)


class NDJSONDecoder(EventSplitter[ServerSentEvent]):
    """Turns one stream's bytes into events of one line each; blank lines are left out."""

    mark = "\n"
    called = "a line"

    def event(self, text: str) -> ServerSentEvent | None:
        """The line that is written as *text*, None for a blank one."""
        line = text.strip()
        return ServerSentEvent(line) if line else None
