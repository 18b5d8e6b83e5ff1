"""Reads the catalogue's files, once, and puts their rows together."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date
from functools import cache, partial
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypeVar

from ..types import Capability, Lifecycle
from .entry import Alias, Catalogue, ModelEntry, StandardName, normal
from .provider_table import ProviderTable

FILES = ("models", "equivalents", "classes", "aliases")

V = TypeVar("V")


@cache
def shipped_rows() -> Catalogue:
    """Returns the rows that come with llmkit, without providers; see `builtin.shipped`."""
    # Not by importlib.resources, whose own import costs more than reading the files.
    folder = Path(__file__).parent
    return assemble({name: json.loads((folder / f"{name}.json").read_bytes()) for name in FILES})


def as_of() -> str:
    """When the shipped catalogue's sources were read, as YYYY-MM-DD."""
    return shipped_rows().as_of.isoformat()


def assemble(files: Mapping[str, Mapping[str, Any]]) -> Catalogue:
    """A catalogue from the parsed content of its four files."""
    model = partial(model_from, sources=_Sources(files["models"]))
    rows: dict[str, dict[str, Mapping[str, Any]]] = {}
    for row in files["models"]["models"]:
        rows.setdefault(row["provider"], {})[row["id"]] = row
    return _catalogue(
        date.fromisoformat(files["models"]["as_of"]),
        models={place: Rows(by_id, model) for place, by_id in rows.items()},
        names=map(name_from, files["equivalents"]["names"]),
        aliases=map(alias_from, files["aliases"]["aliases"]),
        classes={row["class"]: _tuples(row["picks"]) for row in files["classes"]["classes"]},
        providers=ProviderTable({}),
    )


class Rows(Mapping[str, V]):
    """Values by id, each made of its row when it is first asked for: a call asks for very few."""

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


def indexed(
    as_of: date,
    *,
    models: Iterable[ModelEntry],
    names: Iterable[StandardName],
    aliases: Iterable[Alias],
    classes: Mapping[str, Mapping[str, tuple[str, ...]]],
    providers: ProviderTable,
) -> Catalogue:
    """A catalogue of these rows; of two that are called alike the later one holds."""
    by_id: dict[str, dict[str, ModelEntry]] = {}
    for model in models:
        by_id.setdefault(model.provider, {})[model.id] = model
    return _catalogue(
        as_of, models=_frozen(by_id), names=names, aliases=aliases, classes=classes,
        providers=providers,
    )  # fmt: skip


def _catalogue(
    as_of: date,
    *,
    models: Mapping[str, Mapping[str, ModelEntry]],
    names: Iterable[StandardName],
    aliases: Iterable[Alias],
    classes: Mapping[str, Mapping[str, tuple[str, ...]]],
    providers: ProviderTable,
) -> Catalogue:
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
    """The full words of the short ones with which rows name their sources."""

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
    """One row of models.json as a value."""
    facts = sources.facts(row.get("facts", ""))
    successor = row.get("successor")
    return ModelEntry(
        provider=row["provider"],
        id=row["id"],
        state=Lifecycle(row.get("state", "unknown")),
        family=row.get("family"),
        kind=row.get("class"),
        released=_day(row.get("released")),
        deprecated=_day(row.get("deprecated")),
        retires=_day(row.get("retires")),
        rerouted=_day(row.get("rerouted")),
        rerouted_to=row.get("rerouted_to"),
        successors=(successor, *row.get("or", ())) if successor else (),
        context_total=row.get("context_total"),
        max_input=row.get("max_input"),
        max_output=row.get("max_output"),
        input_modalities=_words(row.get("in", "")),
        output_modalities=_words(row.get("out", "")),
        capabilities=_capabilities(tuple(row.get("has", ()))),
        lacks=_capabilities(tuple(row.get("lacks", ()))),
        source=sources.of(row["source"], facts),
        read=_day(row["read"]),
        facts=facts,
    )


def name_from(row: Mapping[str, Any]) -> StandardName:
    """One row of equivalents.json as a value."""
    released = date.fromisoformat(row["released"])
    return StandardName(row["name"], row["class"], row["family"], released, _tuples(row["peers"]))


def alias_from(row: Mapping[str, Any]) -> Alias:
    """One row of aliases.json as a value."""
    return Alias(
        row["provider"], row["alias"], row["target"], row["kind"], row["source"],
        _day(row.get("read")),
    )  # fmt: skip


def _tuples(lists: Mapping[str, list[str]]) -> Mapping[str, tuple[str, ...]]:
    return MappingProxyType({key: tuple(values) for key, values in lists.items()})


def _frozen(tables: Mapping[str, dict[str, V]]) -> Mapping[str, Mapping[str, V]]:
    return MappingProxyType({key: MappingProxyType(value) for key, value in tables.items()})


# Hundreds of rows say the same few things, so these are read once and shared.
@cache
def _day(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None


@cache
def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


@cache
def _capabilities(names: tuple[str, ...]) -> frozenset[Capability]:
    return frozenset(map(Capability, names))
