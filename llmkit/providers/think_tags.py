"""Separates the reasoning that a model writes between tags from the text of its answer."""

from __future__ import annotations

OPEN, CLOSE = "<think>", "</think>"
LONGEST_HELD = 1_000  # blanks; more of them are passed on


class ThinkTags:
    """Moves a block `<think>...</think>` at the very start of an answer to its reasoning.

    A server without a reasoning parser sends the block as text
    (https://docs.vllm.ai/en/latest/features/reasoning_outputs.html, read 2026-11-30). Tags may be
    cut over pieces. Blanks around the block and around its content are dropped.

    Attributes:
        parts: All text so far, as the server sent it.
        length: Its characters.
        found_none: True once the text is known to begin without a block.
    """

    def __init__(self) -> None:
        self.parts: list[str] = []
        self.length = 0
        self.found_none = False
        self._held = ""  # may be a part of a tag, or blanks at an edge
        self._place = "before"  # then "inside" and "after"
        self._drops_blanks = False

    def split(self, piece: str) -> tuple[str, str]:
        """Returns the text and the reasoning that *piece*, the next one, adds."""
        self.parts.append(piece)
        self.length += len(piece)
        text, reasoning, self._held = self._held + piece, "", ""
        if self._place == "before":
            start = text.lstrip()
            if len(start) < len(OPEN) and OPEN.startswith(start) and len(text) < LONGEST_HELD:
                self._held = text
                return "", ""
            if not start.startswith(OPEN):
                self._place, self.found_none = "after", True
                return text, ""
            self._place, self._drops_blanks, text = "inside", True, start[len(OPEN) :]
        if self._place == "inside":
            if self._drops_blanks:
                text = text.lstrip()
                self._drops_blanks = not text
            reasoning, tag, text = text.partition(CLOSE)
            if not tag:
                reasoning, self._held = _without_edge(reasoning)
                return "", reasoning
            reasoning, self._place, self._drops_blanks = reasoning.rstrip(), "after", True
        if self._drops_blanks:
            text = text.lstrip()
            self._drops_blanks = not text
        return text, reasoning

    def end(self) -> tuple[str, str]:
        """Returns the text and the reasoning that were held back; a cut block is reasoning."""
        held, self._held = self._held, ""
        return ("", held) if self._place == "inside" else (held, "")


def _without_edge(text: str) -> tuple[str, str]:
    """Splits *text* before the blanks and the beginning of a closing tag that end it."""
    size = next(n for n in range(len(CLOSE) - 1, -1, -1) if text.endswith(CLOSE[:n]))
    body = text[: len(text) - size]
    kept = body.rstrip()
    cut = len(kept) if len(body) - len(kept) < LONGEST_HELD else len(body)
    return text[:cut], text[cut:]
