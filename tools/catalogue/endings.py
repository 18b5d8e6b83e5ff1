"""Reads from the packages when ids end and which successors their providers name."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from . import packages
from .listings import NO_CHAT

RETIRE = {
    "openai": "openai",
    "anthropic": "anthropic",
    "google-gemini-api": "google",
    "mistral": "mistral",
}
SUNSET = {"OpenAI": "openai", "Anthropic": "anthropic", "Google": "google"}
AN_ID = re.compile(r"[a-z0-9][a-z0-9.:-]*[a-z0-9]")


@dataclass(frozen=True)
class Ending:
    """An entry of a provider's page of deprecations, as one package read it."""

    provider: str
    id: str
    deprecated: str | None
    retires: str | None
    successors: tuple[str, ...]
    source: str
    read: str
    family: bool = False  # it names a family of models, which may be no id


def endings(folder: Path) -> Iterator[Ending]:
    """Returns all endings; of two for one id the one read later is kept."""
    for found in (*_sunset(folder), *_retire(folder)):
        if not NO_CHAT.search(found.id):
            yield found


def _retire(folder: Path) -> Iterator[Ending]:
    for row in packages.json_of("bydtech-model-retire", "model_retire/models.json", folder)[
        "models"
    ]:
        provider = RETIRE.get(row["provider"])
        if provider is None:
            continue
        note = row.get("note", "")
        kind = "earliest" if "earliest possible" in note else "retire"
        for model in (row["id"], *row.get("aliases", ())):
            yield Ending(
                provider, model, row.get("deprecated_on"), row.get("retires_on"),
                named(row.get("replacement") or ""), f"{kind}:{provider}", row["checked"],
                family="model family" in note,
            )  # fmt: skip


def _sunset(folder: Path) -> Iterator[Ending]:
    for row in packages.json_of("llm-sunset", "llm_sunset/snapshot.json", folder):
        provider = SUNSET.get(row["provider"])
        if provider is not None:
            yield Ending(
                provider, row["model_id"], row["deprecation_date"], row["shutdown_date"],
                named(" or ".join(row["replacement_models"] or ())), f"sunset:{provider}",
                row["last_observed"],
            )  # fmt: skip


def named(text: str) -> tuple[str, ...]:
    """Returns the ids in a text about replacements, such as "A or B" and "A (mode: pro)"."""
    words = re.split(r",| or ", re.sub(r"\([^)]*\)", "", text))
    return tuple(w for word in words if AN_ID.fullmatch(w := word.strip()))
