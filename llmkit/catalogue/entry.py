"""What the catalogue holds: models, standard names, classes and aliases, as frozen values."""

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


@dataclass(frozen=True, slots=True)
class ModelEntry:
    """What is known of one id at one provider; None and empty mean that no source says.

    Attributes:
        state: What holds where no date does.
        family: The line of models that it belongs to, such as claude-haiku.
        kind: Its class, such as small or flagship.
        deprecated: The day from which its end is announced.
        retires: The day from which it cannot be called.
        rerouted: The day from which another model answers in its place.
        rerouted_to: That other model.
        successors: What its provider names instead, the preferred one first.
        context_total: Most tokens of input and output together.
        max_input: Most input tokens.
        max_output: Most output tokens.
        input_modalities: What it takes, of text, image, pdf, audio, video.
        output_modalities: What it gives, of text, image, audio, embedding.
        capabilities: Known to be there.
        lacks: Known not to be there.
        source: Where its lifecycle was read.
        read: When it was read there.
        facts: Where its limits and capabilities were read.
        listed: Whether its provider's own list has it, None where that was not read lately.
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
        """Whether it has it, None where no source says."""
        if capability in self.capabilities:
            return True
        return False if capability in self.lacks else None

    @property
    def ends(self) -> date | None:
        """The day on which it stops to answer as itself."""
        days = [day for day in (self.rerouted, self.retires) if day is not None]
        return min(days, default=None)

    @property
    def input_limit(self) -> int | None:
        """Most input tokens that can be meant: its own limit, else the whole window."""
        return self.max_input if self.max_input is not None else self.context_total

    def lifecycle(self, on: date) -> Lifecycle:
        """Its state on that day."""
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

    Attributes:
        capabilities: Known to be there.
        lacks: Known not to be there.
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
        "string", "what it can take or give beyond text", default=frozenset(), joined=", "
    )
    lacks: frozenset[Capability] = frozenset()
    aliases: tuple[str, ...] = column(
        "string", "other ids that lead to it", default=(), joined=", "
    )


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
    read: date | None = None


@dataclass(frozen=True, slots=True)
class Price:
    """What a person says that a model costs, in US dollars for a million tokens.

    Attributes:
        cached: For input that was read from a cache, None where it costs as much as other input.
    """

    input: float
    output: float
    cached: float | None
    source: str


# Compared and hashed by identity, so that answers which depend on one can be kept.
@dataclass(frozen=True, slots=True, eq=False)
class Catalogue:
    """All of it, with indexes by the way names are compared.

    Attributes:
        as_of: When its sources were read.
        models: By provider and id.
        names: Standard names by normal form.
        aliases: By provider and normal form.
        classes: By class, then by provider: today's picks.
        ids: Ids by provider and normal form.
        providers: How names state the built-in providers, and what kind each is.
        peers: By provider and id, the standard names that have it among their peers there.
        prices: A person's own, by provider and normal form of the id.
        fallbacks: A person's own: names to try in place of an id, by its provider and normal form.
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
        """The id that a floating name or another spelling means today; itself where it is one."""
        aliases = self.aliases.get(provider, {})
        spellings = set()
        while (alias := aliases.get(normal(model))) is not None and model not in spellings:
            spellings.add(model)
            model = alias.target
        return model

    def entry(self, provider: str, model: str) -> ModelEntry | None:
        """What is known of that id, None where nothing is."""
        return self.models.get(provider, {}).get(model)


@lru_cache(maxsize=4096)  # a lookup asks for the same few names at every provider
def normal(name: str) -> str:
    """The form in which two spellings of one name are equal.

    Over the ids of the six providers this joins only true synonyms, such as 3.5 and 3-5.
    """
    return name.strip().lower().replace(" ", "-").replace("_", "-").replace(".", "-")
