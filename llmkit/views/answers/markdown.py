"""Renders the Markdown of answers as sanitised HTML. Only this module imports markdown_it."""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, Any

from ...cell import ready
from ...errors import ConfigError
from ..markup import escape, safe_text

if TYPE_CHECKING:
    from markdown_it import MarkdownIt

NEEDS = 'rendering Markdown needs: pip install "llmkit[markdown]"'
LONGEST = 50_000  # characters; longer texts are not rendered
DEEPEST = 40  # levels of lists and quotations; markdown-it drops deeper ones
MOST_BRACKETS = 5_000  # each may open a link, which is searched on all levels
MOST_LINES = 100_000  # lines read, once for each level of quotation that may end there
_LINK = re.compile(r"https?://[^/\s]", re.IGNORECASE)


def markdown_html(text: str) -> str:
    """Renders Markdown as HTML: no raw HTML, no images, links to http and https only.

    Keys are redacted and control characters escaped, as in every other view.

    Raises:
        ConfigError: The extra `markdown` is not installed; the message says how to install it.
    """
    parser = _parser()
    try:
        is_usual = len(text) <= LONGEST and text.count("[") <= MOST_BRACKETS
        tokens = parser.parse(safe_text(text)) if is_usual else []
    except _TooManyLinesError:
        tokens = []
    if not tokens or max(token.level for token in tokens) >= DEEPEST - 1:
        return f"<pre>{escape(text)}</pre>"
    html: str = parser.renderer.render(tokens, parser.options, {})
    return html


class _TooManyLinesError(Exception):
    """The text would take too long."""


@cache
def _parser() -> MarkdownIt:
    try:
        ready("markdown_it")
        from markdown_it import MarkdownIt
    except ImportError:
        raise ConfigError(NEEDS) from None
    parser = MarkdownIt("commonmark", {"html": False, "maxNesting": DEEPEST})
    parser.enable(["table", "strikethrough"]).disable(["image", "html_block", "html_inline"])
    parser.block.ruler.before(
        "table", "llmkit_lines", _count_line,
        {"alt": ["paragraph", "reference", "blockquote", "list"]},
    )  # fmt: skip
    # Assigned, as its manual says. Relative links are rejected too: in a notebook they lead to the
    # Jupyter server's API.
    parser.validateLink = lambda url: bool(_LINK.match(url))  # type: ignore[method-assign]
    parser.add_render_rule("link_open", _link)
    return parser


def _count_line(state: Any, *_: object) -> bool:
    """Is a rule that matches nothing, called for each line at each level."""
    state.env[_count_line] = count = state.env.get(_count_line, 0) + 1
    if count > MOST_LINES:
        raise _TooManyLinesError
    return False


def _link(renderer: Any, tokens: Any, index: int, options: Any, env: Any) -> str:
    token = tokens[index]
    # The tooltip shows the address, because the text of a link may name another one.
    token.attrs = {
        "href": token.attrGet("href"), "title": token.attrGet("href"),
        "rel": "noopener noreferrer nofollow", "target": "_blank",
    }  # fmt: skip
    tag: str = renderer.renderToken(tokens, index, options, env)
    return tag
