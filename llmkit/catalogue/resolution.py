"""What a name led to, as a value and in sentences."""

from __future__ import annotations

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
        successor: What its provider names instead.
        live: What can be called today in its place; the id itself while it lives.
        live_rule: The rule that chose it: same, official-successor, class-default.
        floating: True where the name moves on with time.
        verified: False where no source of the catalogue knows the id.
        ambiguous: True where the name could mean a model at another provider too.
        alternatives: Those others, as provider:id.
        as_of: When the catalogue's sources were read.
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
    floating: bool = False
    verified: bool = True
    ambiguous: bool = False
    alternatives: tuple[str, ...] = ()
    as_of: date | None = None

    @property
    def substituted(self) -> bool:
        """True where another id is sent than the one that the name meant."""
        return self.model != self.id

    def __str__(self) -> str:
        return why(self)

    def _repr_pretty_(self, printer: object, cycle: bool) -> None:
        printer.text(why(self))  # type: ignore[attr-defined]  # IPython's printer is untyped


def why(found: Resolution) -> str:
    """What `resolve` found, in sentences."""
    said = [f"{found.asked} is {found.provider}'s {found.id} ({HOW[found.how]})."]
    if found.lifecycle is Lifecycle.RETIRED:
        when = f" since {found.retires_on}" if found.retires_on else ""
        said.append(f"It is retired{when}.")
    elif found.lifecycle is Lifecycle.REROUTED:
        said.append("Its provider answers with another model in its place.")
    elif found.lifecycle is Lifecycle.DEPRECATED:
        when = f" on {found.retires_on}" if found.retires_on else ""
        said.append(f"It will be retired{when}.")
    if found.substituted:
        said.append(f"{found.model} is sent instead ({RULES.get(found.live_rule or '', '')}).")
    elif found.live and found.live != found.id:
        said.append(f"Today {found.live} can be called ({RULES.get(found.live_rule or '', '')}).")
    if not found.verified:
        said.append("The catalogue does not know this id; it is sent as it is.")
    if found.ambiguous:
        said.append(f"It could also mean {' or '.join(found.alternatives)}.")
    said.append(f"Read {found.as_of}.")
    return " ".join(said)


HOW = {
    How.EXACT: "the id itself",
    How.ALIAS: "another name of it",
    How.MAPPED: "the peer of that standard name",
    How.EQUIVALENT: "the peer of that model, by judgement",
    How.VERBATIM: "taken as it is",
}
RULES = {
    lifecycle.SAME: "it lives",
    lifecycle.OFFICIAL: "the successor that its provider names",
    lifecycle.CLASS: "today's pick of its class",
    lifecycle.VENDOR: "the successor that its maker names",
}
