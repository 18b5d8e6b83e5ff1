"""Lines of newline-delimited JSON out of bytes that were cut anywhere."""

from __future__ import annotations

from ..errors import BadResponseError
from .sse import BYTE_ORDER_MARK, EVENT_LIMIT


class NDJSONDecoder:
    """Turns one stream's bytes into lines; blank ones are left out.

    Attributes:
        replaced: True once bytes that are not UTF-8 became U+FFFD.
    """

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
        pending = self._pending
        start = len(pending)
        pending += data
        cut = pending.rfind(b"\n", start)
        lines: list[bytes] = []
        if cut >= 0:
            lines = bytes(pending[:cut]).split(b"\n")
            del pending[: cut + 1]
        self._refuse_over_limit(len(pending))
        return self._texts(lines)

    def end(self) -> list[str]:
        """The last line, if nothing ended it; it may be half of one."""
        line = bytes(self._pending)
        self._pending.clear()
        return self._texts([line])

    def _texts(self, lines: list[bytes]) -> list[str]:
        texts = (self._text(line) for line in lines)
        return [text for text in texts if text]

    def _text(self, line: bytes) -> str:
        if not self._begun and line:
            self._begun = True
            line = line.removeprefix(BYTE_ORDER_MARK)
        self._refuse_over_limit(len(line))
        try:
            return line.decode().strip()
        except UnicodeDecodeError:
            self.replaced = True
            return line.decode("utf-8", "replace").strip()

    def _refuse_over_limit(self, size: int) -> None:
        if size > self._limit:
            raise BadResponseError(
                f"the server sent a line of over {self._limit:,} bytes; nothing honest is that "
                "large, check the base URL",
                possibly_billed=True,
            )
