"""Builds `MODEL_NAME_MAPPING`, the model ids of standard names and providers as plain data."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from types import MappingProxyType

from .loader import shipped_rows

Peers = Mapping[str, str]


@cache
def mapping() -> Mapping[str, Mapping[str, Peers | str]]:
    """Returns ids by ["standard"][name][provider] and by [provider][name], read-only.

    Retired ids are included: `resolve` tells the lifecycle.
    """
    catalogue = shipped_rows()
    standard = {
        name.name: MappingProxyType({place: ids[0] for place, ids in name.peers.items()})
        for name in catalogue.names.values()
    }
    table: dict[str, Mapping[str, Peers | str]] = {"standard": MappingProxyType(standard)}
    for provider, models in catalogue.models.items():
        own: dict[str, Peers | str] = {model: model for model in models}
        for alias in catalogue.aliases.get(provider, {}).values():
            own[alias.alias] = alias.target if alias.kind == "short" else alias.alias
        table[provider] = MappingProxyType(own)
    return MappingProxyType(table)


def __getattr__(name: str) -> object:
    if name == "MODEL_NAME_MAPPING":
        return mapping()
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
