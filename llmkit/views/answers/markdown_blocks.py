"""Parses the Markdown of an answer, and renders each block of it as sanitised HTML.

Called by `markdown.py`. Only this module imports markdown_it. What it returns has no raw HTML, no
image, and only links to http and https. The texts that it gets are redacted and escaped already.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Sequence
from functools import cache
from html import escape as escape_html
from itertools import accumulate, islice
from typing import TYPE_CHECKING, Any

from ...cell import ready
from . import formulas, highlighting

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.ruler import RuleOptionsType
    from markdown_it.token import Token

# Together they keep the time for any text at about 50 ms (measured 2026-11-30). What is beyond them
# is shown as it was written.
LONGEST = 50_000  # characters
MOST_WORK = 5_000  # the sum of the weights of signs that may be markup
MOST_LINES = 12_000  # lines read, once for each level of quotation that may end there
DEEPEST = 40  # levels of lists and quotations; markdown-it drops deeper ones
PIECE = 8_000  # characters of text as written in one block of a stream
_MARKS = re.compile(r"[\n*_`\[\]<>|~$\\&]")
_WEIGHTS = {"\n": 4, "[": 3, "|": 2, "<": 2}  # in units of 10 µs; the others have 1
_LINK = re.compile(r"https?://[^/\s]", re.IGNORECASE)
_STRONG = {"L": "ltr", "R": "rtl", "AL": "rtl"}
# Notebooks align cells to the right, and a style sheet may be missing.
_ALIGN = "text-align:left"
_RAW = '<pre class="lk-raw" dir="auto" style="white-space:pre-wrap;overflow-wrap:anywhere">'
_GROUPS = {"bullet_list_open", "ordered_list_open", "blockquote_open", "table_open"}
_TEXTS = {"paragraph_open", "heading_open", "list_item_open", "th_open", "td_open"}


def markdown_blocks(text: str) -> list[str]:
    """Returns the HTML of each block at the top level of *text*, which grows no more."""
    text = unified(text)
    limit = limit_of(text)
    env = new_env()
    blocks = parsed(text[:limit], env)
    if blocks is None:
        return as_written(text)
    if limit == len(text):
        return [rendered(block, env) for block in blocks]
    start = last_start(blocks, text[:limit]) or 0
    shown = [rendered(block, env) for block in blocks if line_of(block) < start]
    return shown + as_written(text[offset_of(text, start) :])


def prepare() -> None:
    """Imports all that rendering needs, for `cell.ready_soon("Markdown", prepare)`."""
    formulas.load()
    highlighting.load("python", "bash")
    _parser()


def unified(text: str) -> str:
    """Returns *text* with the line ends that the parser sees."""
    return text.replace("\r\n", "\n").replace("\r", "\n")


def limit_of(text: str, work: int = 0) -> int:
    """Returns how many characters of *text* are rendered, if *work* was done before it."""
    sums = accumulate(
        (_WEIGHTS.get(mark, 1) for mark in _MARKS.findall(text[:LONGEST])), initial=work
    )
    most = next((n for n, total in enumerate(sums) if total > MOST_WORK), None)
    if most is None:
        return min(len(text), LONGEST)
    return next(islice(_MARKS.finditer(text), most - 1, None)).start()


def work_in(text: str) -> int:
    """Returns the sum of the weights of all signs of *text* that may be markup."""
    return sum(_WEIGHTS.get(mark, 1) for mark in _MARKS.findall(text))


def new_env() -> dict[Any, Any]:
    """Returns what the parser and the renderer remember of one answer."""
    return {"references": {}, "lines": 0, "formulas": 0, "code": 0}


def parsed(text: str, env: dict[Any, Any], *, is_outline: bool = False) -> list[list[Token]] | None:
    """Returns the tokens of each block at the top level of *text*.

    None if it is nested too deeply or would take too long. *is_outline* leaves the lines unparsed.
    """
    parser = _parser()
    tokens: list[Token] = []
    try:
        if is_outline:
            parser.block.parse(text, parser, env, tokens)
        else:
            tokens = parser.parse(text, env)
    except _TooManyLinesError:
        return None
    blocks: list[list[Token]] = [[]]
    for token in tokens:
        if token.level >= DEEPEST - 1:
            return None
        blocks[-1].append(token)
        if token.level == 0 and token.nesting <= 0:
            blocks.append([])
    return blocks[:-1]


def line_of(block: Sequence[Token]) -> int:
    """Returns the first line of a block, from 0."""
    return block[0].map[0] if block[0].map else 0


def last_start(blocks: Sequence[Sequence[Token]], text: str) -> int | None:
    """Returns the line from which more text can change the blocks, None if it can change all.

    It is the first line of a block after an empty line, and a whole line: nothing that is added
    below joins such a block to the one above.
    """
    lines = text.split("\n")
    for block in reversed(blocks[1:]):
        start = line_of(block)
        if 0 < start < len(lines) - 1 and not lines[start - 1].strip():
            return start
    return None


def offset_of(text: str, line: int) -> int:
    """Returns where line number *line* begins, from 0."""
    at = 0
    for _ in range(line):
        at = text.index("\n", at) + 1
    return at


def rendered(tokens: Sequence[Token], env: dict[Any, Any]) -> str:
    """Returns the HTML of one block."""
    parser = _parser()
    html: str = parser.renderer.render(_directed(tokens), parser.options, env)
    return html


def as_written(text: str) -> list[str]:
    """Returns *text* as preformatted text, in blocks of at most `PIECE` characters."""
    blocks, start = [], 0
    while start < len(text):
        end = text.rfind("\n", start, start + PIECE) + 1
        if start + PIECE >= len(text):
            end = len(text)
        elif end <= start:
            end = start + PIECE
        blocks.append(f"{_RAW}{escape_html(text[start:end])}</pre>\n")
        start = end
    return blocks


class _TooManyLinesError(Exception):
    """The text would take too long."""


@cache
def _parser() -> MarkdownIt:
    ready("markdown_it")
    from markdown_it import MarkdownIt

    parser = MarkdownIt("commonmark", {"html": False, "maxNesting": DEEPEST})
    parser.enable(["table", "strikethrough"]).disable(["image", "html_block", "html_inline"])
    every: RuleOptionsType = {"alt": ["paragraph", "reference", "blockquote", "list"]}
    parser.block.ruler.before("table", "llmkit_lines", _count_line, every)
    parser.block.ruler.before("fence", "display_formula", formulas.display_formula, every)
    parser.inline.ruler.before("escape", "formula", formulas.inline_formula)
    # Assigned, as its manual says. Relative links are rejected too: in a notebook they lead to the
    # Jupyter server's API.
    parser.validateLink = lambda url: bool(_LINK.match(url))  # type: ignore[method-assign]
    rules: dict[str, Callable[..., str]] = {
        "link_open": _link, "fence": _code, "code_block": _code, "code_inline": _code_inline,
        "formula": _formula, "display_formula": _formula, "heading_open": _heading,
        "heading_close": _heading, "table_open": _table, "table_close": _table,
    }  # fmt: skip
    for name, rule in rules.items():
        parser.add_render_rule(name, rule)
    return parser


def _count_line(state: Any, *_: object) -> bool:
    """Matches nothing; markdown-it calls it for each line at each level."""
    state.env["lines"] = count = state.env["lines"] + 1
    if count > MOST_LINES:
        raise _TooManyLinesError
    return False


def _directed(tokens: Sequence[Token]) -> list[Token]:
    """Sets the direction of each block, and the alignment of cells.

    A text decides on its own direction. What has blocks in it takes the one of its first letter,
    because dir="auto" would not look into blocks with a direction of their own.
    """
    direction = ""
    for token in reversed(tokens):
        if token.type == "inline":
            direction = _direction(token.content) or direction
        elif token.type in _GROUPS and direction == "rtl":
            token.attrSet("dir", "rtl")
    for token, following in zip(tokens, [*tokens[1:], None], strict=True):
        if token.type == "list_item_open" and not (following and following.hidden):
            continue
        if token.type in _TEXTS and not token.hidden:
            token.attrSet("dir", "auto")
        if token.type in ("th_open", "td_open") and not token.attrGet("style"):
            token.attrSet("style", _ALIGN)
    return list(tokens)


def _direction(text: str) -> str:
    """Returns "ltr" or "rtl", the direction of the first letter of *text*, "" without letters."""
    if text.isascii():
        return "ltr" if re.search("[A-Za-z]", text) else ""
    kinds = map(unicodedata.bidirectional, text)
    return next((_STRONG[kind] for kind in kinds if kind in _STRONG), "")


def _link(renderer: Any, tokens: Any, index: int, options: Any, env: Any) -> str:
    token = tokens[index]
    # The tooltip shows the address, because the text of a link may name another one.
    token.attrs = {
        "href": token.attrGet("href"), "title": token.attrGet("href"),
        "rel": "noopener noreferrer nofollow", "target": "_blank",
    }  # fmt: skip
    tag: str = renderer.renderToken(tokens, index, options, env)
    return tag


def _heading(renderer: Any, tokens: Any, index: int, *_: object) -> str:
    """Renders a heading below that of the card, which is an h4."""
    token = tokens[index]
    size = int(token.tag[1])
    tag = "h5" if size == 1 else "h6"
    if token.nesting < 0:
        return f"</{tag}>\n"
    return f'<{tag} class="lk-h{size}" dir="auto">'


def _table(renderer: Any, tokens: Any, index: int, *_: object) -> str:
    """Renders a table in a box that scrolls, also by keyboard."""
    token = tokens[index]
    if token.nesting < 0:
        return "</table></div>\n"
    direction = token.attrGet("dir")
    direction = f' dir="{direction}"' if direction else ""
    return f'<div class="lk-scroll" tabindex="0"><table class="lk-md"{direction}>\n'


def _code(renderer: Any, tokens: Any, index: int, options: Any, env: Any) -> str:
    """Renders a block of code, whose first word after the fence names the language."""
    token = tokens[index]
    language = (token.info.split() or [""])[0].strip("{}.").lower()[:40]
    code = token.content
    env["code"] += len(code)
    inner = escape_html(code)
    if env["code"] <= highlighting.LONGEST:
        inner = highlighting.highlighted(code, language)
    name = f' data-lang="{escape_html(language)}"' if language else ""
    return f'<pre class="lk-code" dir="ltr" tabindex="0"{name}><code>{inner}</code></pre>\n'


def _code_inline(renderer: Any, tokens: Any, index: int, *_: object) -> str:
    return f'<code dir="ltr">{escape_html(tokens[index].content)}</code>'


def _formula(renderer: Any, tokens: Any, index: int, options: Any, env: Any) -> str:
    token = tokens[index]
    is_display = token.markup in ("$$", r"\[")
    left = formulas.MOST - env["formulas"]
    env["formulas"] += len(token.content)
    html = formulas.formula_html(token.content, token.markup, left, is_display=is_display)
    if not token.block:
        return f'<span class="lk-math">{html}</span>'
    return f'<div class="lk-math lk-display">{html}{escape_html(token.info)}</div>\n'
