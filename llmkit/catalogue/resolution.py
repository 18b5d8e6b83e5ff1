"""Defines the result of resolving a model name, and explains it in sentences."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from ..types import How, Lifecycle
from . import lifecycle


@dataclass(frozen=True, slots=True)
class Resolution:
    """The result of resolving a name: `model` is sent, `how` tells how the id was found.

    Attributes:
        id: The id that the name means.
        model: The id that is sent: `id`, or an available successor if the name was translated.
        standard: The standard name of the model, None without one.
        lifecycle: The state of `id` on the day `on`.
        retires_on: The date from which `id` no longer answers as itself.
        reroutes_on: The same date if the provider answers with `successor` from then on.
        successor: The replacement that the provider names (at OpenRouter: the maker).
        live: The id to call on that day: `id` while it is available, else a replacement.
        live_rule: The rule that chose `live`: same, official-successor, vendor-successor,
            class-default.
        target: The id that a floating name points to, None if no source says.
        floating: True if the target of the name changes over time, False if it is pinned.
        verified: False if no source of the catalogue has the id.
        ambiguous: True if the name could also mean another model.
        alternatives: The other meanings, and the same model at its maker, as provider:id.
        by_maker: True if the name states only a maker, as OpenRouter's ids do, and no provider.
        warnings: What the rows of its answers say about the name.
        listed: True if the provider's list of the last day has the id, None without a list.
        source: The source of the lifecycle.
        read: The date on which the source was read.
        as_of: The date of the catalogue's sources.
        on: The date of the resolution.
    """

    asked: str
    provider: str
    id: str
    model: str
    how: How
    standard: str | None = None
    lifecycle: Lifecycle = Lifecycle.UNKNOWN
    retires_on: date | None = None
    reroutes_on: date | None = None
    successor: str | None = None
    live: str | None = None
    live_rule: str | None = None
    target: str | None = None
    floating: bool = False
    verified: bool = True
    ambiguous: bool = False
    alternatives: tuple[str, ...] = ()
    by_maker: bool = False
    warnings: tuple[str, ...] = ()
    listed: bool | None = None
    source: str = ""
    read: date | None = None
    as_of: date | None = None
    on: date | None = None

    @property
    def substituted(self) -> bool:
        """True if the id that is sent is not the one that the name means."""
        return self.model != self.id

    @property
    def pinned(self) -> bool:
        """True if the name always means the same model."""
        return not self.floating

    def __str__(self) -> str:
        return why(self)

    def _repr_pretty_(self, printer: object, cycle: bool) -> None:
        printer.text(why(self))  # type: ignore[attr-defined]  # IPython's printer is untyped


HOW = {
    How.EXACT: "the id itself",
    How.ALIAS: "an alias",
    How.MAPPED: "the peer of that standard name, by judgement",
    How.EQUIVALENT: "the peer of that model, by judgement",
    How.VERBATIM: "used as written",
}
RULES = {
    lifecycle.SAME: "still available",
    lifecycle.OFFICIAL: "the successor named by its provider",
    lifecycle.VENDOR: "the successor named by its maker",
    lifecycle.CLASS: "the current model of its class",
}


def why(resolution: Resolution, *, with_source: bool = True) -> str:
    """Returns the sentences that explain *resolution*, with its source and date if wanted."""
    sentences = [*_sentences(resolution)]
    if with_source:
        if resolution.source:
            sentences.append(f"Source, read {resolution.read}: {resolution.source}.")
        sentences.append(dated(resolution))
    return " ".join(sentences)


def dated(resolution: Resolution) -> str:
    """Returns the sentence with the dates of the catalogue and of *resolution*."""
    return f"Catalogue of {resolution.as_of}, resolved for {resolution.on}."


def _sentences(resolution: Resolution) -> Iterator[str]:
    yield f"{resolution.asked} is {resolution.provider}'s {resolution.id} ({HOW[resolution.how]})."
    if not resolution.verified:
        yield "This id is not in the catalogue; it is sent unchanged."
    elif resolution.target:
        clause = "; the target may change" if resolution.floating else ""
        yield f"It points to {resolution.target}{clause}."
    elif resolution.floating:
        yield "Its target may change."
    yield from _how_it_lives(resolution)
    yield from _what_is_sent(resolution)
    if resolution.ambiguous:
        others = " or ".join(resolution.alternatives) or "a model of the provider before its colon"
        yield f"The name could also mean {others}."
    elif resolution.warnings:  # they name the alternatives
        yield from (f"{warning}." for warning in resolution.warnings)
    elif resolution.alternatives and resolution.verified:
        yield f"The same model is {' and '.join(resolution.alternatives)}."
    elif resolution.alternatives:
        yield f"At its maker it would be {' or '.join(resolution.alternatives)}."


def _how_it_lives(resolution: Resolution) -> Iterator[str]:
    day, successor = resolution.retires_on, resolution.successor or "another model"
    if resolution.listed is False:
        yield "It is missing from its provider's own list."
    if resolution.lifecycle is Lifecycle.RETIRED:
        yield f"It was retired on {day}." if day else "It is retired."
    elif resolution.lifecycle is Lifecycle.REROUTED:
        since = f"Since {day} its" if day else "Its"
        yield f"{since} provider answers with {successor} instead."
    elif resolution.reroutes_on:
        yield f"From {resolution.reroutes_on} its provider answers with {successor} instead."
    elif resolution.lifecycle is Lifecycle.DEPRECATED:
        yield f"It is deprecated and retires on {day}." if day else "It is deprecated."
    elif resolution.lifecycle is Lifecycle.UNKNOWN and resolution.verified:
        yield "No source says whether it is available today."


def _what_is_sent(resolution: Resolution) -> Iterator[str]:
    rule = RULES.get(resolution.live_rule or "", "")
    if resolution.substituted:
        yield f"{resolution.model} is sent instead ({rule})."
    elif resolution.live and resolution.live != resolution.id:
        yield f"The replacement is {resolution.live} ({rule})."
    elif resolution.live is None:
        yield "The catalogue has no replacement for it."
    elif (
        resolution.lifecycle is Lifecycle.DEPRECATED
        and resolution.successor
        and not resolution.reroutes_on
    ):
        yield f"Its successor is {resolution.successor}."
