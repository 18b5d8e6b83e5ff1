"""OpenAI's chat completions."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

from ..catalogue.entry import Model
from ..catalogue.provider_table import ProviderFacts
from ..types import Prompt
from ..wire.messages import as_date
from .chat_completions import OpenAIChat, lifecycle_by

# Reasoning models: o1, o3, o4-mini ..., and GPT from generation 5 on, except gpt-5-chat-latest.
# Sources: https://platform.openai.com/docs/guides/reasoning and the parameter notes in the types
# of openai 3.54.0 (read 2026-11-22).
_REASONS = re.compile(r"(ft:)?(o\d|codex-mini|gpt-([5-9]|1\d)(?!-chat|\d))")
# From 5.1 on, a reasoning model with effort "none" accepts sampling parameters.
# Source: https://developers.openai.com/api/docs/guides/latest-model (read 2026-11-24).
_MAY_STOP_REASONING = re.compile(r"(ft:)?gpt-(5\.[1-9]|[6-9]|1\d)")


class OpenAI(OpenAIChat):
    """OpenAI."""

    name = "openai"
    label = "OpenAI"
    default_base_url = "https://api.openai.com/v1"
    key_vars = ("OPENAI_API_KEY",)
    base_url_vars = ("OPENAI_BASE_URL",)
    facts = ProviderFacts(
        "maker", price_table="openai", slug="openai", color=2, marker="o",
        aliases=(
            "openai-chat", "openai-responses", "openai-decisions", "openai-chat-completions",
            "text-completion-openai",
        ),
        starts=("openai", "gpt", "o1", "o3", "o4", "text-embedding"),
    )  # fmt: skip
    # Some models refuse the older name.
    parameter_fields = MappingProxyType({"max_tokens": "max_completion_tokens"})

    def refused_parameters(self, prompt: Prompt, model: str) -> Sequence[str]:
        """Returns the parameters that a reasoning model answers with status 400."""
        if not _REASONS.match(model):
            return ()
        if _MAY_STOP_REASONING.match(model) and ("reasoning_effort", "none") in prompt.options:
            return ("stop",)
        return ("temperature", "top_p", "stop")

    def _model(self, row: Mapping[str, Any]) -> Model:
        return Model(
            self.name,
            row["id"],
            lifecycle=lifecycle_by(row, "shutdown_date"),
            retires_on=as_date(row.get("shutdown_date")),
        )
