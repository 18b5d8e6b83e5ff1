"""What the catalogue holds: models, standard names, classes and aliases, as frozen values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Literal

from ..types import Capability, Lifecycle

AliasKind = Literal["name", "floating", "short"]


@dataclass(frozen=True, slots=True)
class ModelEntry:
    """What is known of one id at one provider; None and empty mean that no source says.

    Attributes:
        state: What holds where no date does.
        retires: The day from which it cannot be called.
        rerouted: The day from which another model answers in its place.
        successors: What its provider names instead, the preferred one first.
        max_input: Most input tokens.
        max_output: Most output tokens.
        source: Where its lifecycle was read.
        read: When it was read there.
    """

    provider: str
    id: str
    state: Lifecycle
    deprecated: date | None = None
    retires: date | None = None
    rerouted: date | None = None
    successors: tuple[str, ...] = ()
    max_input: int | None = None
    max_output: int | None = None
    capabilities: frozenset[Capability] = frozenset()
    lacks: frozenset[Capability] = frozenset()
    source: str = ""
    read: date | None = None

    def lifecycle(self, on: date) -> Lifecycle:
        """Its state on that day."""
        if self.rerouted is not None and self.rerouted <= on:
            return Lifecycle.REROUTED
        if self.retires is not None and self.retires <= on:
            return Lifecycle.RETIRED
        announced = self.deprecated is not None and self.deprecated <= on
        if announced or self.retires is not None or self.rerouted is not None:
            return Lifecycle.DEPRECATED
        return self.state


@dataclass(frozen=True, slots=True)
class StandardName:
    """A name that people use, and its peer of that time at each provider.

    The peers across makers are a judgement; no source states them.

    Attributes:
        kind: Its class, such as small or flagship.
        peers: Ids by provider, the closest one first.
    """

    name: str
    kind: str
    family: str
    released: date
    peers: Mapping[str, tuple[str, ...]] = field(hash=False)


@dataclass(frozen=True, slots=True)
class Alias:
    """Another way to write an id.

    Attributes:
        kind: "name" is a second name at the provider, "floating" one that moves on with time,
            "short" a spelling that only llmkit understands.
    """

    provider: str
    alias: str
    target: str
    kind: AliasKind
    source: str


@dataclass(frozen=True, slots=True)
class Catalogue:
    """All of it, with an index by the way names are compared.

    Attributes:
        as_of: When its sources were read.
        models: By provider and id.
        names: Standard names by normal form.
        aliases: By provider and normal form.
        classes: By class, then by provider: today's picks.
    """

    as_of: date
    models: Mapping[str, Mapping[str, ModelEntry]]
    names: Mapping[str, StandardName]
    aliases: Mapping[str, Mapping[str, Alias]]
    classes: Mapping[str, Mapping[str, tuple[str, ...]]]
    ids: Mapping[str, Mapping[str, str]]

    def entry(self, provider: str, model: str) -> ModelEntry | None:
        """What is known of that id, None where nothing is."""
        return self.models.get(provider, {}).get(model)


def normal(name: str) -> str:
    """The form in which two spellings of one name are equal.

    Over the ids of the six providers this joins only true synonyms, such as 3.5 and 3-5.
    """
    return name.strip().lower().replace(" ", "-").replace("_", "-").replace(".", "-")
