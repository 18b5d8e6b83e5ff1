"""Renders the Markdown of an answer as sanitised HTML, whole or while it grows.

Called by the views of answers. While an answer grows, only the blocks at its end are parsed again.
"""

from __future__ import annotations

from typing import Any

from ..markup import safe_text
from .markdown_blocks import (
    LONGEST,
    as_written,
    last_start,
    limit_of,
    line_of,
    markdown_blocks,
    new_env,
    offset_of,
    parsed,
    rendered,
    unified,
    work_in,
)

LONGEST_TAIL = 20_000  # characters at the end that are rendered again for each change


def markdown_html(text: str) -> str:
    """Renders Markdown as HTML: no raw HTML, no images, links to http and https only.

    Keys are redacted and control characters escaped, as in every other view.
    """
    return "".join(markdown_blocks(safe_text(text)))


class MarkdownStream:
    """The rendered blocks of one growing answer.

    A link whose address is given further down is a link only after the last update.

    Attributes:
        characters_parsed: The cost so far.
    """

    def __init__(self) -> None:
        self.characters_parsed = 0
        self._finished: list[str] = []
        self._tail: list[str] = []
        self._begin()

    def update(self, text: str, *, final: bool = False) -> tuple[int, list[str]]:
        """Returns how many blocks stay, and the blocks that follow them from now on.

        Args:
            text: The whole text so far, in whole words: a key that is cut is not recognised.
            final: True renders the whole text, as `markdown_html` does.
        """
        text = unified(safe_text(text))
        old = self._finished + self._tail
        if final:
            self.characters_parsed += len(text)
            self._begin()
            self._tail = markdown_blocks(text)
        else:
            if not text.startswith(self._before):
                self._begin()
            self._render(text)
        new = self._finished + self._tail
        keep = next(
            (n for n, (a, b) in enumerate(zip(old, new, strict=False)) if a != b),
            min(len(old), len(new)),
        )
        return keep, new[keep:]

    def _begin(self) -> None:
        self._before = ""
        self._work = 0
        self._is_full = False
        self._finished = []
        self._tail = []
        self._env = new_env()

    def _render(self, text: str) -> None:
        """Parses what follows the finished blocks, and finishes those that cannot change."""
        while not self._is_full:
            tail = text[len(self._before) :]
            limit = min(limit_of(tail, self._work), max(LONGEST - len(self._before), 0))
            is_long = limit > LONGEST_TAIL
            shown, env = tail[:limit], self._copied()
            self.characters_parsed += limit
            blocks = parsed(shown, env, is_outline=is_long)
            start = last_start(blocks or [], shown)
            end = 0 if start is None else offset_of(shown, start)
            if is_long and end:  # what is finished is parsed as a whole once
                self.characters_parsed += end
                blocks = parsed(shown[:end], env := self._copied())
                self._finish(shown[:end], blocks)
                self._env["references"].update(env["references"])
                continue
            self._is_full = limit < len(tail)
            if blocks is None or is_long:
                break
            if start:
                self._finish(shown[:end], [block for block in blocks if line_of(block) < start])
                self._env["references"].update(_defined_before(env, start))
                blocks = [block for block in blocks if line_of(block) >= start]
            if self._is_full:
                break
            env = self._copied(env["references"])
            self._tail = [rendered(block, env) for block in blocks]
            return
        self._tail = as_written(text[len(self._before) :])

    def _finish(self, text: str, blocks: list[Any] | None) -> None:
        """Takes *text* from the tail; its *blocks* are None if they cannot be rendered."""
        written = as_written(text) if blocks is None else [rendered(b, self._env) for b in blocks]
        self._finished += written
        self._before += text
        self._work += work_in(text)

    def _copied(self, references: dict[str, Any] | None = None) -> dict[Any, Any]:
        known = self._env["references"] if references is None else references
        return {**self._env, "references": dict(known), "lines": 0}


def _defined_before(env: dict[Any, Any], line: int) -> dict[str, Any]:
    """Returns the addresses of links that are given above *line* of the text parsed last."""
    return {
        label: {**reference, "map": [0, 0]}
        for label, reference in env["references"].items()
        if reference["map"][1] <= line
    }
