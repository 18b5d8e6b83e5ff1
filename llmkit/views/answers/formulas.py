r"""Finds `$...$`, `$$...$$`, `\(...\)` and `\[...\]` in Markdown, and sets them as MathML.

Called by `markdown_blocks.py`. Only this module imports latex2mathml, and does not trust what that
package returns: MathML is written from elements, attributes and lengths that are listed here. A
formula that would not be shown correctly stays as it was written.
"""

from __future__ import annotations

import html
import re
from functools import lru_cache
from typing import TYPE_CHECKING

from ...cell import ready
from ..markup import escape

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

    from markdown_it.rules_block import StateBlock
    from markdown_it.rules_inline import StateInline

LONGEST = 800  # characters of one formula
MOST = 4_000  # characters of all formulas in one answer
MOST_LINES = 30
DEEPEST = 40
CLOSINGS = {"$$": "$$", "$": "$", r"\(": r"\)", r"\[": r"\]"}
# "$5 and $10" and "$HOME/bin:$PATH" are not formulas. A formula has no blanks at its ends, and no
# letter or digit follows it, except in "the $n$th".
_AFTER = re.compile(r"(?!\w)|(?:th|st|nd|rd|s)\b")
# Brackets with a backslash are Markdown for plain brackets, unless there is a formula in them.
_FORMAL = re.compile(r"[\\^_=+<>{}()|!*/-]")
_ENVIRONMENTS = {"aligned": "split", "gathered": "matrix"}
_ENVIRONMENT = re.compile(r"\\(begin|end)\s*\{(aligned|gathered)\}")
# Definitions can grow without end; the others hide or disguise text, or are links.
_REFUSED = re.compile(
    r"\\(\w*(?:command|def|let)\b|href|style|class|cssId|\w*phantom|unicode|char|rule|llap|rlap|"
    r"smash|require|html\w*)"
)
_TAGS = {
    "mrow": None, "mi": 0, "mo": 0, "mn": 0, "mtext": 0, "mspace": 0, "mfrac": 2, "msqrt": None,
    "mroot": 2, "msub": 2, "msup": 2, "msubsup": 3, "munder": 2, "mover": 2, "munderover": 3,
    "mtable": None, "mtr": None, "mtd": None, "mstyle": None,
}  # fmt: skip
_FLAGS = ("displaystyle", "stretchy", "fence", "accent", "accentunder", "movablelimits")
_LENGTHS = ("minsize", "maxsize", "width", "linethickness")
_LENGTH = re.compile(r"(?:[0-3](?:\.\d{1,3})?|\.\d{1,3})em\Z")


def inline_formula(state: StateInline, silent: bool) -> bool:
    """Matches a formula within a line, as a rule of markdown-it."""
    text, start = state.src, state.pos
    opening = text[start : start + 2]
    if opening not in CLOSINGS:
        opening = text[start]
    closing = CLOSINGS.get(opening)
    if closing is None or (start and opening == "$" and text[start - 1].isalnum()):
        return False
    begin = start + len(opening)
    limit = min(begin + LONGEST, state.posMax)
    end = text.find(closing, begin, limit)
    while end > 0 and opening[0] == "$" and text[end - 1] == "\\":
        end = text.find(closing, end + 1, limit)
    if end < 0:
        return False
    content = text[begin:end]
    after = end + len(closing)
    if opening == "$" and (
        content[:1].isspace() or content[-1:].isspace() or not _AFTER.match(text, after)
    ):
        return False
    if not _is_formula(content, opening):
        return False
    if not silent:
        token = state.push("formula", "", 0)
        token.content, token.markup = content, opening
    state.pos = after
    return True


def display_formula(state: StateBlock, first: int, last: int, silent: bool) -> bool:
    """Matches a formula in lines of its own, without an empty line, as a rule of markdown-it."""
    text = state.src
    start = state.bMarks[first] + state.tShift[first]
    opening = text[start : start + 2]
    if opening not in ("$$", r"\[") or state.is_code_block(first):
        return False
    closing = CLOSINGS[opening]
    lines: list[str] = []
    for line in range(first, min(last, first + MOST_LINES)):
        if line > first and (state.isEmpty(line) or state.sCount[line] < state.blkIndent):
            return False
        begin = start + 2 if line == first else state.bMarks[line] + state.tShift[line]
        written = text[begin : state.eMarks[line]]
        content, found, after = written.partition(closing)
        lines.append(content)
        if not found:
            continue
        content = "\n".join(lines)
        if after.strip(" \t.,;") or not _is_formula(content, opening):
            return False
        if not silent:
            state.line = line + 1
            token = state.push("display_formula", "", 0)
            token.block, token.map = True, [first, state.line]
            token.content, token.markup, token.info = content, opening, after.strip()
        return True
    return False


def _is_formula(content: str, opening: str) -> bool:
    content = content.strip()
    if not content or "`" in content:
        return False
    if opening[0] == "$":
        return True
    return bool(_FORMAL.search(content)) or (opening == r"\(" and len(content) <= 3)


def formula_html(formula: str, opening: str, left: int, *, is_display: bool) -> str:
    """Returns *formula* as MathML, or as it was written if it is not understood.

    *left* is the number of characters that may still be set in this answer.
    """
    source = f"{opening}{formula}{CLOSINGS[opening]}"
    inner = None if len(formula) > min(left, LONGEST) else mathml(formula, is_display)
    if inner is None:
        return f'<code class="lk-tex" dir="ltr">{escape(source)}</code>'
    # Browsers do not show the annotation. A page that removes the markup of formulas does, so that
    # its reader sees more than "x2".
    return (
        f'<math display="{"block" if is_display else "inline"}" dir="ltr"><semantics>{inner}'
        f'<annotation encoding="application/x-tex"> {escape(source)} </annotation>'
        "</semantics></math>"
    )


@lru_cache(maxsize=512)  # a growing answer is rendered again and again
def mathml(formula: str, is_display: bool) -> str | None:
    """Returns the MathML inside of `<math>`, None if *formula* would not be shown correctly."""
    if _REFUSED.search(formula):
        return None
    formula = _ENVIRONMENT.sub(lambda m: rf"\{m[1]}{{{_ENVIRONMENTS[m[2]]}}}", formula)
    ready("latex2mathml", load)
    from latex2mathml.converter import convert_to_element

    try:
        display = "block" if is_display else "inline"
        math = convert_to_element(formula, display=display)
        return _written(math[0], 0) if len(math) == 1 else None
    except (Exception, RecursionError):  # it raises many kinds for what it does not understand
        return None


def load() -> None:
    """Imports latex2mathml."""
    import latex2mathml.converter  # noqa: F401


class _UnknownMarkupError(Exception):
    """The formula has something that is not listed here."""


def _written(element: Element, depth: int) -> str:
    """Returns an element and what is in it as HTML."""
    tag, attributes = element.tag, element.attrib
    text = html.unescape(element.text or "")
    extra = ""
    if tag == "menclose" and attributes.get("notation") == "box":
        tag, extra = "mrow", ' style="border:1px solid;padding:.15em .3em"'
    elif tag == "mpadded" and attributes.get("width") != "0":
        tag = "mrow"
    elif tag == "mi" and len(text) == 1 and not text.isalnum() and text != "′":
        tag = "mo"  # ± and ⟨ need the space of an operator
    elif tag == "mi" and len(text) > 1 and text.isascii():
        tag, extra = "mo", ' lspace=".17em" rspace=".17em"'  # the name of a function
    if (
        _TAGS.get(tag, -1) not in (None, len(element))
        or depth > DEEPEST
        or "\\" in text
        or text == "&"
        or attributes.get("linebreak")
    ):
        raise _UnknownMarkupError
    align = attributes.get("columnalign")
    if align in ("left", "right"):
        extra += f' style="text-align:{align}"'
    for name, value in attributes.items():
        is_length = name in _LENGTHS and (_LENGTH.match(value) or value == "0")
        if is_length or (name in _FLAGS and value in ("true", "false")):
            extra += f' {name}="{value}"'
    if attributes.get("mathvariant") == "normal" and len(text) == 1:
        extra += ' mathvariant="normal"'
    inner = "".join(_written(child, depth + 1) for child in element)
    return f"<{tag}{extra}>{escape(text)}{inner}</{tag}>"
