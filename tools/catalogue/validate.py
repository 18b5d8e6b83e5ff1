"""Finds the mistakes of a catalogue, and describes each in one sentence.

Called by `build` before it writes, and by the tests on the shipped files.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from typing import Any

from llmkit.catalogue.entry import Catalogue, ModelEntry, normal
from llmkit.catalogue.lifecycle import GONE, lifecycle_of, successors
from llmkit.catalogue.loader import assemble
from llmkit.providers.builtin import PROVIDERS

CLASSES = ("nano", "small", "medium", "flagship", "reasoning", "code", "vision", "embedding")
ALIAS_KINDS = ("name", "floating", "short")


def problems(files: Mapping[str, Mapping[str, Any]], on: date) -> tuple[str, ...]:
    """Returns the mistakes in the parsed content of the four files, as of *on*."""
    return (*doubles(files), *wrong(assemble(files), on))


def wrong(catalogue: Catalogue, on: date) -> Iterator[str]:
    """Yields the mistakes of an assembled catalogue."""
    yield from _models(catalogue)
    yield from _endings(catalogue, on)
    yield from _aliases(catalogue)
    yield from _names(catalogue)
    yield from _classes(catalogue, on)


def doubles(files: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    """Yields the names of rows that differ only in spelling: only one row would be used."""
    keys = {
        "models": ("provider", "id"),
        "aliases": ("provider", "alias"),
        "equivalents": ("name",),
        "classes": ("class",),
    }
    for name, columns in keys.items():
        rows: Iterable[Mapping[str, str]] = files[name]["names" if name == "equivalents" else name]
        forms = Counter(tuple(normal(row[column]) for column in columns) for row in rows)
        for form, count in forms.items():
            if count > 1:
                yield f"{name}: {':'.join(form)} appears {count} times, ignoring spelling"


def _models(catalogue: Catalogue) -> Iterator[str]:
    for provider, models in catalogue.models.items():
        if provider not in PROVIDERS:
            yield f"models: unknown provider {provider!r}"
        for entry in models.values():
            where = f"models: {provider}:{entry.id}"
            if not entry.source or entry.read is None:
                yield f"{where} has no source or no date of reading"
            if entry.kind not in (None, *CLASSES):
                yield f"{where} has the unknown class {entry.kind!r}"
            if entry.capabilities & entry.lacks:
                yield f"{where} both has and lacks {', '.join(entry.capabilities & entry.lacks)}"
            yield from _figures(where, entry)


def _figures(where: str, entry: ModelEntry) -> Iterator[str]:
    if entry.deprecated and entry.ends and entry.deprecated > entry.ends:
        yield f"{where} ends before its end is announced"
    if entry.max_input and entry.context_total and entry.max_input > entry.context_total:
        yield f"{where} takes more input than its window"
    if (entry.rerouted is None) is not (entry.rerouted_to is None):
        yield f"{where} has no date of its rerouting or no target of it"


def _endings(catalogue: Catalogue, on: date) -> Iterator[str]:
    for provider, models in catalogue.models.items():
        for entry in models.values():
            where = f"models: {provider}:{entry.id}"
            named = [*entry.successors, *([entry.rerouted_to] if entry.rerouted_to else ())]
            for successor in named:
                if not _is_known(catalogue, provider, successor):
                    stranger = _stranger(catalogue, successor)
                    yield f"{where} names the successor {successor}, {stranger}"
            chain = [entry.id, *successors(catalogue, provider, entry.id)]
            if _turns(catalogue, provider, chain):
                yield f"{where} leads in a circle: {' -> '.join(chain)}"
            elif len(chain) > 1 and all(
                lifecycle_of(catalogue, provider, model, on) in GONE for model in chain
            ):
                yield f"{where} leads only to retired models: {' -> '.join(chain)}"


def _turns(catalogue: Catalogue, provider: str, chain: list[str]) -> bool:
    last = catalogue.entry(provider, chain[-1])
    onward = last.rerouted_to or next(iter(last.successors), None) if last else None
    return onward in chain


def _aliases(catalogue: Catalogue) -> Iterator[str]:
    for provider, aliases in catalogue.aliases.items():
        if provider not in PROVIDERS:
            yield f"aliases: unknown provider {provider!r}"
        for alias in aliases.values():
            where = f"aliases: {provider}:{alias.alias}"
            if not alias.source or alias.read is None:
                yield f"{where} has no source or no date of reading"
            if alias.kind not in ALIAS_KINDS:
                yield f"{where} has the unknown kind {alias.kind!r}"
            if not _is_known(catalogue, provider, alias.target):
                yield f"{where} leads to {alias.target}, {_stranger(catalogue, alias.target)}"
            if _circles(catalogue, provider, alias.alias):
                yield f"{where} leads in a circle"


def _circles(catalogue: Catalogue, provider: str, name: str) -> bool:
    seen: set[str] = set()
    while normal(name) not in seen:
        seen.add(normal(name))
        alias = catalogue.aliases.get(provider, {}).get(normal(name))
        if alias is None:
            return False
        name = alias.target
    return True


def _names(catalogue: Catalogue) -> Iterator[str]:
    for name in catalogue.names.values():
        if name.kind not in CLASSES:
            yield f"equivalents: {name.name} has the unknown class {name.kind!r}"
        yield from _all_known(catalogue, f"equivalents: {name.name}", name.peers)


def _classes(catalogue: Catalogue, on: date) -> Iterator[str]:
    for kind, picks in catalogue.classes.items():
        if kind not in CLASSES:
            yield f"classes: unknown class {kind!r}"
        yield from _all_known(catalogue, f"classes: {kind}", picks)
        for provider, ids in picks.items():
            for model in ids:
                state = lifecycle_of(catalogue, provider, model, on)
                if state in GONE:
                    yield f"classes: {kind} picks {provider}:{model}, which is {state} on {on}"


def _all_known(
    catalogue: Catalogue, where: str, ids: Mapping[str, tuple[str, ...]]
) -> Iterator[str]:
    for provider, models in ids.items():
        if provider not in PROVIDERS:
            yield f"{where} names the unknown provider {provider!r}"
        if not models:
            yield f"{where} names {provider} without an id"
        for model in models:
            if not _is_known(catalogue, provider, model):
                yield f"{where} names {provider}:{model}, {_stranger(catalogue, model)}"


def _is_known(catalogue: Catalogue, provider: str, model: str) -> bool:
    alias = catalogue.aliases.get(provider, {}).get(normal(model))
    return catalogue.entry(provider, model) is not None or (
        alias is not None and alias.kind != "short"
    )


def _stranger(catalogue: Catalogue, model: str) -> str:
    owners = [p for p, models in catalogue.models.items() if model in models]
    return f"which is {owners[0]}'s" if owners else "which no row is about"
