"""Checks that README, notebooks and the picks of classes name no model that ends soon."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from datetime import date
from pathlib import Path

from llmkit.catalogue import lifecycle
from llmkit.catalogue.entry import Catalogue, normal
from llmkit.catalogue.resolve import resolve
from llmkit.errors import ConfigError

from .report import SOON

# Retired models that these pages mention on purpose, to show their replacements.
PAST = ("gpt-3.5-turbo", "claude-instant-1.2", "gemini-pro")
_WORD = re.compile(r"[A-Za-z~][\w.:/~-]*\d[\w.:/~-]*")  # the name of a version has a digit


def short_lived(catalogue: Catalogue, texts: Mapping[str, str], on: date) -> list[str]:
    """Returns one sentence for each model in a text or class that ends within 180 days.

    *texts* has the text of each page, by its name.
    """
    return [*_picks(catalogue, on), *_named(catalogue, texts, on)]


def pages(top: Path) -> dict[str, str]:
    """Returns the README and the cells of the notebooks, by file."""
    found = {"README.md": (top / "README.md").read_text(encoding="utf-8")}
    for path in sorted((top / "notebooks").glob("*.ipynb")):
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        found[f"notebooks/{path.name}"] = "\n".join("".join(cell["source"]) for cell in cells)
    return found


def _picks(catalogue: Catalogue, on: date) -> Iterator[str]:
    for kind, picks in catalogue.classes.items():
        for provider, ids in picks.items():
            for model in ids:
                if (end := _end(catalogue, provider, model, on)) is not None:
                    yield f"classes.json: {kind} picks {provider}:{model}, which {end}"


def _named(catalogue: Catalogue, texts: Mapping[str, str], on: date) -> Iterator[str]:
    known = _forms(catalogue)
    for page, text in texts.items():
        words = {word.rstrip(".:-/") for word in _WORD.findall(text)}
        for word in sorted(words - set(PAST)):
            if normal(word.rpartition(":")[2]) not in known and normal(word) not in known:
                continue
            try:
                found = resolve(word, on=on, catalogue=catalogue)
            except ConfigError:
                continue
            end = _end(catalogue, found.provider, found.id, on)
            if end is not None:
                yield f"{page}: {word} is {found.provider}:{found.id}, which {end}"


def _end(catalogue: Catalogue, provider: str, model: str, on: date) -> str | None:
    day = lifecycle.retires_on(catalogue, provider, model)
    if lifecycle.lifecycle_of(catalogue, provider, model, on) in lifecycle.GONE:
        return f"ended on {day or 'a day that no source says'}"
    return f"ends on {day}" if day is not None and day <= on + SOON else None


def _forms(catalogue: Catalogue) -> set[str]:
    ids = {form for forms in catalogue.ids.values() for form in forms}
    return (
        ids
        | {form for forms in catalogue.aliases.values() for form in forms}
        | set(catalogue.names)
    )
