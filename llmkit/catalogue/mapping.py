"""Standard names and providers' names as one read-only dictionary of dictionaries."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from types import MappingProxyType

from .loader import shipped_rows

Peers = Mapping[str, str]


@cache
def mapping() -> Mapping[str, Mapping[str, Peers | str]]:
    """["standard"][name][provider] and [provider][name], each leading to an id.

    What a name meant; whether it still lives is for `resolve` to say.
    """
    catalogue = shipped_rows()
    standard = {
        name.name: MappingProxyType({place: ids[0] for place, ids in name.peers.items()})
        for name in catalogue.names.values()
    }
    table: dict[str, Mapping[str, Peers | str]] = {"standard": MappingProxyType(standard)}
    for provider, models in catalogue.models.items():
        own: dict[str, Peers | str] = {model: model for model in models}
        own |= {a.alias: a.alias for a in catalogue.aliases.get(provider, {}).values()}
        short = catalogue.aliases.get(provider, {}).values()
        own |= {a.alias: a.target for a in short if a.kind == "short"}
        table[provider] = MappingProxyType(own)
    return MappingProxyType(table)


def __getattr__(name: str) -> object:
    if name == "MODEL_NAME_MAPPING":
        return mapping()
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
