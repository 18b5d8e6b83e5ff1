"""The values of llmkit: prompts, answers, and the rows of a comparison."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import KW_ONLY, dataclass, field, fields
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Literal

from .fields import (
    COLUMNS,
    PARAMETER,
    SIGNED,
    WHEN,
    Column,
    Parameter,
    column,
    parameter,
)
from .secret import escape_controls


class Status(StrEnum):
    """The end of an answer; a stream that was cut off is never complete."""

    COMPLETE = "complete"  # the provider reported a normal end
    LENGTH = "length"  # a token limit stopped it
    FILTERED = "filtered"  # a content filter or the model's refusal stopped it
    INCOMPLETE = "incomplete"  # it ended for another reason, which a warning quotes
    TRUNCATED = "truncated"  # the stream ended early; the text is kept
    CANCELLED = "cancelled"  # the caller stopped it; the text is kept
    ERROR = "error"

    @property
    def is_ok(self) -> bool:
        """True for an answer that counts: it is complete, or as long as it was allowed to be."""
        return self in (Status.COMPLETE, Status.LENGTH)


class Lifecycle(StrEnum):
    """The state of a model id; `unknown` if no source tells it."""

    ACTIVE = "active"
    DEPRECATED = "deprecated"
    RETIRED = "retired"
    REROUTED = "rerouted"  # the provider answers, with another model
    UNKNOWN = "unknown"


class How(StrEnum):
    """The rule by which a name was resolved to a model id."""

    EXACT = "exact"
    ALIAS = "alias"
    MAPPED = "mapped"
    EQUIVALENT = "equivalent"
    VERBATIM = "verbatim"


# The values of these columns.
LIFECYCLES = ", ".join(Lifecycle)
FINISH_REASONS = "stop, length, filtered, tool_calls, error, or the provider's own word"


class Capability(StrEnum):
    """An ability of a model beyond text in and text out."""

    VISION = "vision"
    TOOLS = "tools"
    JSON_SCHEMA = "json_schema"
    REASONING = "reasoning"
    EMBEDDING = "embedding"


# Functions that return a value as HTML. The first kit adds them: they are above this module.
RENDERERS: dict[str, Callable[[Any], str]] = {}

Role = Literal["system", "user", "assistant"]
# Tokens that arrive in a shorter time came in one piece, and their rate is the network's.
SHORTEST_SPAN_S = 0.02


@dataclass(frozen=True, slots=True)
class TextPart:
    """A piece of text in a message."""

    text: str


@dataclass(frozen=True, slots=True)
class Message:
    """One turn of a conversation; its content is text, or parts of text."""

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
        options: Further fields for the request body, in the provider's own words.
    """

    messages: tuple[Message, ...]
    system: str | None = None
    _: KW_ONLY
    temperature: float | None = parameter(
        "Float64", "sampling temperature; 0 takes the most likely token", default=None,
        low=0, high=2, otel="gen_ai.request.temperature",
    )  # fmt: skip
    top_p: float | None = parameter(
        "Float64", "nucleus sampling: share of the probability mass", default=None,
        low=0, high=1, otel="gen_ai.request.top_p",
    )  # fmt: skip
    max_tokens: int | None = parameter(
        "Int64", "upper bound on generated tokens", default=None,
        low=1, otel="gen_ai.request.max_tokens",
    )  # fmt: skip
    seed: int | None = parameter(
        "Int64", "seed for reproducible answers", default=None,
        otel="gen_ai.request.seed",
    )  # fmt: skip
    stop: tuple[str, ...] = parameter(
        "object",
        "text that ends the answer, or a list of them",
        default=(),
        otel="gen_ai.request.stop_sequences",
    )
    options: tuple[tuple[str, object], ...] = ()

    @property
    def text(self) -> str:
        """The last message's text, which tables show."""
        return self.messages[-1].text if self.messages else ""

    def __post_init__(self) -> None:
        stop: Any = self.stop  # callers may pass a list or one text
        if not isinstance(stop, tuple):
            object.__setattr__(self, "stop", (stop,) if isinstance(stop, str) else tuple(stop))

    @property
    def parameters(self) -> dict[str, object]:
        """Returns the request parameters that are set, by name."""
        values = {}
        for name in PARAMETERS:
            value = getattr(self, name)
            if value is not None and value != ():
                values[name] = value
        return values


PARAMETERS: Mapping[str, Parameter] = MappingProxyType(
    {f.name: f.metadata[PARAMETER] for f in fields(Prompt) if PARAMETER in f.metadata}
)


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens of one answer, counted alike for every provider; None if nothing was reported.

    The fields that are not columns have a price of their own; they are parts of the other counts.

    Attributes:
        cache_write_1h_tokens: Those written to a cache for an hour.
        cached_audio_tokens: Audio read from a cache; also counted in `input_audio_tokens`.
        web_searches: The searches that are billed.
        speed: The provider's word for the speed, such as fast.
        inference_geo: The provider's word for the region.
        unpriced: Why the cost cannot be computed from the counts, None if it can.
    """

    input_tokens: int | None = column("Int64", "prompt tokens, cached ones too", default=None,
        group="tokens", source="provider",
        missing="it counts none, or 0 for some text")  # fmt: skip
    output_tokens: int | None = column("Int64", "tokens generated, reasoning too", default=None,
        group="result", source="provider",
        missing="it counts none, or 0 for some text")  # fmt: skip
    cached_tokens: int | None = column("Int64", "input tokens read from a cache", default=None,
        group="tokens", source="provider", missing="it counts none")  # fmt: skip
    reasoning_tokens: int | None = column("Int64", "output tokens of reasoning", default=None,
        group="tokens", source="provider", missing="it counts none")  # fmt: skip
    cache_write_tokens: int | None = column("Int64", "input tokens written to a cache",
        default=None, group="tokens", source="provider", missing="it counts none")  # fmt: skip
    cache_write_1h_tokens: int | None = None
    input_audio_tokens: int | None = None
    cached_audio_tokens: int | None = None
    output_audio_tokens: int | None = None
    input_image_tokens: int | None = None
    output_image_tokens: int | None = None
    web_searches: int | None = None
    speed: str | None = None
    inference_geo: str | None = None
    unpriced: str | None = None


@dataclass(frozen=True, slots=True)
class FallbackStep:
    """One replacement of a model by another, with its reason.

    Attributes:
        asked: The model that was meant, as provider:id.
        chosen: The one in its place.
        rule: The rule that chose it; `catalogue/fallback_policy.py` lists them.
        reason: Why the model before it did not answer.
        lost: Capabilities of the asked model that the chosen one is not known to have.
        price_ratio: The price of the answer divided by the asked model's price for as many
            tokens; None if a price is unknown or zero.
        class_change: Steps between their classes, negative for a smaller model; None if one of
            them has no class.
    """

    asked: str
    chosen: str
    rule: str
    reason: str
    lost: tuple[str, ...] = ()
    price_ratio: float | None = None
    class_change: int | None = field(default=None, metadata={SIGNED: True})

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

    The arguments are JSON as the model wrote it, which need not be valid.
    """

    name: str
    arguments: str = "{}"
    id: str | None = None


@dataclass(frozen=True, slots=True)
class Completion:
    """One answer; docs/reference/columns.md explains the fields that are columns of a table.

    A provider's parser fills what the wire says; the client adds what only it can know
    (provider, times, attempts, cost).

    Attributes:
        text: As it came, except for keys of this process: those become `***`.
        finish_reason: None if the provider sent none.
        time_to_first_chunk_s: None if no stream was asked for.
        pieces: The number of network reads with content; None if it was not streamed.
        cost_source: Which price row was used, or "provider" if the provider itself said it; if
            `cost_usd` is None, the reason.
    """

    text: str = column("string", "the answer's text; keys are masked", default="",
        group="result", source="provider")  # fmt: skip
    reasoning: str = column("string", "reasoning text, if the provider shows it", default="",
        group="answer", source="provider", missing="it shows none")  # fmt: skip
    tool_calls: tuple[ToolCall, ...] = column("string",
        "tools that the model wants called, as JSON: name, arguments, id", default=(),
        json=True, group="answer", source="provider", missing="it wants none called")  # fmt: skip
    status: Status = column("string", ", ".join(Status), default=Status.TRUNCATED,
        group="result", source="computed")  # fmt: skip
    finish_reason: str | None = column("string", FINISH_REASONS, default=None,
        group="answer", source="computed", missing="the provider sent none")  # fmt: skip
    native_finish_reason: str | None = column("string",
        "the provider's own word for the finish reason", default=None,
        group="answer", source="provider", missing="it sent none")  # fmt: skip
    cost_usd: float | None = column("float64", "US dollars; 0 in a shared row", default=None,
        group="result", source="computed",
        missing="it is not known: see `cost_source`")  # fmt: skip
    cost_source: str | None = column("string", "where the cost comes from, or why it is not known",
        default=None, group="money", source="computed", missing="nothing was answered")  # fmt: skip
    service_tier: str | None = column("string", "the tier that the provider says it used",
        default=None, group="money", source="provider", missing="it names none")  # fmt: skip
    time_to_first_chunk_s: float | None = column("float64",
        "seconds from sending to the first text, reasoning or tool call", default=None,
        group="time", source="measured",
        missing="none arrived, or the answer was not streamed")  # fmt: skip
    time_to_first_reasoning_s: float | None = column("float64",
        "seconds from sending to the first reasoning text", default=None, group="time",
        source="measured", missing="none arrived, or the answer was not streamed")  # fmt: skip
    time_to_first_text_s: float | None = column("float64",
        "seconds from sending to the first text of the answer", default=None, group="time",
        source="measured", missing="none arrived, or the answer was not streamed")  # fmt: skip
    duration_s: float | None = column("float64",
        "seconds from sending to the end, waits between attempts included", default=None,
        group="result", source="measured", missing="nothing was sent")  # fmt: skip
    usage: Usage = field(default=Usage(), metadata={COLUMNS: Usage})
    waited_s: float | None = column("float64",
        "seconds of waiting for a turn and between attempts", default=None,
        group="time", source="measured", missing="nothing was sent")  # fmt: skip
    pieces: int | None = None
    started_at: datetime | None = column(WHEN, "when the first attempt was sent", default=None,
        group="time", source="measured", missing="nothing was sent")  # fmt: skip
    attempts: int = column("Int64", "requests sent in all", default=1,
        group="time", source="measured")  # fmt: skip
    possibly_billed: bool = column("boolean", "a failed or cancelled attempt may be on the bill",
        default=False, group="money", source="computed")  # fmt: skip
    provider: str = ""
    request_model: str = ""
    response_model: str | None = column("string", "the id that the provider says has answered",
        default=None, group="provenance", source="provider", missing="it names none",
    )  # fmt: skip
    request_id: str | None = column("string", "the provider's id of the request", default=None,
        group="ids", source="provider", missing="it sent none")  # fmt: skip
    upstream_provider: str | None = column("string", "the provider behind OpenRouter", default=None,
        group="provenance", source="provider", missing="it names none")  # fmt: skip
    rerouted: bool | None = column("boolean", "a model other than the requested one answered",
        default=None, group="provenance", source="computed",
        missing="the provider names none, or the names do not tell")  # fmt: skip
    ignored_parameters: tuple[str, ...] = column("string",
        "what this model cannot take, and was not sent", default=(), joined=", ",
        group="request", source="computed")  # fmt: skip
    fallback: tuple[FallbackStep, ...] = column("string",
        "steps from the asked model to the one that answered", default=(), joined=" | ",
        group="provenance", source="computed")  # fmt: skip
    warnings: tuple[str, ...] = column("string", "warnings about it", default=(), joined="; ",
        group="answer", source="computed")  # fmt: skip

    @property
    @Column("float64", "output tokens a second, from the first chunk on", group="time",
            source="computed", missing="a time or count is, or all came in one piece")  # fmt: skip
    def output_tokens_per_s(self) -> float | None:
        """Returns the speed from the first chunk on, of the whole answer if it was not streamed.

        None if it cannot be told, as for a stream that came in one piece. Reasoning that the
        provider counts but does not show was over before the first chunk, so its tokens are not
        counted.
        """
        tokens, end, first = self.usage.output_tokens, self.duration_s, self.time_to_first_chunk_s
        if tokens is None or end is None or self.pieces == 1:
            return None
        if first is not None and not self.reasoning:
            tokens -= self.usage.reasoning_tokens or 0
        span = end - (first or 0.0)
        return tokens / span if tokens > 0 and span >= SHORTEST_SPAN_S else None

    def __str__(self) -> str:
        return self.text

    def _repr_html_(self) -> str | None:
        render = RENDERERS.get("completion")
        return None if render is None else render(self)

    def __repr__(self) -> str:
        """Returns the text, and who gave it and how it ended, which no text may hide."""
        notes = [f"! {step}" for step in self.fallback]
        if self.rerouted:
            is_named = self.response_model not in (None, self.request_model)
            other = self.response_model if is_named else "another model"
            notes.append(f"! asked {self.request_model}, answered by {other}")
        if self.status is Status.INCOMPLETE or not self.text:
            notes += [f"! {warning}" for warning in self.warnings]
        tokens, model = self.usage.output_tokens, self.response_model or self.request_model
        facts = [
            f"{self.provider}:{model}" if self.provider else model, str(self.status),
            "" if tokens is None else f"{tokens:,} tokens",
            "" if self.duration_s is None else f"{self.duration_s:.3g} s",
            "" if self.cost_usd is None else f"${self.cost_usd:.2g}",
        ]  # fmt: skip
        text = "\n".join([self.text, "", *notes, f"({' · '.join(filter(None, facts))})"])
        return escape_controls(text.lstrip("\n"))


@dataclass(frozen=True, slots=True)
class TextDelta:
    """The text that one network read added to an answer; empty for a part of a tool call."""

    text: str = ""
    reasoning: str = ""


@dataclass(frozen=True, slots=True)
class StreamEnd:
    """The last value of a stream."""

    completion: Completion
