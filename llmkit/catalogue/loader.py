"""Reads the files of the catalogue once, and indexes their rows."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import date
from functools import cache, partial
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypeVar

from ..types import Capability, Lifecycle
from .entry import Alias, Catalogue, ModelEntry, StandardName, normal
from .provider_table import ProviderTable

FILES = ("models", "equivalents", "classes", "aliases")
_PLAIN_FIELDS = ("family", "rerouted_to", "context_total", "max_input", "max_output")
_DATES = ("released", "deprecated", "retires", "rerouted", "read")

V = TypeVar("V")


@cache
def shipped_rows() -> Catalogue:
    """Returns the rows that come with llmkit, without the providers (see `builtin.shipped`)."""
    # Importing importlib.resources costs more than reading the files.
    folder = Path(__file__).parent
    return assemble({name: json.loads((folder / f"{name}.json").read_bytes()) for name in FILES})


def as_of() -> str:
    """Returns the date of the shipped catalogue, as YYYY-MM-DD."""
    return shipped_rows().as_of.isoformat()


def assemble(files: Mapping[str, Mapping[str, Any]]) -> Catalogue:
    """Returns a catalogue from the parsed content of its four files."""
    model = partial(model_from, sources=_Sources(files["models"]))
    rows: dict[str, dict[str, Mapping[str, Any]]] = {}
    for row in files["models"]["models"]:
        rows.setdefault(row["provider"], {})[row["id"]] = row
    return indexed(
        date.fromisoformat(files["models"]["as_of"]),
        models={place: Rows(by_id, model) for place, by_id in rows.items()},
        names=map(name_from, files["equivalents"]["names"]),
        aliases=map(alias_from, files["aliases"]["aliases"]),
        classes={row["class"]: _tuples(row["picks"]) for row in files["classes"]["classes"]},
        providers=ProviderTable({}),
    )


class Rows(Mapping[str, V]):
    """Values by id, each built from its row at its first use: a call needs very few of them."""

    def __init__(self, rows: Mapping[str, Any], make: Callable[[Any], V]) -> None:
        self._rows = rows
        self._make = make
        self._made: dict[str, V] = {}

    def __getitem__(self, key: str) -> V:
        if key not in self._made:
            self._made[key] = self._make(self._rows[key])
        return self._made[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._rows)

    def __len__(self) -> int:
        return len(self._rows)

    def __contains__(self, key: object) -> bool:
        return key in self._rows


def by_provider(models: Iterable[ModelEntry]) -> Mapping[str, Mapping[str, ModelEntry]]:
    """Returns *models* by provider and id; of two with the same id the later one is used."""
    by_id: dict[str, dict[str, ModelEntry]] = {}
    for model in models:
        by_id.setdefault(model.provider, {})[model.id] = model
    return _frozen(by_id)


def reindexed(
    catalogue: Catalogue,
    models: Iterable[ModelEntry],
    names: Iterable[StandardName],
    aliases: Iterable[Alias],
) -> Catalogue:
    """Returns *catalogue* with these rows instead of its own."""
    rows = indexed(
        catalogue.as_of, models=by_provider(models), names=names, aliases=aliases,
        classes=catalogue.classes, providers=catalogue.providers,
    )  # fmt: skip
    return replace(rows, prices=catalogue.prices, fallbacks=catalogue.fallbacks)


def indexed(
    as_of: date,
    *,
    models: Mapping[str, Mapping[str, ModelEntry]],
    names: Iterable[StandardName],
    aliases: Iterable[Alias],
    classes: Mapping[str, Mapping[str, tuple[str, ...]]],
    providers: ProviderTable,
) -> Catalogue:
    """Returns a catalogue of these rows; of two with the same name the later one is used."""
    by_alias: dict[str, dict[str, Alias]] = {}
    for alias in aliases:
        by_alias.setdefault(alias.provider, {})[normal(alias.alias)] = alias
    by_name = {normal(name.name): name for name in names}
    peers: dict[str, dict[str, tuple[StandardName, ...]]] = {}
    for name in by_name.values():
        for provider, ids in name.peers.items():
            at = peers.setdefault(provider, {})
            for model in ids:
                at[model] = (*at.get(model, ()), name)
    return Catalogue(
        as_of=as_of,
        models=MappingProxyType(dict(models)),
        names=MappingProxyType(by_name),
        aliases=_frozen(by_alias),
        classes=MappingProxyType(dict(classes)),
        ids=_frozen({place: {normal(i): i for i in by_id} for place, by_id in models.items()}),
        peers=_frozen(peers),
        providers=providers,
    )


class _Sources:
    """Expands the short words by which rows name their sources."""

    def __init__(self, file: Mapping[str, Any]) -> None:
        self._texts: Mapping[str, str] = file.get("sources", {})
        versions: Mapping[str, str] = file.get("versions", {})
        full_names = {word: f"{word} {version}" for word, version in versions.items() if version}
        self._names = {**self._texts, **full_names}
        self._facts: dict[str, str] = {}

    def of(self, word: str, facts: str) -> str:
        return f"listed by {facts}" if word == "listed" and facts else self._texts.get(word, word)

    def facts(self, words: str) -> str:
        if words not in self._facts:
            self._facts[words] = ", ".join(self._names.get(word, word) for word in words.split())
        return self._facts[words]


def model_from(row: Mapping[str, Any], sources: _Sources) -> ModelEntry:
    """Returns the value of a row of models.json."""
    facts = sources.facts(row.get("facts", ""))
    successor = row.get("successor")
    plain_fields: dict[str, Any] = {name: row.get(name) for name in _PLAIN_FIELDS}
    dates: dict[str, Any] = {name: _day(row.get(name)) for name in _DATES}
    return ModelEntry(
        row["provider"], row["id"], Lifecycle(row.get("state", "unknown")), **plain_fields, **dates,
        kind=row.get("class"), successors=(successor, *row.get("or", ())) if successor else (),
        input_modalities=_words(row.get("in", "")), output_modalities=_words(row.get("out", "")),
        capabilities=_capabilities(tuple(row.get("has", ()))),
        lacks=_capabilities(tuple(row.get("lacks", ()))), source=sources.of(row["source"], facts),
        facts=facts,
    )  # fmt: skip  # fmt: skip


def name_from(row: Mapping[str, Any]) -> StandardName:
    """Returns the value of a row of equivalents.json."""
    released = date.fromisoformat(row["released"])
    return StandardName(row["name"], row["class"], row["family"], released, _tuples(row["peers"]))


def alias_from(row: Mapping[str, Any]) -> Alias:
    """Returns the value of a row of aliases.json."""
    return Alias(
        row["provider"], row["alias"], row["target"], row["kind"], row["source"],
        _day(row.get("read")),
    )  # fmt: skip


def _tuples(lists: Mapping[str, list[str]]) -> Mapping[str, tuple[str, ...]]:
    return MappingProxyType({key: tuple(values) for key, values in lists.items()})


def _frozen(tables: Mapping[str, dict[str, V]]) -> Mapping[str, Mapping[str, V]]:
    return MappingProxyType({key: MappingProxyType(value) for key, value in tables.items()})


# Hundreds of rows share few distinct values.
@cache
def _day(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None


@cache
def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


@cache
def _capabilities(names: tuple[str, ...]) -> frozenset[Capability]:
    return frozenset(map(Capability, names))
