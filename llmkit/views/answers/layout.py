"""Lays out answers side by side, as HTML and as text."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence

from ..markup import clipped, escape, framed, safe_text, wrapped
from ..rows import Row
from .card import Card, by_prompt, card_of

MOST_CARDS = 8  # more answers make a table with folded texts
# Inline, because the rules of notebooks for <pre> override a style sheet and break words. A <pre>
# keeps the lines of an answer even without any style.
AS_WRITTEN = (
    'style="white-space:pre-wrap;word-break:normal;overflow-wrap:anywhere;font-family:inherit;'
    'font-size:inherit;background:transparent;color:inherit;border:0;padding:0;margin:.6em 0"'
)
FOLDED = ("model", "parameters", "status", "answer", "took")

Write = Callable[[str], str]


def as_written(text: str) -> str:
    """Returns an answer as preformatted, escaped text."""
    return f'<pre class="lk-answer" {AS_WRITTEN}>{escape(text)}</pre>'


def comparison_html(
    rows: Sequence[Row], *, notes: Sequence[str] = (), written: Write = as_written
) -> str:
    """Returns the answers side by side, grouped by prompt; *written* renders an answer's text."""
    return cards_html([card_of(row) for row in rows], notes=notes, written=written)


def cards_html(
    cards: Sequence[Card], *, notes: Sequence[str] = (), written: Write = as_written
) -> str:
    """Returns the side-by-side view of *cards*, whose answers may be incomplete."""
    parts = [f'<p class="lk-note">{escape(note)}</p>' for note in notes]
    if not cards:
        parts.append("<p>No answers.</p>")
    for prompt, group in by_prompt(cards):
        parts.append(f"<h3>{escape(prompt)}</h3>")
        if len(cards) <= MOST_CARDS:
            columns = {3: "lk-three", 4: "lk-four", 7: "lk-four", 8: "lk-four"}.get(len(group), "")
            side_by_side = "".join(_card(card, written) for card in group)
            parts.append(f'<div class="lk-cards {columns}">{side_by_side}</div>')
        else:
            heads = "".join(f'<th scope="col" style="text-align:left">{h}</th>' for h in FOLDED)
            lines = "".join(_line(card, written) for card in group)
            parts.append(f'<table class="lk-grid"><thead><tr>{heads}</tr></thead>')
            parts.append(f"<tbody>{lines}</tbody></table>")
    return framed("".join(parts))


def comparison_text(
    rows: Sequence[Row], *, notes: Sequence[str] = (), width: int | None = None
) -> str:
    """Returns the answers one below the other, for a terminal."""
    return cards_text([card_of(row) for row in rows], notes=notes, width=width)


def cards_text(
    cards: Sequence[Card], *, notes: Sequence[str] = (), width: int | None = None
) -> str:
    """Returns the view of *cards* for a terminal; their answers may be incomplete."""
    width = width or min(shutil.get_terminal_size((100, 24)).columns, 120)
    parts = [safe_text(note) for note in notes]
    if not cards:
        parts.append("no answers")
    for prompt, group in by_prompt(cards):
        title = clipped(" ".join(safe_text(prompt).split()), width)
        parts.append(f"\n{title}\n{'=' * min(width, 72)}")
        parts += [_block(card, width) for card in group]
    return "\n".join(parts).strip("\n")


def _card(card: Card, write: Write) -> str:
    points = [text for text in (card.served, card.point) if text]
    parts = [f"<h4>{escape(card.name)}</h4>"]
    parts += [f'<p class="lk-point">{escape(text)}</p>' for text in points]
    parts.append(f'<p class="lk-{card.tone}">{card.mark} {escape(card.word)}</p>')
    if card.error:
        kind = "bad" if card.tone == "bad" else "note"  # a missing key is not a failure
        parts.append(f'<p class="lk-{kind}">{escape(card.error)}</p>')
    if card.reasoning:
        thought = f"<pre {AS_WRITTEN}>{escape(card.reasoning)}</pre>"
        parts.append(f"<details><summary>reasoning</summary>{thought}</details>")
    if card.text:
        parts.append(write(card.text))
    parts += [f'<p class="lk-note">{escape(remark)}</p>' for remark in card.remarks]
    parts.append(f'<p class="lk-facts">{escape(" · ".join(card.facts))}</p>')
    return f'<section class="lk-card">{"".join(parts)}</section>'


def _line(card: Card, write: Write) -> str:
    excerpt = clipped(" ".join(safe_text(card.text or card.error).split()), 72)
    cells = [
        ("", escape(card.name)),
        ("", escape(card.point)),
        (f"lk-fixed lk-{card.tone}", f"{card.mark} {escape(card.word)}"),
        ("", f"<details><summary>{escape(excerpt)}</summary>{_card(card, write)}</details>"),
        ("lk-soft", escape(" · ".join(card.facts))),
    ]
    # Inline, because notebooks align the cells of a table to the right.
    inner = [f'<td class="{kind}" style="text-align:left">{markup}</td>' for kind, markup in cells]
    return f"<tr>{''.join(inner)}</tr>"


def _block(card: Card, width: int) -> str:
    words = [f"{card.mark} {card.name}", card.served, card.point, card.word]
    lines = [clipped(safe_text(" · ".join(filter(None, words))), width)]
    if card.error:
        lines += wrapped(safe_text(card.error), width)
    lines += _indented(safe_text(card.text).strip("\n"), width)
    lines += [line for remark in card.remarks for line in wrapped(f"! {safe_text(remark)}", width)]
    lines += _indented(" · ".join(card.facts), width)
    return "\n" + "\n".join(lines)


def _indented(text: str, width: int) -> list[str]:
    pieces = [piece for line in text.split("\n") for piece in wrapped(line, width - 2)]
    return [f"  {piece}".rstrip() for piece in pieces] if text else []
