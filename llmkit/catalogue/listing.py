"""Lists the catalogue as lines of a table: each name and its model at each provider."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import date
from typing import Any, NamedTuple

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
    # Facts about `live`, missing if unknown.
    "context_total": Column("Int64", "most tokens of input and output together"),
    "max_input": Column("Int64", "most input tokens"),
    "max_output": Column("Int64", "most output tokens"),
    "input_modalities": Column("string", "what it takes, such as text, image"),
    "output_modalities": Column("string", "what it gives"),
    "capabilities": Column("string", "capabilities beyond plain text"),
    **{word.value: Column("boolean", f"capability {word}") for word in Capability},
    "input_usd_per_million": Column("float64", "US dollars for a million input tokens"),
    "output_usd_per_million": Column("float64", "US dollars for a million output tokens"),
    "facts": Column("string", "where these facts were read"),
    "source": Column("string", "where the lifecycle was read"),
    "read": Column("string", "the day on which it was read"),
}
LIMITS = ("context_total", "max_input", "max_output")
Line = dict[str, Any]


class _ModelPlace(NamedTuple):
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
    """Returns the standard names at every provider that match the arguments.

    If *filter* matches no standard name, returns the other ids that match it.

    Args:
        filter: Words that must all occur in the line's name, id, family, class, state, provider
            or capabilities.
        capability: Keeps only ids that are known to have it.
        alive: True keeps only ids that can be called on that date, False the others.
        every: Adds the known ids without a standard name.
        providers: Further providers.

    Raises:
        UnknownProviderError: *provider* is unknown.
        ConfigError: *capability* is unknown.
    """
    if capability is not None and capability not in list(Capability):
        near = " or ".join(close_to(capability, Capability) or Capability)
        raise ConfigError(f"unknown capability {capability!r}; did you mean {near}?")
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
        "name": item.name, "class": item.kind, "family": item.family,
        "provider": provider, "id": model,
        "provider_kind": facts.kind if facts else "maker",  # for the table of models; not a column
        "released": _day(own.released if own else None),
        "lifecycle": lifecycle.lifecycle_of(catalogue, provider, model, on).value,
        "retires_on": _day(lifecycle.retires_on(catalogue, provider, model)),
        "live": live, "live_rule": rule,
        **_facts(lifecycle.facts_of(catalogue, provider, live or model)),
        "source": own.source if own else "",
        "read": _day(own.read if own else None),
    }  # fmt: skip


def _facts(entry: ModelEntry | None) -> Line:
    if entry is None:
        return {**dict.fromkeys(LIMITS), "capabilities": "", "facts": ""}
    return {
        **{name: getattr(entry, name) for name in LIMITS},
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
