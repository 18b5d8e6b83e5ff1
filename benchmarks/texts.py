"""Makes texts of any length that cost a reader much time if it is not linear."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import count

KEY = "sk-bench-7Qw3Zx9Lk2Vb8Nm4Tr6Yp1"


def _repeated(piece: str) -> Callable[[int], str]:
    return lambda size: (piece * (size // len(piece) + 1))[:size]


def _numbered(size: int) -> str:
    words: list[str] = []
    length = 0
    for n in count():
        words.append(f"w{n}")
        length += len(words[-1]) + 1
        if length >= size:
            return " ".join(words)[:size]
    return ""


def _backticks(size: int) -> str:
    runs, length = [], 0
    for n in count(1):
        runs.append("`" * n)
        length += n + 1
        if length >= size:
            return "e".join(runs)[:size]
    return ""


TEXTS: Mapping[str, Callable[[int], str]] = {
    "digits": _repeated("1"),
    "digits and points": _repeated("1."),
    "letters": _repeated("a"),
    "words": _numbered,
    "one word": _repeated("x w "),
    "blanks": _repeated(" "),
    "tabs": _repeated("\t"),
    "line ends": _repeated("\n"),
    "lines": _repeated("x\n"),
    "hyphens": _repeated("-"),
    "commas": _repeated(","),
    "dates": _repeated("-2024-01-01"),
    "quotes": _repeated('"'),
    "escapes": _repeated("\x1b"),
    "title tags": lambda size: "<html>" + _repeated("<title>")(size - 6),
    "open title tags": lambda size: "<html>" + _repeated("<title")(size - 6),
    "angle brackets": _repeated("<"),
    "brackets": _repeated("["),
    "links": _repeated("[a]("),
    "few brackets": lambda size: "[" * min(size // 2, 5_000) + _repeated("a")(size),
    "emphasis": _repeated("*a_ "),
    "stars": _repeated("a**b"),
    "quotations": _repeated("> "),
    "lists": _repeated("- - "),
    "bars": _repeated("|a"),
    "table": lambda size: f"{'|' * (size // 3)}\n{'|-' * (size // 6)}\n" + "|a\n" * (size // 9),
    "lazy quotations": lambda size: "> " * min(size // 4, 95) + "a\n" + _repeated("b\n")(size),
    "code spans": _backticks,
    "references": _repeated("[a]: b\n"),
    "entities": _repeated("&#9;"),
    "escaped": _repeated("\\"),
    "emoji": _repeated("\U0001f600"),
    "stacked marks": lambda size: "a" + "\u0301\u200d" * (size // 2),
    "joined emoji": _repeated("\U0001f469\u200d\U0001f680\ufe0f"),
    "flags": _repeated("\U0001f3f4\U000e0067\U000e0062\U000e0073\U000e0063\U000e0074\U000e007f"),
    "tag characters": _repeated("\U000e0041"),
    "zero-width": _repeated("\u200b"),
    "marks": _repeated("\u0315\u0300\u05ae"),
    "full-width": _repeated("\uff1d"),
    "key": _repeated(KEY),
    "keys and blanks": _repeated(f"{KEY} "),
    "beginnings of a key": _repeated(KEY[:12]),
    "pieces of a key": _repeated(f"x{KEY[-8:]}"),
    "claude": lambda size: "claude-" + "1" * size,
    "gemini": lambda size: "gemini-" + "1" * size,
    "go durations": _repeated("1m"),
    "query": _repeated("offset=1&"),
    "streaming and blanks": lambda size: "streaming" + " " * size,
}  # fmt: skip
