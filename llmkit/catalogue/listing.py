"""Lists the catalogue as lines of a table: each name and its model at each provider."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import date
from typing import Any, NamedTuple

from ..errors import ConfigError
from ..fields import Column
from ..types import LIFECYCLES, Capability
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
    "rerouted_to": Column("string", "the model that answers for the id from that day on"),
    "live": Column("string", "the id to call today"),
    "live_rule": Column("string", "the rule that found `live`, such as official-successor"),
    # Facts about `id`, also after its end; missing if unknown.
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
    """A name at a provider; *home* is the provider that makes the model of that name."""

    name: str
    kind: str | None
    family: str | None
    provider: str
    model: str
    home: str


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

    If *filter* matches no standard name, returns the ids that match it.

    Args:
        filter: Words that must all occur in a name, its family or class, or the id or capabilities
            of its maker's model. If no name has them all, also in the state, provider and
            capabilities of the line.
        capability: Keeps only ids that are known to have it.
        alive: True keeps only ids that can be called on that date, False the others.
        every: Adds the other known ids.
        providers: Further providers.

    Raises:
        UnknownProviderError: *provider* is unknown.
        ConfigError: *capability* is unknown, or *filter* is not text.
    """
    if not isinstance(filter, str | None):
        raise ConfigError(f"filter must be words of a name, got {filter!r}")
    if capability is not None and capability not in list(Capability):
        near = " or ".join(close_to(capability, Capability) or Capability)
        raise ConfigError(f"unknown capability {capability!r}; did you mean {near}?")
    place = provider_named(catalogue, provider, providers) if provider is not None else None
    words = (filter or "").lower().split()

    def fitting_lines(items: Iterator[_ModelPlace]) -> Iterator[Line]:
        for item in items:
            if place in (None, item.provider):
                line = _line(catalogue, item, on)
                if _fits(line, capability, alive):
                    yield line

    own_words = _own_words(catalogue)
    names = list(fitting_lines(_standard(catalogue)))
    table_lines = [line for line in names if _has_all(words, own_words[line["name"]])]
    if not table_lines:
        more = ((line, f"{own_words[line['name']]} {_words(line)}") for line in names)
        table_lines = [line for line, text in more if _has_all(words, text)]
    if every or (words and not table_lines):
        shown = {(line["provider"], line["id"]) for line in table_lines}
        others = fitting_lines(_others(catalogue, shown))
        table_lines += [line for line in others if _has_all(words, f"{line['id']} {_words(line)}")]
    return tuple(_priced(catalogue, table_lines))


def _has_all(words: Collection[str], text: str) -> bool:
    lower_text = text.lower()
    return all(word in lower_text for word in words)


def _own_words(catalogue: Catalogue) -> dict[str, str]:
    """Returns the text of each standard name that a filter searches."""
    texts = {}
    for name in catalogue.names.values():
        home = catalogue.providers.home_of(name.name)
        model = name.peers.get(home, ("",))[0]
        abilities = " ".join(lifecycle.known_capabilities(catalogue, home, model))
        texts[name.name] = f"{name.name} {name.kind} {name.family} {model} {abilities}"
    return texts


def _words(line: Line) -> str:
    columns = ("family", "class", "lifecycle", "provider", "capabilities")
    return " ".join(str(line[column] or "") for column in columns)


def _standard(catalogue: Catalogue) -> Iterator[_ModelPlace]:
    for name in catalogue.names.values():
        home = catalogue.providers.home_of(name.name)
        for provider, peers in name.peers.items():
            yield _ModelPlace(name.name, name.kind, name.family, provider, peers[0], home)


def _others(catalogue: Catalogue, shown: Collection[tuple[str, str]]) -> Iterator[_ModelPlace]:
    for provider, models in catalogue.models.items():
        for model, entry in models.items():
            if (provider, model) not in shown:
                yield _ModelPlace(model, entry.kind, entry.family, provider, model, provider)
    # A row of the user's own may name an id of which nothing else is known.
    for item in _standard(catalogue):
        place = item.provider, item.model
        if place not in shown and catalogue.entry(*place) is None:
            yield item._replace(name=item.model, home=item.provider)


def _line(catalogue: Catalogue, item: _ModelPlace, on: date) -> Line:
    provider, model = item.provider, item.model
    live, rule = lifecycle.next_live(catalogue, provider, model, on, item.kind)
    own = next(lifecycle.entries_of(catalogue, provider, model), None)
    today = lifecycle.facts_of(catalogue, provider, live) if live else None
    facts = catalogue.providers.get(provider)
    return {
        "name": item.name, "class": item.kind, "family": item.family,
        "provider": provider, "id": model,
        # For the tables of models; not columns.
        "provider_kind": facts.kind if facts else "maker", "home": item.home,
        "live_max_input": today.max_input if today else None,
        "released": _day(own.released if own else None),
        "lifecycle": lifecycle.lifecycle_of(catalogue, provider, model, on).value,
        "retires_on": _day(lifecycle.retires_on(catalogue, provider, model)),
        "rerouted_to": _rerouted_to(catalogue, provider, model),
        "live": live, "live_rule": rule,
        **_facts(lifecycle.facts_of(catalogue, provider, model)),
        "source": own.source if own else "",
        "read": _day(own.read if own else None),
    }  # fmt: skip


def _rerouted_to(catalogue: Catalogue, provider: str, model: str) -> str | None:
    is_rerouted = lifecycle.reroutes_on(catalogue, provider, model) is not None
    return lifecycle.successor_of(catalogue, provider, model) if is_rerouted else None


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
        priced_line = dict(line)
        for prefix, model in (("", line["id"]), ("live_", line["live"])):
            place = (line["provider"], model)
            if place not in price_by_place:
                price_by_place[place] = prices.per_million(*place, catalogue) if model else None
            both = price_by_place[place] or (None, None)
            priced_line[f"{prefix}input_usd_per_million"] = both[0]
            priced_line[f"{prefix}output_usd_per_million"] = both[1]
        yield priced_line


def _fits(line: Line, capability: str | None, alive: bool | None) -> bool:
    if capability is not None and line.get(capability) is not True:
        return False
    return alive is None or alive is (line["lifecycle"] not in lifecycle.GONE)


def _day(day: date | None) -> str | None:
    return day.isoformat() if day else None
