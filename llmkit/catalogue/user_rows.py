"""Overlays the catalogue with the rows of the user's catalogue.toml."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from .entry import Catalogue, ModelEntry, Price, StandardName, normal
from .loader import reindexed

Place = tuple[str, str]  # a provider, and the normal form of an id there


@dataclass(frozen=True, slots=True)
class UserRows:
    """All rows of one file.

    Attributes:
        names: Provider and id, by the normal form of the user's name for them.
        models: Facts about those ids.
        equivalents: Peers by provider, by the standard name as written in the file.
        kinds: Classes, by standard name.
        fallbacks: Names of fallback models, by provider and normal form of the id they replace.
        providers: The servers by name, in the form of the setting `providers`.
    """

    names: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    models: tuple[ModelEntry, ...] = ()
    equivalents: Mapping[str, Mapping[str, tuple[str, ...]]] = field(default_factory=dict)
    kinds: Mapping[str, str] = field(default_factory=dict)
    fallbacks: Mapping[Place, tuple[str, ...]] = field(default_factory=dict)
    prices: Mapping[Place, Price] = field(default_factory=dict)
    providers: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


def with_user_rows(catalogue: Catalogue, own: UserRows) -> Catalogue:
    """Returns *catalogue* with the rows of *own* over its own."""
    models = [m for rows in catalogue.models.values() for m in rows.values()]
    aliases = [a for rows in catalogue.aliases.values() for a in rows.values()]
    models += [_over(catalogue.entry(m.provider, m.id), m) for m in own.models]
    names = list(catalogue.names.values())
    for name, peers in own.equivalents.items():
        standard = catalogue.names.get(normal(name))
        kind = own.kinds.get(name) or (standard.kind if standard else "medium")
        if standard is None:
            names.append(StandardName(name, kind, name, catalogue.as_of, peers))
        else:
            names.append(replace(standard, kind=kind, peers={**standard.peers, **peers}))
    changed = reindexed(catalogue, models=models, names=names, aliases=aliases)
    return replace(changed, prices=own.prices, fallbacks=own.fallbacks)


def _over(entry: ModelEntry | None, correction: ModelEntry) -> ModelEntry:
    if entry is None:
        return correction
    changes = {
        name: value
        for name in ("kind", "retires", "max_input", "max_output")
        if (value := getattr(correction, name)) is not None
    }
    if correction.successors:
        changes["successors"] = correction.successors
    return replace(
        entry,
        listed=entry.listed or None,  # the user's row vouches for an id that the list lacks
        capabilities=correction.capabilities | (entry.capabilities - correction.lacks),
        lacks=correction.lacks | (entry.lacks - correction.capabilities),
        **changes,
    )
