"""The catalogue as lines of a table: each standard name at each provider."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any

from ..types import Capability, Lifecycle
from . import lifecycle, prices
from .entry import Catalogue, StandardName
from .load import shipped

COLUMNS = {
    "name": "string",
    "class": "string",
    "provider": "string",
    "id": "string",
    "lifecycle": "string",
    "retires_on": "string",
    "live": "string",
    "live_rule": "string",
    "max_input": "Int64",
    "max_output": "Int64",
    "capabilities": "string",
    "input_usd_per_million": "float64",
    "output_usd_per_million": "float64",
    "source": "string",
}


def lines(
    filter: str | None = None,
    provider: str | None = None,
    capability: str | None = None,
    alive: bool | None = None,
    *,
    on: date,
    catalogue: Catalogue | None = None,
) -> tuple[dict[str, Any], ...]:
    """Every standard name at every provider, as far as the arguments let it through.

    Args:
        filter: A piece of the name, the id, the family, the class or a capability.
        capability: Only ids that are known to have it.
        alive: True for those that can be called that day, False for those that cannot.
    """
    catalogue = catalogue or shipped()
    wanted = Capability(capability) if capability is not None else None
    return tuple(
        line
        for name in catalogue.names.values()
        for line in _of(catalogue, name, on)
        if _passes(line, name, filter, provider, wanted, alive)
    )


def _of(catalogue: Catalogue, name: StandardName, on: date) -> Iterator[dict[str, Any]]:
    for provider, peers in name.peers.items():
        peer = peers[0]
        live, rule = lifecycle.next_live(catalogue, provider, peer, on, name.kind)
        facts = catalogue.entry(provider, live or peer)
        ends = lifecycle.retires_on(catalogue, provider, peer)
        price = prices.per_million(provider, live or peer, catalogue)
        entry = catalogue.entry(provider, peer)
        yield {
            "name": name.name,
            "class": name.kind,
            "provider": provider,
            "id": peer,
            "lifecycle": lifecycle.lifecycle_of(catalogue, provider, peer, on).value,
            "retires_on": ends.isoformat() if ends else None,
            "live": live,
            "live_rule": rule,
            "max_input": facts.max_input if facts else None,
            "max_output": facts.max_output if facts else None,
            "capabilities": ", ".join(sorted(facts.capabilities)) if facts else "",
            "input_usd_per_million": price[0] if price else None,
            "output_usd_per_million": price[1] if price else None,
            "source": entry.source if entry else "",
        }


def _passes(
    line: dict[str, Any],
    name: StandardName,
    filter: str | None,
    provider: str | None,
    capability: Capability | None,
    alive: bool | None,
) -> bool:
    if provider is not None and line["provider"] != provider:
        return False
    if capability is not None and capability not in line["capabilities"].split(", "):
        return False
    if alive is not None and alive is (line["lifecycle"] == Lifecycle.RETIRED):
        return False
    seen = (line["name"], line["id"], name.family, name.kind, line["capabilities"])
    return filter is None or any(filter.lower() in text.lower() for text in seen)
