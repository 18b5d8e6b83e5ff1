"""Translates to and from OpenRouter. Source: https://openrouter.ai/docs (read 2026-11-22)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any, ClassVar
from urllib.parse import parse_qs, urlencode

from ..catalogue.entry import Model
from ..catalogue.provider_table import ProviderFacts
from ..secret import Secret
from ..types import Capability, Completion, Prompt, Status
from ..wire.messages import (
    LARGEST_NUMBER,
    HttpRequest,
    as_date,
    as_dict,
    as_int,
    as_str,
    as_strings,
)
from .anthropic import Anthropic
from .base import NOTHING, FittedPrompt, Provider
from .chat_completions import ChatAnswerBuilder, OpenAIChat, lifecycle_by
from .openai import OpenAI

# OpenRouter silently drops what a model refuses at its maker's API; llmkit must report it.
_HOMES: Mapping[str, type[Provider]] = {"openai": OpenAI, "anthropic": Anthropic}
_PARAMETERS = {
    "tools": Capability.TOOLS,
    "structured_outputs": Capability.JSON_SCHEMA,
    "reasoning": Capability.REASONING,
}
TITLE = "X-OpenRouter-Title"
LONGEST_LINK = 2_000  # characters
ONLY_FEE = "OpenRouter told only its own fee, not the charge of the provider behind it"


@dataclass
class RoutedAnswerBuilder(ChatAnswerBuilder):
    """Builds an answer with its upstream provider and its cost.

    Attributes:
        upstream: The provider that OpenRouter called.
    """

    names: ClassVar[tuple[str, ...]] = (*ChatAnswerBuilder.names, "upstream")
    upstream: str | None = None

    def take(self, chunk: Mapping[str, Any]) -> None:
        """Adds the content of *chunk*."""
        super().take(chunk)
        self.request_id = self.request_id or as_str(chunk.get("id"))
        self.upstream = as_str(chunk.get("provider")) or self.upstream

    def completion(
        self, status: Status | None = None, about: Mapping[str, Any] = NOTHING
    ) -> Completion:
        """Returns the answer received so far."""
        cost_usd = _cost_in(self.counts)
        source = None if cost_usd is None else "provider"
        extras = {"upstream_provider": self.upstream, "cost_usd": cost_usd, "cost_source": source}
        answer = super().completion(status, {**about, **extras})
        if cost_usd is None and self.counts.get("is_byok"):
            return replace(answer, usage=replace(answer.usage, unpriced=ONLY_FEE))
        return answer


class OpenRouter(OpenAIChat):
    """OpenRouter's chat completions: one key for many providers."""

    name = "openrouter"
    label = "OpenRouter"
    default_base_url = "https://openrouter.ai/api/v1"
    key_vars = ("OPENROUTER_API_KEY",)
    facts = ProviderFacts(
        "reseller", price_table="openrouter", aliases=("open-router",), color=4, marker="v",
    )  # fmt: skip
    open_list = True
    # Also the page of allowed providers and guardrails
    # (https://github.com/farion1231/cc-switch/issues/995, read 2026-11-30).
    settings_url = "https://openrouter.ai/settings/privacy"
    asks_for_usage: ClassVar[bool] = False  # always sent
    plain_headers: ClassVar[Mapping[str, str | None]] = MappingProxyType({TITLE: None})
    request_id_headers: ClassVar[tuple[str, ...]] = ("x-generation-id",)
    builder = RoutedAnswerBuilder

    def fit(self, prompt: Prompt, model: str) -> FittedPrompt:
        """Returns *prompt* without the parameters that the model refuses at its maker's API."""
        fitted_prompt = super().fit(prompt, model)
        maker, _, name = model.removeprefix("~").partition("/")
        return _HOMES[maker]().fit(prompt, name) if maker in _HOMES else fitted_prompt

    def key_request(self, key: Secret | None) -> HttpRequest:
        """Returns a GET of the key's budget, because the list of models needs no key."""
        return HttpRequest("GET", self.url("/key"), self._headers(key))

    def models_request(
        self, key: Secret | None, *, page: str | None = None, limit: int = 1000
    ) -> HttpRequest:
        """Returns the request for a page of models; *page* is the offset of its first model."""
        query = urlencode({"offset": page or "0", "limit": limit})
        return HttpRequest("GET", self.url(f"/models?{query}"), self._headers(key))

    def _headers(self, key: Secret | None) -> dict[str, str]:
        # For OpenRouter's statistics of apps; it has no effect on answers.
        return {**super()._headers(key), TITLE: "llmkit"}

    def _next_page(self, body: Mapping[str, Any]) -> str | None:
        # Following the link itself could send the key to another host.
        link = as_str(as_dict(body.get("links")).get("next"))
        offsets = parse_qs((link or "")[:LONGEST_LINK].partition("?")[2]).get("offset", [])
        return next((offset for offset in offsets if offset.isdecimal()), None)

    def _model(self, row: Mapping[str, Any]) -> Model:
        top = as_dict(row.get("top_provider"))
        abilities, inabilities = _abilities(row)
        slug = as_str(row.get("canonical_slug"))
        return Model(
            self.name, row["id"], as_str(row.get("name")),
            lifecycle=lifecycle_by(row, "expiration_date"),
            retires_on=as_date(row.get("expiration_date")),
            max_input=as_int(row.get("context_length")),
            max_output=as_int(top.get("max_completion_tokens")),
            capabilities=frozenset(abilities),
            lacks=frozenset(inabilities),
            aliases=(slug,) if slug and slug != row["id"] else (),
        )  # fmt: skip


def _cost_in(usage: Mapping[str, Any]) -> float | None:
    """Returns the charge of OpenRouter, plus that of the upstream if the user's key pays it."""
    if usage.get("cost") is None:
        return None
    parts = [usage["cost"]]
    # If the user's own key at the upstream was used, OpenRouter's cost is only its fee
    # (https://github.com/tailcallhq/forgecode/issues/1641, read 2026-11-30).
    if usage.get("is_byok"):
        details = as_dict(usage.get("cost_details"))
        names = ["upstream_inference_cost"]
        if details.get(names[0]) is None:
            names = ["upstream_inference_prompt_cost", "upstream_inference_completions_cost"]
        parts += [details.get(name) for name in names]
    numbers = (p for p in parts if isinstance(p, int | float) and not isinstance(p, bool))
    costs = [float(number) for number in numbers if 0 <= number <= LARGEST_NUMBER]
    return sum(costs) if len(costs) == len(parts) else None


def _abilities(row: Mapping[str, Any]) -> tuple[set[Capability], set[Capability]]:
    """Returns the capabilities that *row* confirms, and those that it excludes."""
    abilities: set[Capability] = set()
    subjects: set[Capability] = set()
    inputs = as_dict(row.get("architecture")).get("input_modalities")
    if isinstance(inputs, list):
        subjects.add(Capability.VISION)
        abilities |= {Capability.VISION} if "image" in inputs else set()
    parameters = row.get("supported_parameters")
    if isinstance(parameters, list):
        subjects |= set(_PARAMETERS.values())
        abilities |= {_PARAMETERS[name] for name in as_strings(parameters) if name in _PARAMETERS}
    return abilities, subjects - abilities
