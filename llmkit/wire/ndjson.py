"""Lines of newline-delimited JSON out of bytes that were cut anywhere."""

from __future__ import annotations

from .cutting import Cutter


class NDJSONDecoder(Cutter[str]):
    """Turns one stream's bytes into lines; blank ones are left out."""

    mark = "\n"
    called = "a line"

    def event(self, text: str) -> str | None:
        """The line that is written as *text*, None for a blank one."""
        return text.strip() or None

    def end(self) -> list[str]:
        """The last line, if nothing ended it; it may be half of one."""
        line = self.event(self._rest())
        return [] if line is None else [line]
