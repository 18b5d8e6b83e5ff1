"""Defines the catalogue's frozen values: models, standard names, classes and aliases."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache
from typing import Literal

from ..fields import COLUMN, Column, column
from ..types import LIFECYCLES, Capability, Lifecycle
from .provider_table import ProviderTable

AliasKind = Literal["name", "floating", "short"]
# Steps from a name to what it means, twice as many as the shipped catalogue needs: the list of a
# server may chain all of its names.
LONGEST_CHAIN = 6


@dataclass(frozen=True, slots=True)
class ModelEntry:
    """The known facts about one id at one provider; None and empty mean unknown.

    Attributes:
        state: The lifecycle state, unless one of the dates decides it.
        family: The line of models, such as claude-haiku.
        kind: The class, such as small or flagship.
        deprecated: The date of the deprecation's announcement.
        retires: The first date on which calls fail.
        rerouted: The first date on which *rerouted_to* answers instead.
        successors: The replacements that the provider names, the preferred one first.
        context_total: The limit of input and output tokens together.
        input_modalities: Some of text, image, pdf, audio, video.
        output_modalities: Some of text, image, audio, embedding.
        lacks: Capabilities that the model is known not to have.
        source: The source of the lifecycle, read on the date *read*.
        facts: The source of the limits and capabilities.
        listed: Whether the provider's own list has the id, None without a recent list.
    """

    provider: str
    id: str
    state: Lifecycle
    family: str | None = None
    kind: str | None = None
    released: date | None = None
    deprecated: date | None = None
    retires: date | None = None
    rerouted: date | None = None
    rerouted_to: str | None = None
    successors: tuple[str, ...] = ()
    context_total: int | None = None
    max_input: int | None = None
    max_output: int | None = None
    input_modalities: frozenset[str] = frozenset()
    output_modalities: frozenset[str] = frozenset()
    capabilities: frozenset[Capability] = frozenset()
    lacks: frozenset[Capability] = frozenset()
    source: str = ""
    read: date | None = None
    facts: str = ""
    listed: bool | None = None

    def has(self, capability: Capability) -> bool | None:
        """Returns whether the model has *capability*, None if unknown."""
        if capability in self.capabilities:
            return True
        return False if capability in self.lacks else None

    @property
    def ends(self) -> date | None:
        """The date on which the id is retired or rerouted, None if unknown."""
        days = [day for day in (self.rerouted, self.retires) if day is not None]
        return min(days, default=None)

    @property
    def input_limit(self) -> int | None:
        """The limit of input tokens, else the whole context window."""
        return self.max_input if self.max_input is not None else self.context_total

    def lifecycle(self, on: date) -> Lifecycle:
        """Returns the state on that date."""
        if self.rerouted is not None and self.rerouted <= on:
            return Lifecycle.REROUTED
        if self.retires is not None and self.retires <= on:
            return Lifecycle.RETIRED
        is_announced = self.deprecated is not None and self.deprecated <= on
        if is_announced or self.retires is not None or self.rerouted is not None:
            return Lifecycle.DEPRECATED
        return self.state


@dataclass(frozen=True, slots=True)
class Model:
    """One model in a provider's own list; None and empty mean that the list does not say.

    *lacks* has the capabilities that the model is known not to have.
    """

    provider: str = field(metadata={COLUMN: Column("string", "the provider whose list it is")})
    id: str = field(metadata={COLUMN: Column("string", "the id that a request names")})
    name: str | None = column("string", "the name for people to read", default=None)
    lifecycle: Lifecycle = column("string", LIFECYCLES, default=Lifecycle.UNKNOWN)
    retires_on: date | None = column("string", "the day on which the id ends", default=None)
    successor: str | None = column("string", "the id to call instead", default=None)
    max_input: int | None = column("Int64", "most input tokens", default=None)
    max_output: int | None = column("Int64", "most output tokens", default=None)
    capabilities: frozenset[Capability] = column(
        "string", "capabilities beyond plain text", default=frozenset(), joined=", "
    )
    lacks: frozenset[Capability] = frozenset()
    aliases: tuple[str, ...] = column("string", "other ids of it", default=(), joined=", ")


@dataclass(frozen=True, slots=True)
class StandardName:
    """A model's common name, with the comparable ids of its time at each provider.

    The peers across makers are llmkit's judgement: no source states them.

    Attributes:
        kind: The class, such as small or flagship.
        peers: Ids by provider, the closest one first.
    """

    name: str
    kind: str
    family: str
    released: date
    peers: Mapping[str, tuple[str, ...]] = field(hash=False)


@dataclass(frozen=True, slots=True)
class Alias:
    """Another name of an id.

    Attributes:
        kind: "name" is a second name at the provider, "floating" a name whose target the
            provider changes, "short" a name that only llmkit understands.
    """

    provider: str
    alias: str
    target: str
    kind: AliasKind
    source: str
    read: date | None = None


@dataclass(frozen=True, slots=True)
class Price:
    """A price from the user's file, in US dollars per million tokens.

    Attributes:
        cached: The price of cached input, None if it costs as much as other input.
    """

    input: float
    output: float
    cached: float | None
    source: str


# Compared and hashed by identity, so that functions of a catalogue can be cached.
@dataclass(frozen=True, slots=True, eq=False)
class Catalogue:
    """All rows, with indexes by the normal form of names (see `normal`).

    Attributes:
        as_of: The date on which the sources were read.
        models: Rows by provider and id.
        names: Standard names by normal form.
        aliases: Aliases by provider and normal form.
        classes: Today's default ids by class and provider.
        ids: Ids by provider and normal form.
        peers: The standard names that have an id among their peers, by provider and id.
        prices: The user's prices, by provider and normal form of the id.
        fallbacks: The user's fallback models, by provider and normal form of the id.
    """

    as_of: date
    models: Mapping[str, Mapping[str, ModelEntry]]
    names: Mapping[str, StandardName]
    aliases: Mapping[str, Mapping[str, Alias]]
    classes: Mapping[str, Mapping[str, tuple[str, ...]]]
    ids: Mapping[str, Mapping[str, str]]
    peers: Mapping[str, Mapping[str, tuple[StandardName, ...]]]
    providers: ProviderTable
    prices: Mapping[tuple[str, str], Price] = field(default_factory=dict)
    fallbacks: Mapping[tuple[str, str], tuple[str, ...]] = field(default_factory=dict)

    def concrete(self, provider: str, model: str) -> str:
        """Returns the id that an alias means today, *model* itself if it is not an alias."""
        aliases = self.aliases.get(provider, {})
        for _ in range(LONGEST_CHAIN):
            alias = aliases.get(normal(model))
            if alias is None:
                break
            model = alias.target
        return model

    def entry(self, provider: str, model: str) -> ModelEntry | None:
        """Returns the row of an id, None if there is none."""
        return self.models.get(provider, {}).get(model)


@lru_cache(maxsize=4096)  # a lookup normalises the same few names for every provider
def normal(name: str) -> str:
    """Returns the form in which two spellings of one name are equal.

    Among the ids of the six providers only true synonyms share a form, such as 3.5 and 3-5.
    """
    return name.strip().lower().replace(" ", "-").replace("_", "-").replace(".", "-")
