"""What a name led to, as a value and in sentences."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from ..types import How, Lifecycle
from . import lifecycle


@dataclass(frozen=True, slots=True)
class Resolution:
    """What a name led to; `model` is what is sent, `how` says how we got there.

    Attributes:
        id: What the name meant.
        model: What is sent: the same, or its living successor where the name was translated.
        standard: The standard name that it belongs to, None where it belongs to none.
        lifecycle: Of `id`, on the day that was asked about.
        retires_on: The day on which `id` stops to answer as itself.
        successor: What its provider names instead, at OpenRouter what its maker names.
        live: What can be called that day in its place; the id itself while it lives.
        live_rule: The rule that chose it: same, official-successor, vendor-successor,
            class-default.
        target: The id that a floating name points at, as far as a source says.
        floating: True where the name moves on with time, False where it is pinned.
        verified: False where no source of the catalogue knows the id.
        ambiguous: True where the name could mean something else too.
        alternatives: Those others, and the same model at its maker, as provider:id.
        listed: Whether its provider's own list of the last day has it, None where none was read.
        source: Where its lifecycle was read.
        read: When it was read there.
        as_of: When the catalogue's sources were gathered.
        on: The day that was asked about.
    """

    asked: str
    provider: str
    id: str
    model: str
    how: How
    standard: str | None = None
    lifecycle: Lifecycle = Lifecycle.UNKNOWN
    retires_on: date | None = None
    successor: str | None = None
    live: str | None = None
    live_rule: str | None = None
    target: str | None = None
    floating: bool = False
    verified: bool = True
    ambiguous: bool = False
    alternatives: tuple[str, ...] = ()
    listed: bool | None = None
    source: str = ""
    read: date | None = None
    as_of: date | None = None
    on: date | None = None

    @property
    def substituted(self) -> bool:
        """True where another id is sent than the one that the name meant."""
        return self.model != self.id

    @property
    def pinned(self) -> bool:
        """True where the name means the same model for good."""
        return not self.floating

    def __str__(self) -> str:
        return why(self)

    def _repr_pretty_(self, printer: object, cycle: bool) -> None:
        printer.text(why(self))  # type: ignore[attr-defined]  # IPython's printer is untyped


HOW = {
    How.EXACT: "the id itself",
    How.ALIAS: "another name of it",
    How.MAPPED: "the peer of that standard name, by judgement",
    How.EQUIVALENT: "the peer of that model, by judgement",
    How.VERBATIM: "taken as it is written",
}
RULES = {
    lifecycle.SAME: "it lives",
    lifecycle.OFFICIAL: "the successor that its provider names",
    lifecycle.VENDOR: "the successor that its maker names",
    lifecycle.CLASS: "today's pick of its class",
}


def why(resolution: Resolution) -> str:
    """What `resolve` found, in sentences."""
    return " ".join(_sentences(resolution))


def _sentences(resolution: Resolution) -> Iterator[str]:
    yield f"{resolution.asked} is {resolution.provider}'s {resolution.id} ({HOW[resolution.how]})."
    if not resolution.verified:
        yield "The catalogue does not know this id; it is sent as it is."
    elif resolution.target:
        clause = "; it moves on with time" if resolution.floating else ""
        yield f"It points at {resolution.target}{clause}."
    elif resolution.floating:
        yield "It moves on with time."
    yield from _how_it_lives(resolution)
    yield from _what_is_sent(resolution)
    if resolution.ambiguous:
        others = " or ".join(resolution.alternatives) or "a model of the provider before its colon"
        yield f"The name could also mean {others}."
    elif resolution.alternatives:
        yield f"The same model is {' and '.join(resolution.alternatives)}."
    if resolution.source:
        yield f"Source, read {resolution.read}: {resolution.source}."
    yield f"Catalogue of {resolution.as_of}, asked for {resolution.on}."


def _how_it_lives(resolution: Resolution) -> Iterator[str]:
    day = resolution.retires_on
    if resolution.listed is False:
        yield "Its provider's own list does not have it."
    if resolution.lifecycle is Lifecycle.RETIRED:
        yield f"It is retired since {day}." if day else "It is retired."
    elif resolution.lifecycle is Lifecycle.REROUTED:
        since = f"Since {day} its" if day else "Its"
        successor = resolution.successor or "another model"
        yield f"{since} provider answers with {successor} in its place."
    elif resolution.lifecycle is Lifecycle.DEPRECATED:
        yield f"It is deprecated and ends on {day}." if day else "It is deprecated."
    elif resolution.lifecycle is Lifecycle.UNKNOWN and resolution.verified:
        yield "No source says whether it can be called today."


def _what_is_sent(resolution: Resolution) -> Iterator[str]:
    rule = RULES.get(resolution.live_rule or "", "")
    if resolution.substituted:
        yield f"{resolution.model} is sent instead ({rule})."
    elif resolution.live and resolution.live != resolution.id:
        yield f"What can be called in its place is {resolution.live} ({rule})."
    elif resolution.live is None:
        yield "The catalogue names nothing to call in its place."
    elif resolution.lifecycle is Lifecycle.DEPRECATED and resolution.successor:
        yield f"Its successor is {resolution.successor}."
