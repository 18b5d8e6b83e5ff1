"""Reads the catalogue's files, once."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date
from functools import cache
from importlib import resources
from types import MappingProxyType
from typing import Any

from ..types import Capability, Lifecycle
from .entry import Alias, Catalogue, ModelEntry, StandardName, normal


@cache
def shipped() -> Catalogue:
    """The catalogue that comes with llmkit."""
    files = {name: _read(name) for name in ("models", "equivalents", "classes", "aliases")}
    return assemble(files)


def as_of() -> str:
    """When the shipped catalogue's sources were read, as YYYY-MM-DD."""
    return shipped().as_of.isoformat()


def assemble(files: Mapping[str, Mapping[str, Any]]) -> Catalogue:
    """A catalogue from the parsed content of its four files."""
    models: dict[str, dict[str, ModelEntry]] = {}
    for row in files["models"]["models"]:
        models.setdefault(row["provider"], {})[row["id"]] = _model(row)
    aliases: dict[str, dict[str, Alias]] = {}
    for row in files["aliases"]["aliases"]:
        known = Alias(row["provider"], row["alias"], row["target"], row["kind"], row["source"])
        aliases.setdefault(known.provider, {})[normal(known.alias)] = known
    names = {normal(row["name"]): _name(row) for row in files["equivalents"]["names"]}
    classes = {row["class"]: _tuples(row["picks"]) for row in files["classes"]["classes"]}
    ids = {provider: {normal(i): i for i in found} for provider, found in models.items()}
    return Catalogue(
        as_of=date.fromisoformat(files["models"]["as_of"]),
        models=_frozen(models),
        names=MappingProxyType(names),
        aliases=_frozen(aliases),
        classes=MappingProxyType(classes),
        ids=_frozen(ids),
    )


def _read(name: str) -> Mapping[str, Any]:
    file = resources.files(__package__).joinpath(f"{name}.json")
    found: Mapping[str, Any] = json.loads(file.read_bytes())
    return found


def _model(row: Mapping[str, Any]) -> ModelEntry:
    successor = row.get("successor")
    return ModelEntry(
        provider=row["provider"],
        id=row["id"],
        state=Lifecycle(row.get("state", "unknown")),
        deprecated=_day(row.get("deprecated")),
        retires=_day(row.get("retires")),
        rerouted=_day(row.get("rerouted")),
        successors=(successor, *row.get("or", ())) if successor else (),
        max_input=row.get("max_input"),
        max_output=row.get("max_output"),
        capabilities=frozenset(map(Capability, row.get("has", ()))),
        lacks=frozenset(map(Capability, row.get("lacks", ()))),
        source=row["source"],
        read=_day(row["read"]),
    )


def _name(row: Mapping[str, Any]) -> StandardName:
    released = date.fromisoformat(row["released"])
    return StandardName(row["name"], row["class"], row["family"], released, _tuples(row["peers"]))


def _tuples(found: Mapping[str, list[str]]) -> Mapping[str, tuple[str, ...]]:
    return MappingProxyType({key: tuple(values) for key, values in found.items()})


def _frozen(nested: Mapping[str, dict[str, Any]]) -> Mapping[str, Mapping[str, Any]]:
    return MappingProxyType({key: MappingProxyType(value) for key, value in nested.items()})


def _day(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None
