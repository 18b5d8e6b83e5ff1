"""Reads from each package the limits, modalities, capabilities and release date of each id."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from . import packages

LITELLM = {
    "openai": "openai",
    "text-completion-openai": "openai",
    "anthropic": "anthropic",
    "mistral": "mistral",
    "gemini": "google",
}
# Modes with one text answer to one prompt: neither images nor audio nor realtime.
MODES = ("chat", "responses", "completion", "embedding")
LANGCHAIN = {
    "langchain-openai": "openai",
    "langchain-anthropic": "anthropic",
    "langchain-google-genai": "google",
    "langchain-mistralai": "mistral",
    "langchain-openrouter": "openrouter",
}
NO_CHAT = re.compile(
    r"image|(?<!com)dall-e|sora|veo-|imagen|lyria|tts|whisper|transcribe|realtime|moderation|speech"
    r"|-live|live-|\bocr\b|voxtral|omni-flash|omni-1|robotics|native-audio|^ft[-:]|container"
    r"|-completions$|content-safety|\s|/.*/|^gemini-gemma|banana"
)
MODALITIES = ("text", "image", "pdf", "audio", "video")


@dataclass
class Listing:
    """One id in one package; a field is None if the package does not have it."""

    provider: str
    id: str
    source: str
    embedding: bool = False
    dated: bool = False  # a dated form of an id, from the matching of prices
    open_weights: bool = False
    state: str | None = None
    released: str | None = None
    retires: str | None = None
    total: int | None = None
    max_input: int | None = None
    max_output: int | None = None
    takes: list[str] = field(default_factory=list)
    gives: list[str] = field(default_factory=list)
    has: dict[str, bool] = field(default_factory=dict)


def listings(folder: Path) -> Iterator[Listing]:
    """Returns all ids that the packages list for llmkit's providers."""
    for found in (*_litellm(folder), *_langchain(folder), *_prices(folder)):
        if not NO_CHAT.search(found.id):
            yield found


def _litellm(folder: Path) -> Iterator[Listing]:
    path = "litellm/model_prices_and_context_window_backup.json"
    for name, row in packages.json_of("litellm", path, folder).items():
        provider = LITELLM.get(row.get("litellm_provider", ""))
        if provider and row.get("mode") in MODES:
            yield _of_litellm(provider, name.rsplit("/", 1)[-1], row)


def _of_litellm(provider: str, model: str, row: Mapping[str, Any]) -> Listing:
    embedding = row["mode"] == "embedding"
    takes = list(row.get("supported_modalities", ()))
    takes += ["pdf"] if row.get("supports_pdf_input") and takes else []
    takes += ["image"] if row.get("supports_vision") and takes else []
    told = {
        "vision": row.get("supports_vision"),
        "tools": row.get("supports_function_calling"),
        "json_schema": row.get("supports_response_schema"),
        "reasoning": row.get("supports_reasoning"),
    }
    return Listing(
        provider, model, "litellm", embedding,
        retires=row.get("deprecation_date"),
        max_input=row.get("max_input_tokens"),
        # For an embedding some packages have the length of the vector in this field.
        max_output=None if embedding else row.get("max_output_tokens"),
        takes=takes,
        gives=["embedding"] if embedding else list(row.get("supported_output_modalities", ())),
        has={word: value for word, value in told.items() if value is not None},
    )  # fmt: skip


def _langchain(folder: Path) -> Iterator[Listing]:
    for package, provider in LANGCHAIN.items():
        for model, row in packages.profiles_of(package, folder).items():
            if row.get("text_outputs"):  # rows without a name only complete those of other packages
                yield _of_langchain(provider, model, row, package)


def _of_langchain(provider: str, model: str, row: Mapping[str, Any], package: str) -> Listing:
    embedding = "embed" in model
    told = {
        "vision": row.get("image_inputs"),
        "tools": row.get("tool_calling"),
        "json_schema": row.get("structured_output"),
        "reasoning": row.get("reasoning_output"),
    }
    return Listing(
        provider, model, package, embedding,
        open_weights=bool(row.get("open_weights")),
        state="deprecated" if row.get("status") == "deprecated" else "active",
        released=_day(row.get("release_date")),
        total=row.get("max_input_tokens") or None,
        max_output=None if embedding else row.get("max_output_tokens") or None,
        takes=[word for word in MODALITIES if row.get(f"{word}_inputs")],
        gives=["embedding"] if embedding
        else [word for word in MODALITIES if row.get(f"{word}_outputs")],
        has={} if embedding else {w: v for w, v in told.items() if v is not None},
    )  # fmt: skip


def _day(text: str | None) -> str | None:
    return text if text and len(text) == len("2026-01-31") else None  # a month alone is not a date


def _prices(folder: Path) -> Iterator[Listing]:
    for provider, model, window, exact in packages.priced(folder):
        if provider not in (*LITELLM.values(), "openrouter") or _is_a_family(provider, model):
            continue
        yield Listing(provider, model, "genai-prices", "embed" in model, total=window)
        for other in exact:
            if re.fullmatch(re.escape(model) + r"-(\d{4}-\d\d-\d\d|\d{8}|\d{4})", other):
                yield Listing(provider, other, "genai-prices", "embed" in model, True, total=window)


def _is_a_family(provider: str, model: str) -> bool:
    # Google rows of Claude are prices of Vertex; others are a prefix, not an id.
    return (provider == "google" and "claude" in model) or model.endswith("-")
