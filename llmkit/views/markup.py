"""Escapes and formats text and HTML for display, so that untrusted text stays plain text."""

from __future__ import annotations

import html
import unicodedata
from functools import cache
from importlib import resources
from itertools import accumulate

from ..secret import escape_controls, redact

# Inline, because the rules of notebooks for <pre> override a style sheet and break words. A <pre>
# keeps the lines of an answer even without any style.
AS_WRITTEN = (
    'style="white-space:pre-wrap;word-break:normal;overflow-wrap:anywhere;font-family:inherit;'
    'font-size:inherit;background:transparent;color:inherit;border:0;padding:0;margin:.6em 0"'
)
LONGEST_WORD = 400  # characters of a word that may be a key


def safe_text(text: object) -> str:
    """Returns *text* with API keys redacted and control characters escaped."""
    return escape_controls(redact(str(text)))


def escape(text: object) -> str:
    """Returns *text* as `safe_text` does, with HTML escaped."""
    return html.escape(safe_text(text), quote=True)


def framed(body: str) -> str:
    """Wraps *body* in the element and the style sheet of every view."""
    # MathJax 3 and 2 skip these classes: dollar signs in a name or an error start no formula.
    sheet = f"<style>{style_sheet()}</style>"
    return f'<div class="lk mathjax_ignore tex2jax_ignore">{sheet}{body}</div>'


def page(body: str, *, title: str) -> str:
    """Returns an HTML document with *body* that loads nothing from the network."""
    policy = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title>"
        "<style>body{margin:2rem auto;max-width:80rem;padding:0 1rem;"
        "background:light-dark(#fff,#15171a);color-scheme:light dark;"
        "font-family:system-ui,sans-serif}</style>"
        f"</head><body>{body}</body></html>\n"
    )


def folded(summary: str, text: str) -> str:
    """Returns *text* as written, which a click on *summary* shows."""
    return f"<details><summary>{escape(summary)}</summary><pre>{escape(text)}</pre></details>"


@cache
def style_sheet() -> str:
    """Returns the style sheet of every view."""
    folder = resources.files(__package__)
    return "".join(folder.joinpath(name).read_text("utf-8") for name in ("style.css", "code.css"))


def cell(value: object) -> str:
    """Formats a value for a table; an unknown one (None, NaN, NA) is a dash."""
    if value is None or value != value:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.3g}" if abs(value) < 1000 else f"{value:,.0f}"
    if isinstance(value, int):
        return f"{value:,}"
    return str(value)


def width_of(text: str) -> int:
    """Returns the width of *text* in terminal columns: wide characters take two, marks none."""
    return len(text) if text.isascii() else sum(map(_columns, text))


def padded(text: str, width: int) -> str:
    """Pads *text* with spaces to *width* columns."""
    return text + " " * (width - width_of(text))


def beginning(text: str, longest: int | None) -> str:
    """Returns at most *longest* characters of *text*, without the part of a word at the cut."""
    if longest is None or len(text) <= longest:
        return text
    # Half a key would not be recognised; a longer word is not one.
    blank = max(text.rfind(sign, longest - LONGEST_WORD, longest) for sign in " \n\t")
    return text[: blank if blank > 0 else longest]


def clipped(text: str, width: int) -> str:
    """Shortens *text* to at most *width* columns."""
    # A slice, because an answer may have a million characters; over 2 * width never fit.
    head = text[: 2 * width + 2]
    if len(head) == len(text) and width_of(text) <= width:
        return text
    return f"{text[: fitting(head, width - 1)]}…"


def fitting(text: str, width: int) -> int:
    """Returns the number of characters of *text* that fit into *width* columns."""
    if text.isascii():
        return min(len(text), width)
    ends = accumulate(map(_columns, text))
    return next((i for i, end in enumerate(ends) if end > width), len(text))


def wrapped(line: str, width: int) -> list[str]:
    """Splits *line* into pieces of at most *width* columns, between words if possible."""
    pieces: list[str] = []
    line, start = line.expandtabs(4), 0
    while True:
        head = line[start : start + 2 * width + 2]
        end = max(fitting(head, width), 1)
        if start + end >= len(line):
            return [*pieces, line[start:]]
        blank = head.rfind(" ", 0, end + 1)
        cut = blank if head[: max(blank, 0)].strip() else end
        pieces.append(head[:cut].rstrip(" "))
        start += cut
        if pieces[-1]:
            start += len(line[start : start + width]) - len(line[start : start + width].lstrip(" "))


def _columns(character: str) -> int:
    # Marks, joiners and variation selectors modify the character before them.
    if unicodedata.category(character) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1
