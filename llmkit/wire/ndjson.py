"""Lines of newline-delimited JSON out of bytes that were cut anywhere."""

from __future__ import annotations

from .cutting import Cutter
from .sse import ServerSentEvent


class NDJSONDecoder(Cutter[ServerSentEvent]):
    """Turns one stream's bytes into events of one line each; blank lines are left out."""

    mark = "\n"
    called = "a line"

    def event(self, text: str) -> ServerSentEvent | None:
        """The line that is written as *text*, None for a blank one."""
        line = text.strip()
        return ServerSentEvent(line) if line else None
