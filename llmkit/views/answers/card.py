"""Computes the texts of an answer's card, for HTML, text and scripts alike."""

from __future__ import annotations

import re
from dataclasses import dataclass, fields

from ...errors import MissingApiKeyError
from ...types import Completion, Lifecycle, Status
from ..markup import safe_text
from ..rows import Row
from .place import label_of
from .summary import dollars, duration_words

MARKS = {
    Status.COMPLETE: ("✓", "complete", "good"),
    Status.LENGTH: ("✂", "stopped at the token limit", "warn"),
    Status.FILTERED: ("⊘", "filtered", "warn"),
    Status.INCOMPLETE: ("◌", "incomplete", "warn"),
    Status.TRUNCATED: ("⚠", "cut off", "bad"),
    Status.CANCELLED: ("■", "cancelled", "warn"),
    Status.ERROR: ("✗", "failed", "bad"),
}

BILLED = "may have been billed"
LONGEST_ERROR = 120  # characters of an error that is shown whole
_CLAUSE = re.compile(r"(?<=[.;])\s+|(?<=\S): (?=[A-Z{])")


@dataclass(frozen=True, slots=True)
class Card:
    """The texts of one answer, unescaped and unredacted: the renderer must do both.

    Attributes:
        name: The model that was asked, as provider:id.
        served: How the model was named, and which one answered, where that differs from `name`.
        state: A `Status`, or "waiting" or "writing" before the answer is final.
        tone: "good", "warn" or "bad", "soft" before the answer is final and for a missing key.
        error: The message of an error, or the beginning of a long one.
        why: The rest of a long message.
        key: The provider whose key is missing.
        remarks: Substitutions, ignored parameters and warnings.
        facts: Times, tokens, speed and cost.
        values: Numbers to sort by: duration_s, cost_usd, output_tokens; None if unknown.
    """

    name: str
    served: str
    state: str
    mark: str
    word: str
    tone: str
    error: str
    why: str
    key: str
    reasoning: str
    text: str
    remarks: tuple[str, ...]
    facts: tuple[str, ...]
    values: dict[str, float | None]

    def plain(self) -> dict[str, object]:
        """Returns the card as JSON values, redacted and with control characters escaped."""
        plain: dict[str, object] = {}
        for name in _NAMES:
            value = getattr(self, name)
            if isinstance(value, tuple):
                plain[name] = [safe_text(text) for text in value]
            else:
                plain[name] = safe_text(value) if isinstance(value, str) else value
        return plain


_NAMES = tuple(field.name for field in fields(Card))


def card_of(row: Row) -> Card:
    """Returns the card of a final answer."""
    answer = row.completion
    mark, word, tone = MARKS[answer.status]
    error, why = _split(f"{row.error_type}: {row.error}" if row.error else "")
    key = ""
    if row.error_type == MissingApiKeyError.__name__:  # the user has not set the provider up
        mark, word, tone, error, why = "–", "no key", "soft", row.error or "", ""
        key = row.provider or ""
    return Card(
        name=label_of(row), served=_served(row), state=str(answer.status),
        mark=mark, word=word, tone=tone, error=error, why=why, key=key,
        reasoning=answer.reasoning, text=answer.text, remarks=remarks(row), facts=facts(answer),
        values=_values(answer),
    )  # fmt: skip


def completion_card(answer: Completion) -> Card:
    """Returns the card of an answer of `ask`, which has no row."""
    row = Row(
        run_id="", row=0, prompt_id=0, prompt="", system=None, repeat=0, parameters={},
        asked=answer.request_model or "", provider=answer.provider or None,
        request_model=answer.request_model, how=None, lifecycle=None,
        substituted=bool(answer.fallback), completion=answer,
    )  # fmt: skip
    return card_of(row)


def _split(error: str) -> tuple[str, str]:
    """Splits a long message after its first sentence or clause."""
    if len(error) <= LONGEST_ERROR:
        return error, ""
    cuts = (match for match in _CLAUSE.finditer(error) if 30 < match.end() < 2 * LONGEST_ERROR)
    cut = next(cuts, None)
    if cut is None:
        return error, ""
    return error[: cut.start()].rstrip(":; "), error[cut.end() :]


def _values(answer: Completion) -> dict[str, float | None]:
    return {
        "duration_s": answer.duration_s, "cost_usd": answer.cost_usd if answer.attempts else None,
        "output_tokens": answer.usage.output_tokens,
    }  # fmt: skip


def facts(answer: Completion) -> tuple[str, ...]:
    """Returns times, tokens, speed and cost as texts."""
    first = {"reasoning": answer.time_to_first_reasoning_s, "text": answer.time_to_first_text_s}
    if set(first.values()) == {None}:  # a tool call, or an answer in a file of version 1
        first = {"chunk": answer.time_to_first_chunk_s}
    parts = [f"first {kind} {at_s:.2f} s" for kind, at_s in first.items() if at_s is not None]
    if answer.duration_s is not None:
        parts.append(duration_words(answer.duration_s))
    if answer.usage.output_tokens is not None:
        speed = answer.output_tokens_per_s
        rate = "" if speed is None else f" at {speed:.3g}/s"
        noun = "token" if answer.usage.output_tokens == 1 else "tokens"
        parts.append(f"{answer.usage.output_tokens:,} {noun}{rate}")
    if answer.attempts > 1:
        parts.append(f"{answer.attempts} attempts")
    if answer.attempts:
        parts.append("cost unknown" if answer.cost_usd is None else dollars(answer.cost_usd))
    return tuple(parts)


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
    answer, request_model = row.completion, row.request_model
    parts = []
    if row.asked not in (request_model, f"{row.provider}:{request_model}", label_of(row)):
        parts.append(f"asked as {row.asked}")
    if answer.fallback:
        parts.append(f"answered by {answer.provider}:{request_model}")
    if answer.response_model and answer.response_model != request_model and not answer.rerouted:
        parts.append(f"served as {answer.response_model}")
    if answer.upstream_provider:
        parts.append(f"by {answer.upstream_provider}")
    return " · ".join(parts)
