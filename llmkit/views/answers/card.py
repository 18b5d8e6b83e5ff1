"""Computes the texts of an answer's card, for HTML, text and scripts alike."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from itertools import groupby

from ...errors import MissingApiKeyError
from ...types import Completion, Lifecycle, Status
from ..markup import clipped, safe_text
from ..rows import Row

MARKS = {
    Status.COMPLETE: ("✓", "complete", "good"),
    Status.LENGTH: ("✂", "stopped at the token limit", "warn"),
    Status.FILTERED: ("⊘", "filtered", "warn"),
    Status.INCOMPLETE: ("◌", "incomplete", "warn"),
    Status.TRUNCATED: ("⚠", "cut off", "bad"),
    Status.CANCELLED: ("■", "cancelled", "warn"),
    Status.ERROR: ("✗", "error", "bad"),
}

BILLED = "may have been billed"


@dataclass(frozen=True, slots=True)
class Card:
    """The texts of one answer, unescaped and unredacted: the renderer must do both.

    Attributes:
        row: The position in the comparison.
        group: The prompt's id, which separates equal prompts of a DataFrame.
        served: The model or upstream provider that answered, if it is not the one named.
        point: The grid point.
        state: A `Status`, or "waiting" or "writing" before the answer is final.
        tone: "good", "warn" or "bad", "soft" before the answer is final and for a missing key.
        remarks: Substitutions, ignored parameters and warnings.
        facts: Times, tokens, speed and cost.
    """

    row: int
    group: str
    prompt: str
    name: str
    served: str
    point: str
    state: str
    mark: str
    word: str
    tone: str
    error: str
    reasoning: str
    text: str
    remarks: tuple[str, ...]
    facts: tuple[str, ...]

    def plain(self) -> dict[str, object]:
        """Returns the card as JSON values, redacted and with control characters escaped."""
        plain: dict[str, object] = {}
        for name, value in asdict(self).items():
            if isinstance(value, tuple):
                plain[name] = [safe_text(text) for text in value]
            else:
                plain[name] = safe_text(value) if isinstance(value, str) else value
        return plain


def card_of(row: Row) -> Card:
    """Returns the card of a final answer."""
    answer = row.completion
    mark, word, tone = MARKS[answer.status]
    error = f"{row.error_type}: {row.error}" if row.error else ""
    if row.error_type == MissingApiKeyError.__name__:  # the user has not set the provider up
        mark, word, tone, error = "–", "no key", "soft", row.error or ""
    model = row.request_model or row.asked
    return Card(
        row=row.row, group=str(row.prompt_id), prompt=row.prompt,
        name=f"{row.provider}: {model}" if row.provider else model,
        served=_served(row), point=point(row), state=str(answer.status),
        mark=mark, word=word, tone=tone, error=error,
        reasoning=answer.reasoning, text=answer.text, remarks=remarks(row), facts=facts(answer),
    )  # fmt: skip


def by_prompt(cards: Sequence[Card]) -> Iterable[tuple[str, list[Card]]]:
    """Groups consecutive cards of the same prompt."""
    groups = groupby(cards, key=lambda card: (card.group, card.prompt))
    return ((prompt, list(group)) for (_, prompt), group in groups)


def point(row: Row) -> str:
    """Returns the grid point of a row as text, "" for a run without parameters."""
    # Redact before clipping: a key that was cut is not recognised.
    words = {name: " ".join(safe_text(value).split()) for name, value in row.parameters.items()}
    parts = [f"{name} {clipped(text, 40)}" for name, text in words.items()]
    return " · ".join([*parts, *([f"repeat {row.repeat + 1}"] if row.repeat else [])])


def facts(answer: Completion) -> tuple[str, ...]:
    """Returns times, tokens, speed and cost as texts."""
    first = {"reasoning": answer.time_to_first_reasoning_s, "text": answer.time_to_first_text_s}
    if set(first.values()) == {None}:  # a tool call, or an answer in a file of version 1
        first = {"chunk": answer.time_to_first_chunk_s}
    parts = [f"first {kind} {at_s:.2f} s" for kind, at_s in first.items() if at_s is not None]
    if answer.duration_s is not None:
        parts.append(f"{answer.duration_s:.2f} s")
    if answer.usage.output_tokens is not None:
        speed = answer.output_tokens_per_s
        rate = "" if speed is None else f" at {speed:.3g}/s"
        parts.append(f"{answer.usage.output_tokens:,} tokens{rate}")
    if answer.attempts > 1:
        parts.append(f"{answer.attempts} attempts")
    if answer.attempts:
        parts.append("cost unknown" if answer.cost_usd is None else dollars(answer.cost_usd))
    return tuple(parts)


def dollars(usd: float) -> str:
    """Formats an amount of US dollars; amounts below $0.10 keep two significant digits."""
    return "$0" if usd == 0 else f"${usd:.2f}" if usd >= 0.1 else f"${usd:.2g}"


def remarks(row: Row) -> tuple[str, ...]:
    """Returns substitutions, ignored parameters and warnings as texts."""
    answer = row.completion
    parts = [str(step) for step in answer.fallback]
    if row.lifecycle is Lifecycle.REROUTED:
        parts.append(f"the provider answers {row.request_model} with another model")
    if answer.rerouted and answer.response_model not in (None, answer.request_model):
        parts.append(f"asked {answer.request_model}, answered by {answer.response_model}")
    is_unfinished = row.error_type or answer.status is Status.CANCELLED
    if answer.possibly_billed and is_unfinished and BILLED not in (row.error or ""):
        parts.append(BILLED)
    warning_text = " ".join(answer.warnings)
    parts += [
        f"{n} was not sent" for n in answer.ignored_parameters if f"{n} was" not in warning_text
    ]
    return (*parts, *answer.warnings)


def _served(row: Row) -> str:
    request_model, response_model = row.request_model, row.completion.response_model
    parts = []
    if row.asked not in (request_model, f"{row.provider}:{request_model}"):
        parts.append(f"asked as {row.asked}")
    if response_model and response_model != request_model and not row.completion.rerouted:
        parts.append(f"served as {response_model}")
    if row.completion.upstream_provider:
        parts.append(f"by {row.completion.upstream_provider}")
    return " · ".join(parts)
