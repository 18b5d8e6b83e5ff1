"""The catalogue as lines of a table: each name at each provider, then and now."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any

from ..errors import ConfigError
from ..fields import Column
from ..types import LIFECYCLES, Capability, Lifecycle
from . import lifecycle, prices
from .entry import Catalogue, ModelEntry
from .name_parser import provider_named
from .names import close_to

COLUMNS = {
    "name": Column("string", "the standard name"),
    "class": Column("string", "nano, small, medium, flagship, reasoning, code, vision, embedding"),
    "family": Column("string", "the line of models, such as claude-haiku"),
    "provider": Column("string", "the provider that the id is for"),
    "id": Column("string", "what the name meant there"),
    "released": Column("string", "the day of its release"),
    "lifecycle": Column("string", LIFECYCLES),
    "retires_on": Column("string", "the day on which the id ends or ended"),
    "live": Column("string", "the id that can be called now"),
    "live_rule": Column("string", "the rule that found `live`, such as official-successor"),
    # Of what can be called, `live`; missing means that no source says.
    "context_total": Column("Int64", "most tokens of input and output together"),
    "max_input": Column("Int64", "most input tokens"),
    "max_output": Column("Int64", "most output tokens"),
    "input_modalities": Column("string", "what it takes, such as text, image"),
    "output_modalities": Column("string", "what it gives"),
    "capabilities": Column("string", "what it can take or give beyond text"),
    **{word.value: Column("boolean", f"capability {word}") for word in Capability},
    "input_usd_per_million": Column("float64", "US dollars for a million input tokens"),
    "output_usd_per_million": Column("float64", "US dollars for a million output tokens"),
    "facts": Column("string", "where these facts were read"),
    # Of the lifecycle.
    "source": Column("string", "where the lifecycle was read"),
    "read": Column("string", "the day on which it was read"),
}
Line = dict[str, Any]


@dataclass(frozen=True, slots=True)
class _ModelPlace:
    """A name at a provider."""

    name: str
    kind: str | None
    family: str | None
    provider: str
    model: str


def lines(
    filter: str | None = None,
    provider: str | None = None,
    capability: str | None = None,
    alive: bool | None = None,
    *,
    on: date,
    catalogue: Catalogue,
    every: bool = False,
    providers: Collection[str] = (),
) -> tuple[Line, ...]:
    """Every standard name at every provider, as far as the arguments let it through.

    Where *filter* fits no standard name, every id that it fits.

    Args:
        filter: Words that must all be in a name, an id, a family, a class, a state, a provider or
            a capability.
        capability: Only ids that are known to have it.
        alive: True for those that can be called that day, False for those that cannot.
        every: True for every id that is known, also those that no standard name leads to.
        providers: Further providers that there are.

    Raises:
        ConfigError: There is no such provider or capability.
    """
    if capability is not None and capability not in list(Capability):
        near = " or ".join(close_to(capability, Capability) or Capability)
        raise ConfigError(f"there is no capability {capability!r}; did you mean {near}?")
    place = provider_named(catalogue, provider, providers) if provider is not None else None
    words = (filter or "").lower().split()

    def fitting_lines(items: Iterator[_ModelPlace]) -> Iterator[Line]:
        for item in items:
            if place in (None, item.provider):
                line = _line(catalogue, item, on)
                if _fits(line, words, capability, alive):
                    yield line

    table_lines = list(fitting_lines(_standard(catalogue)))
    if every or (words and not table_lines):
        table_lines += fitting_lines(_others(catalogue))
    return tuple(_priced(catalogue, table_lines))


def _standard(catalogue: Catalogue) -> Iterator[_ModelPlace]:
    for name in catalogue.names.values():
        for provider, peers in name.peers.items():
            yield _ModelPlace(name.name, name.kind, name.family, provider, peers[0])


def _others(catalogue: Catalogue) -> Iterator[_ModelPlace]:
    places = {(item.provider, item.model) for item in _standard(catalogue)}
    for provider, models in catalogue.models.items():
        for model, entry in models.items():
            if (provider, model) not in places:
                yield _ModelPlace(model, entry.kind, entry.family, provider, model)


def _line(catalogue: Catalogue, item: _ModelPlace, on: date) -> Line:
    provider, model = item.provider, item.model
    live, rule = lifecycle.next_live(catalogue, provider, model, on, item.kind)
    own = next(lifecycle.entries_of(catalogue, provider, model), None)
    facts = catalogue.providers.get(provider)
    return {
        "name": item.name,
        "class": item.kind,
        "family": item.family,
        "provider": provider,
        "provider_kind": facts.kind if facts else "maker",  # for the table of models; no column
        "id": model,
        "released": _day(own.released if own else None),
        "lifecycle": lifecycle.lifecycle_of(catalogue, provider, model, on).value,
        "retires_on": _day(lifecycle.retires_on(catalogue, provider, model)),
        "live": live,
        "live_rule": rule,
        **_facts(lifecycle.facts_of(catalogue, provider, live or model)),
        "source": own.source if own else "",
        "read": _day(own.read if own else None),
    }


def _facts(entry: ModelEntry | None) -> Line:
    if entry is None:
        return {"capabilities": "", "facts": ""}
    return {
        "context_total": entry.context_total,
        "max_input": entry.max_input,
        "max_output": entry.max_output,
        "input_modalities": ", ".join(sorted(entry.input_modalities)) or None,
        "output_modalities": ", ".join(sorted(entry.output_modalities)) or None,
        "capabilities": ", ".join(sorted(entry.capabilities)),
        **{word.value: entry.has(word) for word in Capability},
        "facts": entry.facts,
    }


def _priced(catalogue: Catalogue, table_lines: list[Line]) -> Iterator[Line]:
    price_by_place: dict[tuple[str, str], tuple[float, float] | None] = {}
    for line in table_lines:
        place = (line["provider"], line["live"] or line["id"])
        if place not in price_by_place:
            price_by_place[place] = prices.per_million(*place, catalogue)
        both = price_by_place[place] or (None, None)
        yield {**line, "input_usd_per_million": both[0], "output_usd_per_million": both[1]}


def _fits(line: Line, words: Collection[str], capability: str | None, alive: bool | None) -> bool:
    if capability is not None and line.get(capability) is not True:
        return False
    if alive is not None and alive is (line["lifecycle"] == Lifecycle.RETIRED):
        return False
    columns = ("name", "id", "family", "class", "lifecycle", "provider", "capabilities")
    text = " ".join(str(line[column] or "") for column in columns).lower()
    return all(word in text for word in words)


def _day(day: date | None) -> str | None:
    return day.isoformat() if day else None
