"""The values that travel through llmkit: what is asked, what comes back, what a row holds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Literal

from .text import escape_controls


class Status(StrEnum):
    """How an answer ended; a stream that was cut is never complete."""

    COMPLETE = "complete"  # the provider said that it had finished
    LENGTH = "length"  # a token limit stopped it
    FILTERED = "filtered"  # a content filter stopped it
    TRUNCATED = "truncated"  # the stream ended without a finish event; the text is kept
    CANCELLED = "cancelled"  # we stopped it; the text is kept
    ERROR = "error"


class Lifecycle(StrEnum):
    """Whether a model id can be called; `unknown` where no source says."""

    ACTIVE = "active"
    DEPRECATED = "deprecated"
    RETIRED = "retired"
    REROUTED = "rerouted"  # the provider answers, with another model
    UNKNOWN = "unknown"


class How(StrEnum):
    """How a name led to a model id."""

    EXACT = "exact"
    ALIAS = "alias"
    MAPPED = "mapped"
    EQUIVALENT = "equivalent"
    VERBATIM = "verbatim"


class Capability(StrEnum):
    """What a model can take or give beyond text."""

    VISION = "vision"
    TOOLS = "tools"
    JSON_SCHEMA = "json_schema"
    REASONING = "reasoning"
    EMBEDDING = "embedding"


Role = Literal["system", "user", "assistant"]


@dataclass(frozen=True, slots=True)
class TextPart:
    """A piece of text in a message; images and tools will stand beside it."""

    text: str


@dataclass(frozen=True, slots=True)
class Message:
    """One turn of a conversation.

    Attributes:
        content: Text, or parts; today every part is text.
    """

    role: Role
    content: str | tuple[TextPart, ...]

    @property
    def text(self) -> str:
        """The content as one string."""
        if isinstance(self.content, str):
            return self.content
        return "".join(part.text for part in self.content)


@dataclass(frozen=True, slots=True)
class Prompt:
    """One question, ready for any provider.

    Attributes:
        messages: In order, oldest first; the system prompt is not among them.
        system: The system prompt, None for none.
        max_tokens: Upper bound on generated tokens; None leaves the provider's default.
        temperature: None leaves the provider's default, as for `top_p`, `stop` and `seed`.
        options: Further fields for the request body, in the provider's own words.
    """

    messages: tuple[Message, ...]
    system: str | None = None
    max_tokens: int | None = None
    temperature: float | None = None
    top_p: float | None = None
    stop: tuple[str, ...] = ()
    seed: int | None = None
    options: tuple[tuple[str, object], ...] = ()

    @property
    def text(self) -> str:
        """The last message's text, which is what a table shows."""
        return self.messages[-1].text if self.messages else ""


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens of one answer, counted alike for every provider; None where nothing was reported.

    Attributes:
        input_tokens: The whole prompt, cached part included.
        output_tokens: Everything generated, reasoning included.
        cached_tokens: The part of the input that was read from a cache.
        reasoning_tokens: The part of the output that was reasoning.
        cache_write_tokens: The part of the input that was written to a cache.
    """

    input_tokens: int | None = None
    output_tokens: int | None = None
    cached_tokens: int | None = None
    reasoning_tokens: int | None = None
    cache_write_tokens: int | None = None


@dataclass(frozen=True, slots=True)
class FallbackStep:
    """One replacement of a model by another, with its reason.

    Attributes:
        asked: The model that was meant, as provider:id.
        chosen: The one in its place.
        rule: Where it was found, such as official-successor; `catalogue/policy.py` lists them.
        reason: Why the one before it did not answer.
        lost: Capabilities of the asked model that the chosen one is not known to have.
        price_ratio: What the answer costs over what the asked one would have charged for as many
            tokens; None where a price is not known, or nothing was charged before.
        class_change: Steps between their classes, negative for a smaller model; None where one
            of them has no place in that order.
    """

    asked: str
    chosen: str
    rule: str
    reason: str
    lost: tuple[str, ...] = ()
    price_ratio: float | None = None
    class_change: int | None = None

    def __str__(self) -> str:
        phrases = [f"{self.asked} → {self.chosen} ({self.rule}): {self.reason}"]
        if self.lost:
            phrases.append(f"without {', '.join(self.lost)}")
        if self.class_change:
            steps = abs(self.class_change)
            size = "larger" if self.class_change > 0 else "smaller"
            phrases.append(f"{steps} class{'es' if steps > 1 else ''} {size}")
        if self.price_ratio is not None and not 0.95 < self.price_ratio < 1.05:
            phrases.append(f"{self.price_ratio:.2g} times the price")
        return "; ".join(phrases)


@dataclass(frozen=True, slots=True)
class ToolCall:
    """One call of a tool that a model asks for; llmkit calls none.

    Attributes:
        arguments: JSON as the model wrote it, which need not be valid.
        id: The provider's, None where it gives none.
    """

    name: str
    arguments: str = "{}"
    id: str | None = None


@dataclass(frozen=True, slots=True)
class Completion:
    """One answer.

    A provider's parser fills what the wire says; the client adds what only it can know
    (provider, times, attempts, cost).

    Attributes:
        text: The answer, exactly as it came, but for keys of this process: those become `***`.
        reasoning: Reasoning text, where the provider shows it.
        tool_calls: What the model wants called, where the request offered tools.
        finish_reason: Ours: stop, length, filtered, tool_calls, or the provider's own word where
            we have none; None where none came.
        native_finish_reason: The provider's own word.
        request_model: The id that was sent.
        response_model: The id that the provider says has answered, None if it does not say.
        upstream_provider: Who really served it (OpenRouter).
        started_at: When the first attempt was sent, in UTC.
        time_to_first_chunk_s: Seconds from sending to the first text or reasoning; None where
            no stream was asked for.
        duration_s: Seconds from sending to the end of the answer, waits between attempts included.
        attempts: Requests sent in all.
        cost_usd: US dollars, None where no price is known; never 0 for want of a price.
        cost_source: Which price row was used, or "provider" where the provider itself said it.
        ignored_parameters: Names of parameters that this model cannot take and that were not sent.
        possibly_billed: True where a failed attempt may have been charged on top.
    """

    text: str = ""
    reasoning: str = ""
    tool_calls: tuple[ToolCall, ...] = ()
    status: Status = Status.TRUNCATED
    finish_reason: str | None = None
    native_finish_reason: str | None = None
    usage: Usage = Usage()
    provider: str = ""
    request_model: str = ""
    response_model: str | None = None
    request_id: str | None = None
    upstream_provider: str | None = None
    started_at: datetime | None = None
    time_to_first_chunk_s: float | None = None
    duration_s: float | None = None
    attempts: int = 1
    cost_usd: float | None = None
    cost_source: str | None = None
    ignored_parameters: tuple[str, ...] = ()
    fallback: tuple[FallbackStep, ...] = ()
    warnings: tuple[str, ...] = ()
    possibly_billed: bool = False

    @property
    def rerouted(self) -> bool:
        """True where another model than the one asked for says it answered."""
        return served_differs(self.request_model, self.response_model)

    def __str__(self) -> str:
        return self.text

    def _repr_pretty_(self, printer: object, cycle: bool) -> None:
        # A cell that ends in ask(...) should show the answer, not thirty fields; and an answer
        # must not be able to steer the terminal that it is shown on.
        # Who answered in the place of another must not be hidden by its words.
        notes = [f"! {step}" for step in self.fallback]
        if self.rerouted:
            notes.append(f"! asked {self.request_model}, answered by {self.response_model}")
        lines = [self.text, *(["", *notes] if notes else [])]
        printer.text(escape_controls("\n".join(lines)))  # type: ignore[attr-defined]  # it is untyped


@dataclass(frozen=True, slots=True)
class TextDelta:
    """What one network read added to an answer; empty where it was part of a call of a tool."""

    text: str = ""
    reasoning: str = ""


@dataclass(frozen=True, slots=True)
class StreamEnd:
    """The last value of a stream."""

    completion: Completion


@dataclass(frozen=True, slots=True)
class Model:
    """One model in a provider's own list; None and empty mean that the list does not say.

    Attributes:
        max_input: Most input tokens.
        max_output: Most output tokens.
        capabilities: Known to be there.
        lacks: Known not to be there.
        aliases: Other ids that lead to it.
    """

    provider: str
    id: str
    name: str | None = None
    lifecycle: Lifecycle = Lifecycle.UNKNOWN
    retires_on: date | None = None
    successor: str | None = None
    max_input: int | None = None
    max_output: int | None = None
    capabilities: frozenset[Capability] = frozenset()
    lacks: frozenset[Capability] = frozenset()
    aliases: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Row:
    """One answer of a comparison, as plain data from which a table can be made again.

    Attributes:
        row: Position in the order asked, from 0.
        parameters: The grid point, by parameter name, in the order of the grid.
        shared_with: The row whose request was the same and was sent once for both, else None.
        extra: Columns that the person's own DataFrame of prompts carries through.
    """

    run_id: str
    row: int
    prompt_id: object
    prompt: str
    system: str | None
    repeat: int
    parameters: Mapping[str, object]
    asked: str
    provider: str | None
    request_model: str | None
    how: How | None
    lifecycle: Lifecycle | None
    substituted: bool
    completion: Completion
    error_type: str | None = None
    error: str | None = None
    shared_with: int | None = None
    cell: str | None = None
    extra: Mapping[str, object] = field(default_factory=dict)


_DATE_LENGTHS = (8, 6, 4)


def served_differs(request_model: str, response_model: str | None) -> bool:
    """True where the two ids cannot be the same model.

    A provider often answers with the dated or full form of the id that was asked for
    ("gpt-5.4-mini" -> "gpt-5.4-mini-2026-03-17", "openai/x" -> "x"), which is no rerouting.
    """
    if not request_model or not response_model:
        return False
    request, response = (
        name.rsplit("/", 1)[-1].lower().removesuffix(":latest")
        for name in (request_model, response_model)
    )
    if request == response or request.endswith("-latest") or response.endswith("-latest"):
        return False
    return not (_is_dated(response, request) or _is_dated(request, response))


def _is_dated(long: str, short: str) -> bool:
    suffix = long.removeprefix(short + "-").replace("-", "")
    return long.startswith(short + "-") and suffix.isdigit() and len(suffix) in (3, *_DATE_LENGTHS)
