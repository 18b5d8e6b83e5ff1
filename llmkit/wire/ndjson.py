"""Lines of newline-delimited JSON out of bytes that were cut anywhere."""

from __future__ import annotations

from ..errors import BadResponseError
from .sse import BYTE_ORDER_MARK, EVENT_LIMIT


class NDJSONDecoder:
    """Turns one stream's bytes into lines; blank ones are left out.

    Attributes:
        mark: What stands between two lines.
        replaced: True once bytes that are not UTF-8 became U+FFFD.
    """

    mark = "\n"

    def __init__(self, limit: int = EVENT_LIMIT) -> None:
        self.replaced = False
        self._limit = limit
        self._pending = bytearray()
        self._begun = False

    def feed(self, data: bytes) -> list[str]:
        """The lines that *data* completes.

        Raises:
            BadResponseError: A line is larger than the limit.
        """
        found = (self.event(one) for text in self.texts(data) for one in text.split(self.mark))
        return [line for line in found if line is not None]

    def texts(self, data: bytes) -> list[str]:
        """The same as text; in one text there may be many, with `mark` between them.

        Raises:
            BadResponseError: A line is larger than the limit.
        """
        whole = self._whole(data)
        self._refuse_over_limit(len(self._pending))
        return self._decoded(whole)

    def event(self, text: str) -> str | None:
        """The line that is written as *text*, None for a blank one."""
        return text.strip() or None

    def end(self) -> list[str]:
        """The last line, if nothing ended it; it may be half of one."""
        line, self._pending = self._pending, bytearray()
        return [found for text in self._decoded(line) if (found := self.event(text))]

    def _whole(self, data: bytes) -> bytes | bytearray:
        """What is complete with *data*; the rest is kept."""
        pending = self._pending
        if not pending:
            cut = data.rfind(b"\n")
            pending += data[cut + 1 :]
            return data[: max(cut, 0)]
        start = len(pending)
        pending += data
        cut = pending.rfind(b"\n", start)
        if cut < 0:
            return b""
        self._pending = pending[cut + 1 :]
        del pending[cut:]  # and not a copy of what may be large
        return pending

    def _decoded(self, whole: bytes | bytearray) -> list[str]:
        if not whole:
            return []
        if not self._begun:
            self._begun = True
            if whole.startswith(BYTE_ORDER_MARK):
                whole = whole[len(BYTE_ORDER_MARK) :]
        if len(whole) <= self._limit:
            try:
                return [whole.decode()]
            except UnicodeDecodeError:  # the lines before and after are still to be exact
                pass
        return [self._text(line) for line in whole.split(b"\n")]

    def _text(self, line: bytes | bytearray) -> str:
        self._refuse_over_limit(len(line))
        try:
            return line.decode()
        except UnicodeDecodeError:
            self.replaced = True
            return line.decode("utf-8", "replace")

    def _refuse_over_limit(self, size: int) -> None:
        if size > self._limit:
            raise BadResponseError(
                f"the server sent a line of over {self._limit:,} bytes; nothing honest is that "
                "large, check the base URL",
                possibly_billed=True,
            )
