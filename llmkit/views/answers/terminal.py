"""Lays out the answers of a run as text for a terminal."""

from __future__ import annotations

import shutil
from collections.abc import Sequence

from ..markup import beginning, clipped, padded, safe_text, width_of, wrapped
from ..rows import Row
from .card import Card
from .page import AnswersPage, folded, page_of
from .summary import ModelSummary, summary_table

MOST_IN_TEXT = 20
MOST_CHARACTERS = 100_000  # of all answers


def comparison_text(
    rows: Sequence[Row],
    *,
    notes: Sequence[str] = (),
    width: int | None = None,
    most: int | None = MOST_IN_TEXT,
) -> str:
    """Returns at most *most* answers one below the other, for a terminal; None for all."""
    return page_text(page_of(rows, notes, "the Comparison"), width=width, most=most)


def page_text(page: AnswersPage, *, width: int | None = None, most: int | None = None) -> str:
    """Returns a page for a terminal; at most *most* answers, None for all."""
    width = width or min(shutil.get_terminal_size((100, 24)).columns, 120)
    matrix = page.matrix
    lead = [page.head, *page.notes, matrix.shared]
    parts = [line for text in lead if text for line in wrapped(safe_text(text), width)]
    if page.models:
        parts.append(_summary_text(page.models, width))
    if not matrix.places:
        parts.append("no answers")
    left = len(matrix.places) if most is None else most
    is_cut = False
    longest = None if most is None else MOST_CHARACTERS // max(min(most, len(matrix.places)), 1)
    for (prompt, _), numbers in zip(matrix.prompts, matrix.by_prompt(), strict=True):
        if left <= 0:
            is_cut = True
            break
        shown, idle = folded(page, numbers)
        title = clipped(" ".join(safe_text(prompt).split()), width)
        parts.append(f"\n{title}\n{'=' * min(width, 72)}")
        parts += [
            _block(page.card(number), matrix.points[matrix.places[number][2]], width, longest)
            for number in shown[:left]
        ]
        is_cut = is_cut or len(shown) > left
        left -= len(shown)
        if idle:
            parts += ["", *wrapped(safe_text(idle), width)]
    if is_cut:
        way = "; frame() has them all, and to_html(path) writes a page" if page.where else ""
        parts += ["", f"Only the first answers of {len(matrix.places):,} are printed{way}."]
    return "\n".join(parts).strip("\n")


def _summary_text(models: Sequence[ModelSummary], width: int) -> str:
    columns, lines = summary_table(models)
    table = [columns, *([safe_text(text) for text in line] for line in lines)]
    widths = [max(width_of(line[i]) for line in table) for i in range(len(columns))]
    rows = ("  ".join(padded(text, size) for text, size in zip(line, widths, strict=True))
            for line in table)  # fmt: skip
    return "\n" + "\n".join(clipped(row.rstrip(), width) for row in rows)


def _block(card: Card, point: str, width: int, longest: int | None) -> str:
    words = [f"{card.mark} {card.name}", card.served, point, card.word]
    lines = [clipped(safe_text(" · ".join(filter(None, words))), width)]
    if card.error:
        lines += wrapped(safe_text(". ".join(filter(None, [card.error, card.why]))), width)
    text = beginning(card.text, longest)
    lines += _indented(safe_text(text).strip("\n"), width)
    if len(text) < len(card.text):
        lines.append(f"  … {len(card.text) - len(text):,} more characters")
    lines += [line for remark in card.remarks for line in wrapped(f"! {safe_text(remark)}", width)]
    lines += _indented(" · ".join(card.facts), width)
    return "\n" + "\n".join(lines)


def _indented(text: str, width: int) -> list[str]:
    pieces = [piece for line in text.split("\n") for piece in wrapped(line, width - 2)]
    return [f"  {piece}".rstrip() for piece in pieces] if text else []
