"""Knows the words of other tools in model names, Ollama's library and OpenRouter's makers.

Called by the name parser and the resolver, for names that the catalogue does not have. Facts only:
`vocabulary.json` has the sources and the date. Must not know catalogue rows or the user's keys.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from ..errors import shorten
from .provider_table import compact

# Ids of clouds that need no prefix; each with the word under which their service is known.
_SHAPES = (
    (re.compile(r"arn:aws[a-z-]*:bedrock\b"), "bedrock"),
    (re.compile(r"arn:aws[a-z-]*:sagemaker\b"), "sagemaker"),
    (
        # us.anthropic.claude-haiku-4-5-20251001-v1:0, amazon.nova-pro-v1:0
        re.compile(
            r"(?:[a-z-]{2,8}\.)?(?:ai21|amazon|anthropic|cohere|deepseek|google|luma|meta|minimax|"
            r"mistral|moonshot|moonshotai|nvidia|openai|qwen|stability|twelvelabs|writer|zai)"
            r"\.[a-z0-9][\w.]*-"
        ),
        "bedrock",
    ),
    (re.compile(r"projects/[^/]+/|publishers/[^/]+/|endpoints/\d"), "vertex_ai"),
    (re.compile(r"[\w.-]+@(?:\d{3,8}|default|latest)$"), "vertex_ai"),
    (re.compile(r"accounts/[^/]+/(?:models|deployments|deployedmodels|routers)/"), "fireworks_ai"),
    (re.compile(r"@[ch]f/"), "cloudflare"),
    (re.compile(r"@(?!preset/)[\w-]+/"), "portkey"),
    (re.compile(r"azureml:"), "azure"),
)
_REGION = re.compile(r"^(?:[a-z-]+\.)+(?=[a-z])")
_REVISION = re.compile(r"-v\d+(?::\d+)*$|-\d:\d$|@(?:default|latest)$")
SHOWN_NAME = 80  # characters of a name that a message repeats


@dataclass(frozen=True, slots=True)
class Service:
    """A service that other tools name by a prefix, and that is none of llmkit's providers.

    Attributes:
        label: Its name in texts for users.
        words: The prefixes, in their own spelling.
        tools: The tools that use these words, as far as their sources were read.
        slug: The maker's name at OpenRouter, None if it is not a maker there.
        url: The base URL of its OpenAI-compatible API, None if unknown or different for each user.
        key_var: The environment variable that the tools read for its key, None if unknown.
    """

    label: str
    words: tuple[str, ...]
    tools: tuple[str, ...] = ()
    slug: str | None = None
    url: str | None = None
    key_var: str | None = None

    def adding(self, word: str) -> str:
        """Returns the call that adds the service as a provider called like *word*."""
        url = f'"{self.url}"' if self.url else "base_url"
        key_var = f', "{self.key_var}"' if self.key_var else ""
        return f'add_provider("{as_name(word)}", {url}{key_var})'


def service_of(word: str) -> Service | None:
    """Returns the service that *word* names in other tools, in any spelling; None if unknown."""
    return _services().get(compact(word))


def service_in(name: str) -> tuple[Service, str] | None:
    """Returns the service whose ids look like *name*, and its usual word; None if none does."""
    lower = name.lower()
    for shape, word in _SHAPES:
        if shape.match(lower):
            return _services()[compact(word)], word
    return None


def added_as(word: str, names: Collection[str]) -> str | None:
    """Returns that of *names*, the user's providers, which *word* means; None if none is."""
    if not names:
        return None
    service = service_of(word)
    spellings = {compact(word), *(compact(other) for other in (service.words if service else ()))}
    return next((name for name in names if compact(name) in spellings), None)


def added_for(maker: str, names: Collection[str]) -> str | None:
    """Returns that of *names*, the user's providers, which is the maker's own service, or None."""
    words = {word for word, service in _services().items() if service.slug == maker}
    return next((name for name in names if compact(name) in {compact(maker), *words}), None)


def as_name(word: str) -> str:
    """Returns *word* as the name of a provider, which has letters, digits and "_" only."""
    name = re.sub(r"\W", "_", word.strip().lower())
    return name if name.isidentifier() else f"my_{name}"


def model_in(path: str) -> str:
    """Returns the model's own name at the end of a path or of a cloud's id."""
    last = _REGION.sub("", path.rpartition("/")[2])
    return _REVISION.sub("", last).replace("@", "-")


def elsewhere(name: str, rest: str, word: str, service: Service) -> str:
    """Returns the clauses that say which service *name* means, and how to reach it.

    *word* is the prefix of the name, *rest* the id after it.
    """
    users = f" in {' and '.join(service.tools[:2])}" if service.tools else ""
    model = shorten(f"{as_name(word)}:{rest}", SHOWN_NAME)
    shown_word = "it" if word.lower() not in name.lower() else shorten(word, 30)
    return (
        f"{shown_word} means {service.label}{users}, which llmkit does not have; add it with "
        f"{service.adding(word)}, then ask for {model}"
    )


@cache
def ollama_library() -> frozenset[str]:
    """Returns the names in Ollama's public library, without tags."""
    return frozenset(_file()["ollama_library"])


@cache
def earlier_makers() -> frozenset[str]:
    """Returns makers that OpenRouter has listed in the past."""
    return frozenset(_file()["openrouter_makers"])


@cache
def _services() -> dict[str, Service]:
    services = [
        Service(
            row["service"], tuple(row["words"]), tuple(row.get("tools", ())), row.get("slug"),
            row.get("url"), row.get("key"),
        )
        for row in _file()["services"]
    ]  # fmt: skip
    return {compact(word): service for service in services for word in service.words}


@cache
def _file() -> dict[str, Any]:
    data: dict[str, Any] = json.loads(Path(__file__).with_suffix(".json").read_bytes())
    return data
