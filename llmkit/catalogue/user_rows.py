"""A person's own rows, laid over the catalogue."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from .entry import Catalogue, ModelEntry, Price, StandardName, normal
from .loader import indexed

Place = tuple[str, str]  # a provider, and the normal form of an id there


@dataclass(frozen=True, slots=True)
class UserRows:
    """All rows of one file.

    Attributes:
        names: What a name of the person's own means, provider and id, by its normal form.
        models: What the file says of those ids.
        equivalents: Peers by provider, by the standard name as it was written.
        kinds: Classes of standard names that the catalogue does not have.
        fallbacks: Names to try in place of another, by that other's provider and id.
        providers: base_url and key_var by name, as the setting has them.
    """

    names: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    models: tuple[ModelEntry, ...] = ()
    equivalents: Mapping[str, Mapping[str, tuple[str, ...]]] = field(default_factory=dict)
    kinds: Mapping[str, str] = field(default_factory=dict)
    fallbacks: Mapping[Place, tuple[str, ...]] = field(default_factory=dict)
    prices: Mapping[Place, Price] = field(default_factory=dict)
    providers: Mapping[str, Mapping[str, str]] = field(default_factory=dict)


def with_user_rows(catalogue: Catalogue, own: UserRows) -> Catalogue:
    """*catalogue* with the person's rows over its own."""
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
    new_catalogue = indexed(
        catalogue.as_of, models=models, names=names, aliases=aliases, classes=catalogue.classes,
        providers=catalogue.providers,
    )  # fmt: skip
    return replace(new_catalogue, prices=own.prices, fallbacks=own.fallbacks)


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
        listed=entry.listed or None,  # who has a row for it does not need a list to have it
        capabilities=correction.capabilities | (entry.capabilities - correction.lacks),
        lacks=correction.lacks | (entry.lacks - correction.capabilities),
        **changes,
    )
