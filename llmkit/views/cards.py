"""Answers side by side, as markup and as text."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable, Sequence
from itertools import groupby

from ..types import Completion, Lifecycle, Row, Status
from .markup import clipped, escape, shown, style, wrapped
from .speed import tokens_per_second

MOST_CARDS = 8  # more answers than these make a table with the texts folded away
# Inline: notebooks have rules for <pre> that are stronger than a style sheet's, and that cut
# words in two; and without any style at all a <pre> keeps the lines of the answer apart.
AS_WRITTEN = (
    'style="white-space:pre-wrap;word-break:normal;overflow-wrap:anywhere;font-family:inherit;'
    'font-size:inherit;background:transparent;color:inherit;border:0;padding:0;margin:.6em 0"'
)
FOLDED = ("model", "parameters", "status", "answer", "took")
MARKS = {
    Status.COMPLETE: ("✓", "complete", "good"),
    Status.LENGTH: ("✂", "stopped at the token limit", "warn"),
    Status.FILTERED: ("⊘", "filtered", "warn"),
    Status.TRUNCATED: ("⚠", "cut off", "bad"),
    Status.CANCELLED: ("■", "cancelled", "warn"),
    Status.ERROR: ("✗", "error", "bad"),
}


def as_written(text: str) -> str:
    """An answer as text, whatever it contains."""
    return f'<pre class="lk-answer" {AS_WRITTEN}>{escape(text)}</pre>'


def comparison_html(
    rows: Sequence[Row],
    *,
    notes: Sequence[str] = (),
    written: Callable[[str], str] = as_written,
) -> str:
    """The answers next to each other, grouped by prompt; *written* makes markup of an answer."""
    parts = [style()]
    parts += [f'<p class="lk-note">{escape(note)}</p>' for note in notes]
    if not rows:
        parts.append("<p>No answers.</p>")
    many = _cards if len(rows) <= MOST_CARDS else _folded
    for prompt, group in _by_prompt(rows):
        answers = list(group)
        parts.append(f"<h3>{escape(prompt)}</h3>")
        parts.append(many(answers, written))
    return f'<div class="lk">{"".join(parts)}</div>'


def comparison_text(
    rows: Sequence[Row], *, notes: Sequence[str] = (), width: int | None = None
) -> str:
    """The answers one below the other, for a terminal."""
    width = width or min(shutil.get_terminal_size((100, 24)).columns, 120)
    parts = [shown(note) for note in notes]
    if not rows:
        parts.append("no answers")
    for prompt, group in _by_prompt(rows):
        parts.append(f"\n{clipped(' '.join(shown(prompt).split()), width)}\n{'=' * min(width, 72)}")
        parts += [_block(row, width) for row in group]
    return "\n".join(parts).strip("\n")


def point(row: Row) -> str:
    """The grid point of a row in words, "" for a run without parameters."""
    said = [f"{name} {_short(value)}" for name, value in row.parameters.items()]
    return " · ".join([*said, *([f"repeat {row.repeat + 1}"] if row.repeat else [])])


def facts(answer: Completion) -> tuple[str, ...]:
    """What it took, in words: times, tokens, speed, cost."""
    said = []
    if answer.time_to_first_chunk_s is not None:
        said.append(f"first text {answer.time_to_first_chunk_s:.2f} s")
    if answer.duration_s is not None:
        said.append(f"{answer.duration_s:.2f} s")
    if answer.usage.output_tokens is not None:
        speed = tokens_per_second(answer)
        rate = "" if speed is None else f" at {speed:.3g}/s"
        said.append(f"{answer.usage.output_tokens:,} tokens{rate}")
    if answer.attempts > 1:
        said.append(f"{answer.attempts} attempts")
    if answer.attempts:
        said.append("cost unknown" if answer.cost_usd is None else dollars(answer.cost_usd))
    return tuple(said)


def dollars(usd: float) -> str:
    """An amount of US dollars; tiny ones keep two digits that mean something."""
    return "$0" if usd == 0 else f"${usd:.2f}" if usd >= 0.1 else f"${usd:.2g}"


def remarks(row: Row) -> tuple[str, ...]:
    """All that a reader must know beside the text: substitutions, what was ignored, warnings."""
    answer = row.completion
    said = [str(step) for step in answer.fallback]
    if row.lifecycle is Lifecycle.REROUTED:
        said.append(f"the provider answers {row.request_model} with another model")
    if answer.rerouted:
        said.append(f"asked {answer.request_model}, answered by {answer.response_model}")
    if answer.possibly_billed and row.error_type:
        said.append("may have been billed")
    warned = " ".join(answer.warnings)
    said += [f"{n} was not sent" for n in answer.ignored_parameters if f"{n} was" not in warned]
    return (*said, *answer.warnings)


def _by_prompt(rows: Sequence[Row]) -> Iterable[tuple[str, Iterable[Row]]]:
    keyed = groupby(rows, key=lambda row: (str(row.prompt_id), row.prompt))
    return ((prompt, group) for (_, prompt), group in keyed)


def _cards(rows: Sequence[Row], written: Callable[[str], str]) -> str:
    columns = {3: "lk-three", 4: "lk-four", 7: "lk-four", 8: "lk-four"}.get(len(rows), "")
    cards = "".join(_card(row, written) for row in rows)
    return f'<div class="lk-lanes {columns}">{cards}</div>'


def _card(row: Row, written: Callable[[str], str]) -> str:
    mark, word, tone = MARKS[row.completion.status]
    answer = row.completion
    parts = [f"<h4>{escape(_name(row))}</h4>"]
    parts += [
        f'<p class="lk-point">{escape(said)}</p>' for said in (_served(row), point(row)) if said
    ]
    parts.append(f'<p class="lk-{tone}">{mark} {escape(word)}</p>')
    parts.append(_texts(row, written))
    parts += [f'<p class="lk-note">{escape(said)}</p>' for said in remarks(row)]
    parts.append(f'<p class="lk-facts">{escape(" · ".join(facts(answer)))}</p>')
    return f'<section class="lk-lane">{"".join(parts)}</section>'


def _texts(row: Row, written: Callable[[str], str]) -> str:
    answer = row.completion
    parts = []
    if row.error:
        parts.append(f'<p class="lk-bad">{escape(row.error_type)}: {escape(row.error)}</p>')
    if answer.reasoning:
        thought = f'<pre class="lk-thought" {AS_WRITTEN}>{escape(answer.reasoning)}</pre>'
        parts.append(f"<details><summary>reasoning</summary>{thought}</details>")
    if answer.text:
        parts.append(written(answer.text))
    return "".join(parts)


def _folded(rows: Sequence[Row], written: Callable[[str], str]) -> str:
    """A line for each answer, whose card opens where its text begins."""
    heads = "".join(f'<th scope="col" style="text-align:left">{h}</th>' for h in FOLDED)
    lines = "".join(_line(row, written) for row in rows)
    return f'<table class="lk-grid"><thead><tr>{heads}</tr></thead><tbody>{lines}</tbody></table>'


def _line(row: Row, written: Callable[[str], str]) -> str:
    mark, word, tone = MARKS[row.completion.status]
    begins = clipped(" ".join(shown(row.completion.text or row.error or "").split()), 72)
    took = escape(" · ".join(facts(row.completion)))
    return (
        f"<tr><td>{escape(_name(row))}</td><td>{escape(point(row))}</td>"
        f'<td class="lk-{tone}">{mark} {escape(word)}</td>'
        f"<td><details><summary>{escape(begins)}</summary>{_card(row, written)}</details></td>"
        f"<td>{took}</td></tr>"
    )


def _block(row: Row, width: int) -> str:
    mark, word, _ = MARKS[row.completion.status]
    head = " · ".join(filter(None, [f"{mark} {_name(row)}", _served(row), point(row), word]))
    lines = [clipped(shown(head), width)]
    if row.error:
        lines += wrapped(shown(f"{row.error_type}: {row.error}"), width)
    lines += _indented(shown(row.completion.text).strip("\n"), width)
    lines += [line for said in remarks(row) for line in wrapped(f"! {shown(said)}", width)]
    lines += _indented(" · ".join(facts(row.completion)), width)
    return "\n" + "\n".join(lines)


def _indented(text: str, width: int) -> list[str]:
    pieces = [piece for line in text.split("\n") for piece in wrapped(line, width - 2)]
    return [f"  {piece}".rstrip() for piece in pieces] if text else []


def _name(row: Row) -> str:
    model = row.request_model or row.asked
    return f"{row.provider}: {model}" if row.provider else model


def _served(row: Row) -> str:
    sent, served = row.request_model, row.completion.response_model
    said = []
    if row.asked not in (sent, f"{row.provider}:{sent}"):
        said.append(f"asked as {row.asked}")
    if served and served != sent and not row.completion.rerouted:
        said.append(f"served as {served}")
    if row.completion.upstream_provider:
        said.append(f"by {row.completion.upstream_provider}")
    return " · ".join(said)


def _short(value: object) -> str:
    return clipped(" ".join(shown(value).split()), 40)  # a key is taken out before it is cut
