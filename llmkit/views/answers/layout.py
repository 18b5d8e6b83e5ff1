"""Lays out the answers of a run, as HTML that needs no script.

A few answers stand side by side; more are a table of prompts and models, in which each answer
unfolds.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ...secret import without_locals
from ...types import Completion, Status
from ..markup import AS_WRITTEN, beginning, clipped, escape, framed, safe_text
from ..rows import Row
from .card import Card, completion_card
from .markdown import markdown_html
from .page import AnswersPage, folded, page_of
from .summary import ModelSummary, summary_table

log = logging.getLogger(__name__)

MOST_CARDS = 8  # more answers make a table
MOST_PROMPTS = 25
MOST_CELLS = 200  # in the table
MOST_IN_CELL, FEWEST_IN_CELL = 12, 3  # the second if the room is used up
MOST_FAILURES = 25
MOST_BYTES = 600_000  # of the answers in the output of a cell
LONGEST = 20_000  # characters of one answer in the output of a cell
EXCERPT, SHORT = 300, 80  # characters of an answer that is folded, and if the room is used up
LEFT = 'style="text-align:left"'  # inline, because notebooks align the cells of a table right


def comparison_html(
    rows: Sequence[Row],
    *,
    notes: Sequence[str] = (),
    markdown: bool = True,
    where: str = "",
    is_whole: bool = False,
) -> str:
    """Returns the answers of a run as HTML; *is_whole* leaves nothing out, however large it is."""
    page = page_of(rows, notes, where, is_whole=is_whole)
    return page_html(page, markdown=markdown, is_whole=is_whole)


def completion_html(answer: Completion, *, markdown: bool = True) -> str:
    """Returns the card of an answer of `ask`."""
    card = _card(completion_card(answer), "", written(markdown))
    return framed(f'<div class="lk-cards lk-one">{card}</div>')


def written(markdown: bool) -> Callable[[str], str]:
    """Returns the function that renders the text of an answer."""
    return _rendered if markdown else as_written


def as_written(text: str) -> str:
    """Returns an answer as preformatted, escaped text."""
    return f'<pre class="lk-answer" dir="auto" {AS_WRITTEN}>{escape(text)}</pre>'


def _rendered(text: str) -> str:
    try:
        html = markdown_html(text)
    except Exception as error:  # an answer is shown, whatever a renderer makes of it
        log.exception("an answer is shown as written", exc_info=without_locals(error))
        return as_written(text)
    return f'<div class="lk-answer lk-markdown">{html}</div>'


def page_html(page: AnswersPage, *, markdown: bool = True, is_whole: bool = False) -> str:
    """Returns a page as HTML; the first prompts only, unless *is_whole*."""
    write = written(markdown)
    matrix = page.matrix
    early = " lk-early" if page.is_early else ""  # by which a live page recognises it
    parts = [f'<p class="lk-head{early}">{escape(page.head)}</p>'] if page.head else []
    parts += [f'<p class="lk-note">{escape(note)}</p>' for note in page.notes]
    if matrix.shared:
        parts.append(f'<p class="lk-point">{escape(matrix.shared)}</p>')
    if page.models:
        parts.append(_summary_table(page.models))
    if not matrix.places:
        parts.append("<p>No answers.</p>")
    elif len(matrix.places) <= MOST_CARDS:
        for prompt, numbers in zip(matrix.prompts, matrix.by_prompt(), strict=True):
            if prompt[0]:
                parts.append(f"<h3>{_prompt(prompt)}</h3>")
            parts.append(_side_by_side(page, numbers, write, is_whole=is_whole))
    else:
        parts.append(_failures(page, None if is_whole else MOST_FAILURES))
        parts.append(_matrix_table(page, write, is_whole=is_whole))
    return framed("".join(parts))


def _prompt(prompt: tuple[str, int]) -> str:
    text, more = prompt
    return escape(text) + (f" … ({more:,} more characters)" if more else "")


def _side_by_side(
    page: AnswersPage, numbers: Sequence[int], write: Callable[[str], str], *, is_whole: bool
) -> str:
    shown, idle = folded(page, numbers)
    columns = {3: "lk-three", 4: "lk-four", 7: "lk-four", 8: "lk-four"}.get(len(shown), "")
    kind = "lk-one" if len(shown) == 1 else columns
    cards = "".join(_card_html(page, number, write, is_whole=is_whole) for number in shown)
    note = f'<p class="lk-note">{escape(idle)}</p>' if idle else ""
    return f'<div class="lk-cards {kind}">{cards}</div>{note}'


def _summary_table(models: Sequence[ModelSummary]) -> str:
    columns, lines = summary_table(models)
    heads = "".join(f'<th scope="col" {LEFT}>{name}</th>' for name in columns)
    rows = "".join(
        f'<tr><th scope="row" {LEFT}>{escape(name)}</th>'
        + "".join(f"<td {LEFT}>{escape(text)}</td>" for text in cells)
        + "</tr>"
        for name, *cells in lines
    )
    return (
        f'<div class="lk-scroll" tabindex="0"><table class="lk-summary">'
        f"<thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table></div>"
    )


def _failures(page: AnswersPage, most: int | None) -> str:
    """Returns a folded list of the answers that are failures, with their places."""
    failed = page.failed
    if not failed:
        return ""
    items = []
    for number in failed[:most]:
        card = page.card(number)
        prompt, _, point = page.matrix.places[number]
        said = clipped(" ".join(safe_text(page.matrix.prompts[prompt][0]).split()), 80)
        place = " · ".join(filter(None, [card.name, page.matrix.points[point], said]))
        items.append(f"<li>{card.mark} {escape(place)}: {escape(card.error or card.word)}</li>")
    if len(failed) > len(items):
        items.append(f"<li>and {len(failed) - len(items):,} more</li>")
    noun = "answer is" if len(failed) == 1 else "answers are"
    return (
        f'<details class="lk-failed"><summary class="lk-bad">{len(failed):,} {noun} not ok'
        f"</summary><ul>{''.join(items)}</ul></details>"
    )


def _matrix_table(page: AnswersPage, write: Callable[[str], str], *, is_whole: bool) -> str:
    matrix = page.matrix
    many = " lk-many" if len(matrix.models) > MOST_CARDS else ""
    heads = "".join(f'<th scope="col" {LEFT}>{escape(name)}</th>' for name in matrix.models)
    room = _Room(None if is_whole else MOST_BYTES, frozenset(page.failed))
    lines = []
    cells = matrix.cells()
    most = min(MOST_PROMPTS, max(MOST_CELLS // len(matrix.models), 1))
    for prompt, by_model in list(cells.items())[: None if is_whole else most]:
        inner = "".join(
            f"<td {LEFT}>{_cell(page, model, by_model.get(model, []), write, room)}</td>"
            for model in range(len(matrix.models))
        )
        head = f'<th scope="row" {LEFT}><div class="lk-prompt">'
        lines.append(f"<tr>{head}{_prompt(matrix.prompts[prompt])}</div></th>{inner}</tr>")
    table = (
        f'<div class="lk-scroll" tabindex="0"><table class="lk-matrix{many}"><thead><tr>'
        f'<th scope="col" {LEFT}>prompt</th>{heads}</tr></thead>'
        f"<tbody>{''.join(lines)}</tbody></table></div>"
    )
    return table + _rest(page, len(lines), len(cells), room)


def _rest(page: AnswersPage, shown: int, prompts: int, room: _Room) -> str:
    """Returns where the answers are that the table leaves out; "" if it has them all."""
    if shown == prompts and not room.left_out:
        return ""
    first = f"These are the first {shown:,} of {prompts:,} prompts. " if shown < prompts else ""
    cut = "Some answers are cut or left out. " if room.left_out else ""
    name = page.where
    way = f"All answers are in {name}; its to_html(path) makes a page with every one."
    way = way if name else "Python has them all."
    return f'<p class="lk-note">{escape(first + cut + way)}</p>'


@dataclass(slots=True)
class _Room:
    """What the cells of a table share.

    Attributes:
        left: The characters that are left for whole answers, None for any number.
        failed: The answers that are not ok.
        left_out: True if a cell has less than all of its answers.
    """

    left: int | None
    failed: frozenset[int]
    left_out: bool = False

    def take(self, size: int) -> bool:
        """Returns True if there is room for so many characters, and takes it."""
        if self.left is None:
            return True
        if size > self.left:
            self.left_out = True
            return False
        self.left -= size
        return True


def _cell(
    page: AnswersPage,
    model: int,
    numbers: Sequence[int],
    write: Callable[[str], str],
    room: _Room,
) -> str:
    name = f'<span class="lk-model">{escape(page.matrix.models[model])}</span>'
    if not numbers:
        return ""
    most = None if room.left is None else MOST_IN_CELL if room.left > EXCERPT else FEWEST_IN_CELL
    first, *others = (_folding(page, number, write, room) for number in numbers[:most])
    if not others:
        return name + first
    rest = len(numbers) - 1 - len(others)
    room.left_out = room.left_out or rest > 0
    wrong = sum(number in room.failed for number in numbers[1:])
    count = f"{len(numbers) - 1:,} more" + (f", {wrong:,} not ok" if wrong else "")
    more = f"<p>and {rest:,} more</p>" if rest else ""
    return (
        f'{name}{first}<details class="lk-more"><summary>{count}</summary>'
        f"{''.join(others)}{more}</details>"
    )


def _folding(page: AnswersPage, number: int, write: Callable[[str], str], room: _Room) -> str:
    card = page.card(number)
    point = page.matrix.points[page.matrix.places[number][2]]
    longest = EXCERPT if room.left is None or room.left > EXCERPT else SHORT
    words = " ".join(safe_text((card.text or card.error)[: 4 * EXCERPT]).split())
    excerpt = clipped(words, longest)
    word = "" if card.state == Status.COMPLETE else f" {escape(card.word)}"
    summary = (
        (f'<span class="lk-point">{escape(point)}</span> ' if point else "")
        + f'<span class="lk-{card.tone}">{card.mark}{word}</span> '
        + f'<span class="lk-first" dir="auto">{escape(excerpt)}</span>'
    )
    room.take(min(len(summary), room.left or 0))
    size = min(len(card.text), LONGEST) + min(len(card.reasoning), LONGEST)
    if card.state == "waiting" or (room.left is not None and size > room.left):
        room.left_out = room.left_out or card.state != "waiting"
        return f'<p class="lk-cell">{summary}</p>'
    whole = _card_html(page, number, write, is_whole=room.left is None)
    if not room.take(len(whole)):
        return f'<p class="lk-cell">{summary}</p>'
    return f'<details class="lk-cell"><summary>{summary}</summary>{whole}</details>'


def _card_html(
    page: AnswersPage, number: int, write: Callable[[str], str], *, is_whole: bool = False
) -> str:
    where = page.place_of(number)
    if (number, where) in page.rendered:
        return page.rendered[number, where]
    card = page.card(number)
    is_final = card.state not in ("waiting", "writing")
    longest = None if is_whole else LONGEST
    html = _card(
        card, page.matrix.points[page.matrix.places[number][2]],
        write if is_final else as_written,  # half an answer is soon stored again
        longest=longest,
        where=where,
    )  # fmt: skip
    if is_final:
        page.rendered[number, where] = html
    return html


def _card(
    card: Card,
    point: str,
    write: Callable[[str], str],
    *,
    longest: int | None = None,
    where: str = "",
) -> str:
    parts = [f"<h4>{escape(card.name)}</h4>"]
    parts += [f'<p class="lk-point">{escape(text)}</p>' for text in (card.served, point) if text]
    parts.append(f'<p class="lk-{card.tone}">{card.mark} {escape(card.word)}</p>')
    if card.error:
        kind = "bad" if card.tone == "bad" else "note"  # a missing key is not a failure
        parts.append(f'<p class="lk-{kind}">{escape(card.error)}</p>')
    if card.why:
        parts.append(f"<details><summary>why</summary><p>{escape(card.why)}</p></details>")
    if card.reasoning:
        thought = escape(beginning(card.reasoning, longest))
        thought = (
            f'<pre dir="auto" {AS_WRITTEN}>{thought}</pre>{_cut(card.reasoning, longest, where)}'
        )
        parts.append(f"<details><summary>reasoning</summary>{thought}</details>")
    if card.text:
        parts.append(write(beginning(card.text, longest)) + _cut(card.text, longest, where))
    parts += [f'<p class="lk-note">{escape(remark)}</p>' for remark in card.remarks]
    if card.facts:
        parts.append(f'<p class="lk-facts">{escape(" · ".join(card.facts))}</p>')
    return f'<section class="lk-card">{"".join(parts)}</section>'


def _cut(text: str, longest: int | None, where: str) -> str:
    """Returns what is said below a text of which only the beginning is shown."""
    more = len(text) - len(beginning(text, longest))
    if not more:
        return ""
    words = f"… {more:,} more characters"
    return f'<p class="lk-note">{escape(f"{words}: {where}" if where else words)}</p>'
