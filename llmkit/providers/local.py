"""The embedded model, behind llama.cpp's own server on this machine.

Source: llama.cpp's server as in xllamacpp 2026.10 (measured 2026-11-22).
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, ClassVar

from ..catalogue.entry import Model
from ..catalogue.provider_table import ProviderFacts
from ..types import Capability, Lifecycle
from ..wire.messages import as_dict, as_int, as_strings
from .chat_completions import OpenAIChat


class Local(OpenAIChat):
    """A model on this machine; whoever starts its server gives the base URL and the key."""

    name = "local"
    label = "the local model"
    default_base_url = "http://127.0.0.1/v1"  # has no port until the server has chosen one
    facts = ProviderFacts("own", closed=True, color=6, marker="X")
    needs_key = False
    # A warm cache changes the order of sums, and with it what one seed gives.
    always: ClassVar[Mapping[str, object]] = MappingProxyType({"cache_prompt": False})

    def _model(self, row: Mapping[str, Any]) -> Model:
        inputs = as_strings(as_dict(row.get("architecture")).get("input_modalities"))
        vision = frozenset({Capability.VISION})
        return Model(
            self.name,
            row["id"],
            lifecycle=Lifecycle.ACTIVE,  # it lists what it has loaded
            max_input=as_int(as_dict(row.get("meta")).get("n_ctx")),
            capabilities=vision if "image" in inputs else frozenset(),
            lacks=vision if inputs and "image" not in inputs else frozenset(),
        )
