"""Compares two answers word by word."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import islice, pairwise
from typing import Literal

from ...cell import InterruptGuard
from ..markup import AS_WRITTEN, escape, framed, safe_text

Kind = Literal["same", "gone", "new", "cut"]
SAME: Kind = "same"
GONE: Kind = "gone"
NEW: Kind = "new"

_WORDS = re.compile(r"\s+|\w+|[^\w\s]")
LONGEST = 30_000  # words and blanks of one answer
_READ = 300_000  # characters
_KEY = 2_000  # characters; no key is longer
# Each level of anchors takes time in proportion to the words. Words without anchors take the cube
# of their number, so only few are compared; more are shown as replaced.
_DEEPEST = 8
_FEW = 2_500  # words of one answer times words of the other
CUT = (
    f"\n\n… only the first {LONGEST:,} words and {_READ:,} characters of each answer are compared; "
    "the rest is in .completion.text of its row"
)
# Browsers strike the one through and underline the other, because colour alone is not accessible.
TAGS = {"gone": "del", "new": "ins"}
EQUAL = "The texts of both answers are the same."
BRACKETS = {"same": ("", ""), "gone": ("[-", "-]"), "new": ("{+", "+}"), "cut": ("", "")}


@dataclass(frozen=True, slots=True)
class Piece:
    """A piece of text that is in both answers, only in the first or only in the second.

    The kind "cut" is a sentence of llmkit at the end: the answers are longer than what is compared.
    """

    kind: Kind
    text: str


def differences(first: str, second: str) -> tuple[Piece, ...]:
    """Returns the pieces deleted from *first* and inserted in *second*, in reading order."""
    (a, a_is_cut), (b, b_is_cut) = map(_words, (first, second))
    pieces: list[Piece] = []
    i = j = 0
    for i_end, j_end, size in [*_blocks(a, b), (len(a), len(b), 0)]:
        parts = ((GONE, a[i:i_end]), (NEW, b[j:j_end]), (SAME, a[i_end : i_end + size]))
        pieces += (Piece(kind, "".join(words)) for kind, words in parts if words)
        i, j = i_end + size, j_end + size
    return (*pieces, Piece("cut", CUT)) if a_is_cut or b_is_cut else tuple(pieces)


def _words(text: str) -> tuple[list[str], bool]:
    """Returns the words that are compared, and True if there are more."""
    # Redaction comes before the second cut, which could leave the first half of a key.
    shown = safe_text(text[: _READ + _KEY])[:_READ]
    words = [match[0] for match in islice(_WORDS.finditer(shown), LONGEST + 1)]
    return words[:LONGEST], len(words) > LONGEST or len(text) > _READ


def _blocks(a: Sequence[str], b: Sequence[str]) -> list[tuple[int, int, int]]:
    """Returns the start in *a*, the start in *b* and the size of the parts that are equal."""
    partners: list[tuple[int, int]] = []
    todo = [(0, len(a), 0, len(b), 0)]
    while todo:
        i, i_end, j, j_end, level = todo.pop()
        while i < i_end and j < j_end and a[i] == b[j]:
            partners.append((i, j))
            i, j = i + 1, j + 1
        while i < i_end and j < j_end and a[i_end - 1] == b[j_end - 1]:
            i_end, j_end = i_end - 1, j_end - 1
            partners.append((i_end, j_end))
        if i == i_end or j == j_end:
            continue
        anchors = _anchors(a[i:i_end], b[j:j_end]) if level < _DEEPEST else []
        if anchors:
            places = [(i - 1, j - 1), *((i + x, j + y) for x, y in anchors), (i_end, j_end)]
            partners += places[1:-1]
            todo += [(x + 1, x2, y + 1, y2, level + 1) for (x, y), (x2, y2) in pairwise(places)]
        elif (i_end - i) * (j_end - j) <= _FEW:
            matcher = SequenceMatcher(str.isspace, a[i:i_end], b[j:j_end], autojunk=False)
            for x, y, size in matcher.get_matching_blocks():
                partners += ((i + x + n, j + y + n) for n in range(size))
    return list(_joined(sorted(partners)))


def _joined(partners: Sequence[tuple[int, int]]) -> Iterator[tuple[int, int, int]]:
    start = 0
    for n in range(1, len(partners) + 1):
        i, j = partners[n - 1]
        if n == len(partners) or partners[n] != (i + 1, j + 1):
            size = n - start
            yield i + 1 - size, j + 1 - size, size
            start = n


def _anchors(a: Sequence[str], b: Sequence[str]) -> list[tuple[int, int]]:
    """Returns the longest series of words that both texts have in this order.

    Considers words that occur once in each text (patience diff), and if there are none, those that
    occur equally often.
    """
    counts_a, counts_b = Counter(a), Counter(b)
    equals = {word for word, n in counts_a.items() if n == counts_b[word] and not word.isspace()}
    words = {word for word in equals if counts_a[word] == 1} or equals
    places = {word: j for j, word in enumerate(_numbered(b, words)) if word}
    pairs = [(i, places[word]) for i, word in enumerate(_numbered(a, words)) if word]
    # The longest increasing series: `ends[n]` is the smallest last place of a series of n + 1.
    ends: list[int] = []
    lasts: list[int] = []
    before: list[int] = []
    for n, (_, j) in enumerate(pairs):
        length = bisect_left(ends, j)
        before.append(lasts[length - 1] if length else -1)
        ends[length : length + 1] = [j]
        lasts[length : length + 1] = [n]
    series: list[tuple[int, int]] = []
    n = lasts[-1] if lasts else -1
    while n >= 0:
        series.append(pairs[n])
        n = before[n]
    return series[::-1]


def _numbered(words: Sequence[str], among: set[str]) -> Iterator[tuple[str, int] | None]:
    """Yields each word with the number of its occurrence, None for one that is not *among* them."""
    seen = Counter[str]()
    for word in words:
        if word in among:
            seen[word] += 1
            yield word, seen[word]
        else:
            yield None


class Differences:
    """A word-by-word diff of two answers, which displays itself.

    Attributes:
        names: The models that wrote the answers, with what distinguishes answers of one model.
        pieces: The text, in reading order.
        is_equal: True if the texts are the same, also beyond what is compared.
    """

    def __init__(self, names: tuple[str, str], first: str, second: str) -> None:
        is_one = names[0] == names[1]
        self.names = (f"{names[0]}, first", f"{names[1]}, second") if is_one else names
        self.pieces = differences(first, second)
        self.is_equal = first == second

    @InterruptGuard()
    def __str__(self) -> str:
        first, second = map(safe_text, self.names)
        parts = [piece.text.join(BRACKETS[piece.kind]) for piece in self.pieces]
        head = [f"[-only in {first}-] {{+only in {second}+}}\n"]
        return "".join([*head, *([f"{EQUAL}\n"] if self.is_equal else []), "\n", *parts])

    __repr__ = __str__

    @InterruptGuard()
    def _repr_html_(self) -> str:
        first, second = map(escape, self.names)
        head = f"<del>only in {first}</del> · <ins>only in {second}</ins>"
        parts = [f'<p class="lk-note" dir="auto">{head}</p>']
        if self.is_equal:
            parts.append(f"<p>{EQUAL}</p>")
        parts.append(f'<pre class="lk-differ" dir="auto" {AS_WRITTEN}>')
        for piece in self.pieces:
            text = escape(piece.text)
            tag = TAGS.get(piece.kind)
            parts.append(f"<{tag}>{text}</{tag}>" if tag else text)
        return framed(f"{''.join(parts)}</pre>")
