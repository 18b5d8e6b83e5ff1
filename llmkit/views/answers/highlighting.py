"""Colours code by pygments: escaped text in spans whose classes name the kind of each word.

Called by `markdown_blocks.py` for each block of code. Only this module imports pygments. A language
that is not in `LANGUAGES` has no colours, because each lexer of pygments takes time to import.
"""

from __future__ import annotations

import html
from functools import lru_cache, partial
from typing import Any

from ...cell import ready

LONGEST = 7_000  # characters of code in one answer that are coloured
PIECE = 500  # characters that a lexer gets at once; 8,000 took up to 9 s (measured 2026-11-30)
# What the authors of Markdown call the languages, and pygments' name.
LANGUAGES = {
    alias: name
    for name, aliases in {
        "python": "py python3 ipython", "pycon": "python-repl", "bash": "sh shell zsh console",
        "javascript": "js jsx node mjs", "typescript": "ts tsx", "json": "jsonc json5 ipynb",
        "html": "htm xhtml vue svelte", "xml": "svg rss", "css": "", "c": "h", "cpp": "c++ cc hpp",
        "csharp": "c# cs", "java": "", "kotlin": "kt", "scala": "", "swift": "", "go": "golang",
        "rust": "rs", "ruby": "rb", "perl": "pl", "r": "rlang", "julia": "jl", "matlab": "octave",
        "haskell": "hs", "lua": "", "sql": "sqlite postgresql mysql postgres", "yaml": "yml",
        "toml": "", "ini": "cfg conf", "diff": "patch", "docker": "dockerfile",
        "make": "makefile", "latex": "tex", "fortran": "f90", "dart": "",
    }.items()
    for alias in (name, *aliases.split())
}  # fmt: skip
# The longest beginning of a token's kind decides; kinds that are missing have no colour.
CLASSES = {
    "Comment": "c", "Keyword": "k", "Operator.Word": "k", "Name.Tag": "k",
    "Literal.String": "s", "Literal.Number": "m", "Name.Function": "f", "Name.Class": "f",
    "Name.Decorator": "f", "Name.Builtin": "b", "Name.Exception": "b", "Name.Attribute": "b",
    "Generic.Inserted": "i", "Generic.Deleted": "d", "Generic.Heading": "c",
    "Generic.Subheading": "c", "Generic.Prompt": "c", "Generic.Output": "c",
}  # fmt: skip
_lexers: dict[str, Any] = {}


def highlighted(code: str, language: str) -> str:
    """Returns *code* as escaped HTML, in colours if pygments knows *language*.

    The text stays as it is in any case. *code* must be redacted already.
    """
    name = LANGUAGES.get(language.lower())
    parts: list[str] = []
    start = 0
    while name and start < len(code) and (end := _end_of_piece(code, start)):
        parts.append(_piece(code[start:end], name))
        start = end
    return "".join([*parts, html.escape(code[start:])])


def _end_of_piece(code: str, start: int) -> int:
    """Returns where a piece may end: after a line outside of long strings and comments, 0 if none.

    Many lexers take the square or the cube of the length of some texts.
    """
    end = start + PIECE
    if len(code) <= end:
        return len(code)
    while end := code.rfind("\n", start, end) + 1:
        piece = code[start:end]
        is_closed = all(piece.count(mark) % 2 == 0 for mark in ('"""', "'''", "`"))
        if is_closed and piece.count("/*") == piece.count("*/"):
            return end
        end -= 1
    return 0


@lru_cache(maxsize=1024)  # a growing answer is rendered again and again
def _piece(code: str, name: str) -> str:
    try:
        tokens = list(_lexer(name).get_tokens_unprocessed(code))
    except Exception:  # a lexer is a hundred regular expressions, and colours are a decoration
        return html.escape(code)
    if "".join(text for _, _, text in tokens) != code:
        return html.escape(code)
    parts: list[str] = []
    run, last = "", ""
    for _, kind, text in tokens:
        kind_name = _class_of(kind)
        if kind_name != last and not text.isspace():
            parts.append(_span(run, last))
            run, last = "", kind_name
        run += text
    return "".join([*parts, _span(run, last)])


def load(*languages: str) -> None:
    """Imports pygments and the lexers of *languages*, names of pygments."""
    from pygments.lexers import get_lexer_by_name

    for name in languages:
        _lexers[name] = get_lexer_by_name(name)


def _lexer(name: str) -> Any:
    if name not in _lexers:
        ready("pygments")
        ready(f"pygments' lexer of {name}", partial(load, name))
    return _lexers[name]


def _class_of(kind: Any) -> str:
    for size in range(len(kind), 0, -1):
        found = CLASSES.get(".".join(kind[:size]))
        if found is not None:
            return found
    return ""


def _span(text: str, name: str) -> str:
    escaped = html.escape(text)
    return f'<span class="lk-{name}">{escaped}</span>' if name and text else escaped
