"""Compares two answers word by word."""

from __future__ import annotations

import re
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Literal

from ...cell import InterruptGuard
from ..markup import escape, framed, safe_text

Kind = Literal["same", "gone", "new"]

_WORDS = re.compile(r"\s+|\w+|[^\w\s]")
LONGEST = 8_000  # words of one answer; the time grows with the square of the length
STYLES = {
    "gone": ("del", "text-decoration:line-through"),
    "new": ("ins", "text-decoration:underline"),
}
BRACKETS = {"same": ("", ""), "gone": ("[-", "-]"), "new": ("{+", "+}")}


@dataclass(frozen=True, slots=True)
class Piece:
    """A piece of text that is in both answers, only in the first or only in the second."""

    kind: Kind
    text: str


def differences(first: str, second: str) -> tuple[Piece, ...]:
    """Returns the pieces deleted from *first* and inserted in *second*, in reading order."""
    a, b = (_WORDS.findall(safe_text(text))[:LONGEST] for text in (first, second))
    pieces: list[Piece] = []
    for tag, i, j, k, m in SequenceMatcher(None, a, b, autojunk=False).get_opcodes():
        if tag == "equal":
            pieces.append(Piece("same", "".join(a[i:j])))
            continue
        pieces += [Piece("gone", "".join(a[i:j]))] if j > i else []
        pieces += [Piece("new", "".join(b[k:m]))] if m > k else []
    return tuple(pieces)


class Differences:
    """A word-by-word diff of two answers, which displays itself.

    Attributes:
        names: The models that wrote the answers.
        pieces: The text, in reading order.
    """

    def __init__(self, names: tuple[str, str], first: str, second: str) -> None:
        self.names = names
        self.pieces = differences(first, second)

    @InterruptGuard()
    def __str__(self) -> str:
        first, second = map(safe_text, self.names)
        parts = [piece.text.join(BRACKETS[piece.kind]) for piece in self.pieces]
        return "".join([f"[-only {first}-] {{+only {second}+}}\n\n", *parts])

    __repr__ = __str__

    @InterruptGuard()
    def _repr_html_(self) -> str:
        # Underline and strikethrough, because colour alone is not accessible.
        first, second = map(escape, self.names)
        parts = [f'<p class="lk-note"><del>only {first}</del> · <ins>only {second}</ins></p>']
        parts.append('<p class="lk-differ" style="white-space:pre-wrap">')
        for piece in self.pieces:
            text = escape(piece.text)
            if piece.kind != "same":
                tag, look = STYLES[piece.kind]
                text = f'<{tag} style="{look}">{text}</{tag}>'
            parts.append(text)
        return framed(f"{''.join(parts)}</p>")
