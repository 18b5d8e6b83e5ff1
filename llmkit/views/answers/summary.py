"""Summarizes the answers of a run: counts, median times, tokens and cost, in all and by model."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from ...errors import MissingApiKeyError
from ...types import Status
from ..rows import Row
from .place import label_of

NO_KEY = "no key"  # such a row was not sent; the user has not set the provider up
# What a summary calls the answers that are not ok.
WORDS = {
    Status.FILTERED: "filtered", Status.INCOMPLETE: "incomplete", Status.TRUNCATED: "cut off",
    Status.CANCELLED: "cancelled", Status.ERROR: "failed", NO_KEY: NO_KEY,
}  # fmt: skip
LIMITED = "at the token limit"
COLUMNS = ("model", "ok", "not ok", "first text", "duration", "tokens", "cost")


@dataclass(frozen=True, slots=True)
class ModelSummary:
    """The answers of one model, as plain numbers.

    Attributes:
        label: The model that was asked, as provider:id.
        ok: The number of answers that are complete or ended at the token limit.
        statuses: The number of answers by `Status`; "no key" for those that lacked a key.
        time_to_first_text_s: The median over the ok answers, in seconds; None if none has it.
        duration_s: The median over the ok answers, in seconds; None if none has it.
        output_tokens: The sum over all answers; None if that of an ok answer is not known.
        cost_known: The number of answers that were sent and whose cost is known.
        cost_unknown: The number of answers that were sent and whose cost is not known.
        known_cost_usd: The sum of the known costs, in US dollars.
    """

    label: str
    answers: int
    ok: int
    statuses: Mapping[str, int]
    time_to_first_text_s: float | None
    duration_s: float | None
    output_tokens: int | None
    cost_known: int
    cost_unknown: int
    known_cost_usd: float

    @property
    def cost_usd(self) -> float | None:
        """The sum of all costs, in US dollars; None if one of them is not known."""
        return None if self.cost_unknown else self.known_cost_usd


class Tally:
    """Counts the answers of one model, or of all; each call of `add` takes constant time."""

    def __init__(self, label: str = "") -> None:
        self._label = label
        self._statuses: Counter[str] = Counter()
        self._first_text_s: list[float] = []
        self._duration_s: list[float] = []
        self._tokens: int | None = None
        self._is_token_missing = False
        self._costs: list[float] = []
        self._unknown_costs = 0

    def add(self, row: Row) -> None:
        """Counts a final row."""
        answer = row.completion
        lacks_key = row.error_type == MissingApiKeyError.__name__
        self._statuses[NO_KEY if lacks_key else answer.status] += 1
        if answer.status.is_ok:
            if answer.time_to_first_text_s is not None:
                self._first_text_s.append(answer.time_to_first_text_s)
            if answer.duration_s is not None:
                self._duration_s.append(answer.duration_s)
        if answer.usage.output_tokens is not None:
            self._tokens = (self._tokens or 0) + answer.usage.output_tokens
        elif answer.status.is_ok:
            self._is_token_missing = True
        if answer.cost_usd is not None:
            if answer.attempts:
                self._costs.append(answer.cost_usd)
        elif answer.attempts:
            self._unknown_costs += 1

    def summary(self) -> ModelSummary:
        """Returns the numbers of all rows so far."""
        ok = sum(n for status, n in self._statuses.items() if status in tuple(Status)
                 and Status(status).is_ok)  # fmt: skip
        return ModelSummary(
            label=self._label, answers=self._statuses.total(), ok=ok,
            statuses=dict(self._statuses),
            time_to_first_text_s=median(self._first_text_s) if self._first_text_s else None,
            duration_s=median(self._duration_s) if self._duration_s else None,
            output_tokens=None if self._is_token_missing else self._tokens,
            cost_known=len(self._costs), cost_unknown=self._unknown_costs,
            known_cost_usd=sum(self._costs),
        )  # fmt: skip


def summaries(rows: Iterable[Row]) -> list[ModelSummary]:
    """Returns one summary for each model that was asked, in the order of the first answers."""
    tallies: dict[str, Tally] = {}
    for row in rows:
        label = label_of(row)
        tallies.setdefault(label, Tally(label)).add(row)
    return [tally.summary() for tally in tallies.values()]


def total(rows: Iterable[Row]) -> ModelSummary:
    """Returns the summary of all rows together."""
    tally = Tally()
    for row in rows:
        tally.add(row)
    return tally.summary()


def summary_table(found: Sequence[ModelSummary]) -> tuple[list[str], list[list[str]]]:
    """Returns the heads and the lines of a table as texts, without columns that are empty."""
    lines = [
        [
            one.label, _with_limit(one), ", ".join(failures(one)),
            "" if one.time_to_first_text_s is None else f"{one.time_to_first_text_s:.2f} s",
            "" if one.duration_s is None else duration_words(one.duration_s),
            "" if one.output_tokens is None else f"{one.output_tokens:,}",
            cost_words(one),
        ]
        for one in found
    ]  # fmt: skip
    kept = [i for i, _ in enumerate(COLUMNS) if any(line[i] for line in lines)]
    return [COLUMNS[i] for i in kept], [[line[i] for i in kept] for line in lines]


def head_parts(found: ModelSummary) -> list[str]:
    """Returns what is said of a run in one line: ok and failed answers, and the cost."""
    parts = [f"{_with_limit(found)} ok"] if found.ok else []
    return [text for text in (*parts, *failures(found), cost_words(found)) if text]


def failures(found: ModelSummary) -> list[str]:
    """Returns the answers that are not ok, such as ["2 failed", "1 cut off"]."""
    counts = ((word, found.statuses.get(status, 0)) for status, word in WORDS.items())
    return [f"{n:,} {word}" for word, n in counts if n]


def cost_words(found: ModelSummary) -> str:
    """Returns the cost, and for how many answers it is known; "" if nothing was sent."""
    sent = found.cost_known + found.cost_unknown
    if not sent:
        return ""
    if not found.cost_known:
        return "cost unknown"
    cost = dollars(found.known_cost_usd)
    return f"{cost} ({found.cost_known:,} of {sent:,} known)" if found.cost_unknown else cost


def dollars(usd: float) -> str:
    """Formats an amount of US dollars; amounts below $0.10 keep two significant digits."""
    return "$0" if usd == 0 else f"${usd:,.2f}" if usd >= 0.1 else f"${usd:.2g}"


def duration_words(seconds: float) -> str:
    """Formats a time for a reader, such as "12.3 s", "3 min 20 s" or "2 h 5 min"."""
    if seconds < 59.95:
        return f"{seconds:.2f} s" if seconds < 9.995 else f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s"
    return f"{minutes // 60} h {minutes % 60} min"


def _with_limit(found: ModelSummary) -> str:
    limited = found.statuses.get(Status.LENGTH, 0)
    return f"{found.ok:,} ({limited:,} {LIMITED})" if limited else f"{found.ok:,}"
