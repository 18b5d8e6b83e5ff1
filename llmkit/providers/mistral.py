"""Translates to and from Mistral's API. Source: the types of mistralai 3.7.0 (read 2026-11-22)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, ClassVar

from ..catalogue.entry import Model
from ..catalogue.provider_table import ProviderFacts
from ..types import Capability
from ..wire.messages import as_date, as_dict, as_int, as_str, as_strings
from .chat_completions import OpenAIChat, lifecycle_by

_CAPABILITIES = {
    "vision": Capability.VISION,
    "function_calling": Capability.TOOLS,
    "reasoning": Capability.REASONING,
}


class Mistral(OpenAIChat):
    """Mistral's chat completions; as in its SDK, the base URL is the one without /v1."""

    name = "mistral"
    label = "Mistral"
    default_base_url = "https://api.mistral.ai"
    key_vars = ("MISTRAL_API_KEY",)
    facts = ProviderFacts(
        "maker", price_table="mistral", slug="mistralai", aliases=("mistralai",),
        otel="mistral_ai", color=3, marker="D",
        starts=("mistral", "mixtral", "codestral", "ministral", "magistral", "pixtral", "devstral"),
    )  # fmt: skip
    chat_path: ClassVar[str] = "/v1/chat/completions"
    superfluous = re.compile(
        r"/v1(?:/(?:chat|models|(?:chat/|fim/)?completions))?$|(?:/chat)?/completions$"
    )
    models_path: ClassVar[str] = "/v1/models"
    parameter_fields = MappingProxyType({"seed": "random_seed"})
    own_words = ("random_seed",)
    asks_for_usage: ClassVar[bool] = False  # always sent; an unknown field is answered with 422
    request_id_headers: ClassVar[tuple[str, ...]] = ("mistral-correlation-id", "x-request-id")

    def _model(self, row: Mapping[str, Any]) -> Model:
        flags = as_dict(row.get("capabilities"))
        return Model(
            self.name, row["id"], as_str(row.get("name")),
            lifecycle=lifecycle_by(row, "deprecation"),
            retires_on=as_date(row.get("deprecation")),  # in its SDK: "will be removed on"
            successor=as_str(row.get("deprecation_replacement_model")),
            max_input=as_int(row.get("max_context_length")),
            capabilities=frozenset(c for field, c in _CAPABILITIES.items() if flags.get(field)),
            lacks=frozenset(c for field, c in _CAPABILITIES.items() if flags.get(field) is False),
            aliases=tuple(as_strings(row.get("aliases"))),
        )  # fmt: skip
