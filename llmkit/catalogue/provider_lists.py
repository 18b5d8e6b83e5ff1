"""Overlays the catalogue with the list of models that a provider itself publishes."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any

from ..types import Lifecycle
from ..wire.typed_values import mapping, reader
from .entry import Alias, AliasKind, Catalogue, Model, ModelEntry, normal
from .loader import reindexed
from .rerouting import is_rerouted

SCHEMA = "llmkit.models"
VERSION = 1
# A newer list overrides the catalogue; an older one only adds ids that the catalogue lacks.
TTL = timedelta(hours=24)
_PLAIN_FIELDS = ("id", "name", "successor", "max_input", "max_output")  # as in the JSON
_PINNED = re.compile(r"[-@](\d{4}|\d{6}|\d{8}|\d{4}-\d{2}-\d{2})$")


@dataclass(frozen=True, slots=True)
class ProviderModelList:
    """All models that a provider listed at *read_at* (UTC), at the server *base_url*."""

    provider: str
    base_url: str
    read_at: datetime
    models: tuple[Model, ...]

    def fresh(self, now: datetime) -> bool:
        """Returns True while the list overrides the catalogue."""
        return -TTL < now - self.read_at < TTL  # another clock may be ahead


def with_lists(
    catalogue: Catalogue, lists: Iterable[ProviderModelList], now: datetime
) -> Catalogue:
    """Returns *catalogue* with the ids, lifecycles, limits and aliases of *lists*."""
    lists = list(lists)
    if not lists:
        return catalogue
    is_rerouted.cache_clear()  # its results keep the catalogues that this one replaces
    models = {(m.provider, m.id): m for rows in catalogue.models.values() for m in rows.values()}
    aliases = [a for rows in catalogue.aliases.values() for a in rows.values()]
    for model_list in lists:
        if model_list.fresh(now):
            models |= _unlisted(catalogue, model_list)
            aliases += _aliases(model_list)
        for model in model_list.models:
            entry = catalogue.entry(model_list.provider, model.id)
            models[model.provider, model.id] = _merged(entry, model, model_list, now)
    return reindexed(catalogue, models.values(), catalogue.names.values(), aliases)


def document(model_list: ProviderModelList) -> dict[str, Any]:
    """Returns *model_list* as plain JSON values."""
    return {
        "schema": SCHEMA, "version": VERSION,
        "provider": model_list.provider, "base_url": model_list.base_url,
        "read_at": model_list.read_at.isoformat(),
        "models": [_record(model) for model in model_list.models],
    }  # fmt: skip


def list_from(data: Any) -> ProviderModelList:
    """Returns the list from the result of `document`.

    Raises:
        ValueError: *data* has another form or version.
    """
    values = mapping(data)
    if (values.get("schema"), values.get("version")) != (SCHEMA, VERSION):
        raise ValueError("the schema or version is unknown")
    records = reader(tuple[Mapping[str, object], ...])(values.get("models"))
    models = [{**record, "provider": values.get("provider")} for record in records]
    model_list: ProviderModelList = reader(ProviderModelList)({**values, "models": models})
    return model_list


def _merged(
    previous: ModelEntry | None, model: Model, model_list: ProviderModelList, now: datetime
) -> ModelEntry:
    if previous is not None and not model_list.fresh(now):
        return previous
    day = model_list.read_at.date()
    entry = previous or ModelEntry(model.provider, model.id, Lifecycle.UNKNOWN)
    entry = replace(
        entry,
        listed=True if model_list.fresh(now) else None,
        successors=(model.successor, *entry.successors) if model.successor else entry.successors,
        max_input=model.max_input or entry.max_input,
        max_output=model.max_output or entry.max_output,
        capabilities=model.capabilities | (entry.capabilities - model.lacks),
        lacks=model.lacks | (entry.lacks - model.capabilities),
        source=f"{model_list.provider}'s own list",
        read=day,
    )
    return _alive(entry, model, day)


def _alive(entry: ModelEntry, model: Model, day: date) -> ModelEntry:
    """Returns *entry* with the list's lifecycle; a listed model without one counts as active."""
    if model.lifecycle is Lifecycle.ACTIVE:
        return replace(entry, state=Lifecycle.ACTIVE, deprecated=None, retires=model.retires_on)
    if model.lifecycle is not Lifecycle.UNKNOWN:
        return replace(entry, state=model.lifecycle, retires=model.retires_on or entry.retires)
    is_gone = entry.retires is not None and entry.retires <= day
    if is_gone or entry.state in (Lifecycle.UNKNOWN, Lifecycle.RETIRED):
        return replace(
            entry, state=Lifecycle.ACTIVE, deprecated=None,
            retires=None if is_gone else entry.retires,
        )  # fmt: skip
    return entry


def _unlisted(
    catalogue: Catalogue, model_list: ProviderModelList
) -> dict[tuple[str, str], ModelEntry]:
    """Returns the catalogue's rows that the list lacks, marked as unlisted."""
    names = [name for model in model_list.models for name in (model.id, *model.aliases)]
    if model_list.provider == "ollama":
        names += [name.removesuffix(":latest") for name in names]
    listed_names = set(map(normal, names))
    rows = catalogue.models.get(model_list.provider, {}).values()
    return {
        (row.provider, row.id): replace(row, listed=False)
        for row in rows
        if normal(row.id) not in listed_names
    }


def _aliases(model_list: ProviderModelList) -> list[Alias]:
    """Returns the aliases in the list, which may also list each of them as a model."""
    listed_ids = {model.id for model in model_list.models}
    source = f"{model_list.provider}'s own list"
    aliases = []
    for model in model_list.models:
        group = {model.id, *model.aliases}
        # The dated id is the model, the others are its aliases, whichever of them has the row.
        pinned_ids = sorted(name for name in group & listed_ids if _PINNED.search(name))
        target = pinned_ids[-1] if pinned_ids else model.id
        for name in sorted(group - {target}):
            kind: AliasKind = "floating" if "latest" in name else "name"
            aliases.append(
                Alias(model_list.provider, name, target, kind, source, model_list.read_at.date())
            )
    return aliases


def _record(model: Model) -> dict[str, Any]:
    return {
        **{name: getattr(model, name) for name in _PLAIN_FIELDS},
        "lifecycle": model.lifecycle.value,
        "retires_on": model.retires_on.isoformat() if model.retires_on else None,
        "capabilities": sorted(model.capabilities),
        "lacks": sorted(model.lacks),
        "aliases": list(model.aliases),
    }
