"""Server-sent events out of bytes that were cut anywhere.

Source: https://html.spec.whatwg.org/multipage/server-sent-events.html (read 2026-11-24).
"""

from __future__ import annotations

from typing import NamedTuple

from ..errors import BadResponseError

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


class SSEDecoder:
    """Turns one stream's bytes into events; `retry` is left unread, for nothing reconnects.

    Attributes:
        mark: What stands between two events.
        replaced: True once bytes that are not UTF-8 became U+FFFD.
    """

    mark = "\n\n"

    def __init__(self, limit: int = EVENT_LIMIT) -> None:
        self.replaced = False
        self._limit = limit
        self._pending = bytearray()
        self._after_return = False
        self._begun = False
        self._id = ""

    def feed(self, data: bytes) -> list[ServerSentEvent]:
        """The events that *data* completes.

        Raises:
            BadResponseError: An event is larger than the limit.
        """
        found = (self.event(one) for text in self.texts(data) for one in text.split(self.mark))
        return [event for event in found if event is not None]

    def texts(self, data: bytes) -> list[str]:
        """The same as text; in one text there may be many, with `mark` between them.

        Raises:
            BadResponseError: An event is larger than the limit.
        """
        whole = self._whole(data)
        self._refuse_over_limit(len(self._pending) - 1)
        if not whole:
            return []
        if not self._begun:
            self._begun = True
            if whole.startswith(BYTE_ORDER_MARK):
                whole = whole[len(BYTE_ORDER_MARK) :]
        if len(whole) <= self._limit:
            try:
                return [whole.decode()]
            except UnicodeDecodeError:  # the events before and after are still to be exact
                pass
        return [self._text(block) for block in whole.split(b"\n\n")]

    def event(self, text: str) -> ServerSentEvent | None:
        """The event that is written as *text*; None for a comment, and for one without data."""
        if text.startswith("data: ") and "\n" not in text:  # nearly every event there is
            return ServerSentEvent(text[6:], "message", self._id)
        return self._event_of_lines(text.split("\n"))

    def end(self) -> ServerSentEvent | None:
        """The event that the end of the stream left without its blank line, None where none is.

        The standard drops it, because it may be half of one. Only whoever can tell a whole from
        a half by its contents should look at it.
        """
        block, self._pending = self._pending, bytearray()
        if not self._begun:
            block = block.removeprefix(BYTE_ORDER_MARK)
        return self.event(self._text(block))

    def _whole(self, data: bytes) -> bytes | bytearray:
        """What is complete with *data*, without its last blank line; the rest is kept."""
        if self._after_return or b"\r" in data:
            data = self._with_line_feeds(data)
        pending = self._pending
        if b"\n" not in data:  # quickly told, and most of a large event is that
            pending += data
            return b""
        if not pending:
            cut = data.rfind(b"\n\n")
            pending += data if cut < 0 else data[cut + 2 :]
            return data[: max(cut, 0)]
        # One byte back: the blank line that closes an event may be split over two reads.
        start = len(pending) - 1
        pending += data
        cut = pending.rfind(b"\n\n", start)
        if cut < 0:
            return b""
        self._pending = pending[cut + 2 :]
        del pending[cut:]  # and not a copy of what may be large
        return pending

    def _with_line_feeds(self, data: bytes) -> bytes:
        # A carriage return ends its line at once, for the stream may pause behind it; the line
        # feed that may follow in the next read belongs to it.
        if self._after_return and data:
            data = data.removeprefix(b"\n")
            self._after_return = False
        if data:
            self._after_return = data.endswith(b"\r")
        return data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")

    def _refuse_over_limit(self, size: int) -> None:
        if size > self._limit:
            raise BadResponseError(
                f"the server sent an event of over {self._limit:,} bytes; nothing honest is that "
                "large, check the base URL",
                possibly_billed=True,
            )

    def _event_of_lines(self, lines: list[str]) -> ServerSentEvent | None:
        data, kind = [], ""
        for line in lines:
            field, _, value = line.partition(":")  # a comment's field is ""
            value = value.removeprefix(" ")
            if field == "data":
                data.append(value)
            elif field == "event":
                kind = value
            elif field == "id" and "\0" not in value:
                self._id = value
        if not data:
            return None
        return ServerSentEvent("\n".join(data), kind or "message", self._id)

    def _text(self, block: bytes | bytearray) -> str:
        self._refuse_over_limit(len(block))
        try:
            return block.decode()
        except UnicodeDecodeError:
            self.replaced = True
            return block.decode("utf-8", "replace")
