"""Translates to and from llama.cpp's server, which runs the embedded model on this machine.

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
    """The embedded model; the code that starts its server passes base URL and key."""

    name = "local"
    label = "the local model"
    default_base_url = "http://127.0.0.1/v1"  # the running server has a port, too
    facts = ProviderFacts("own", closed=True, at_once=1, color=6, marker="X")
    own_words = ("max_completion_tokens", "n_predict")
    needs_key = False
    # With a warm cache the same seed gives other answers: the order of the sums changes.
    always: ClassVar[Mapping[str, object]] = MappingProxyType({"cache_prompt": False})

    def _model(self, row: Mapping[str, Any]) -> Model:
        inputs = as_strings(as_dict(row.get("architecture")).get("input_modalities"))
        vision = frozenset({Capability.VISION})
        return Model(
            self.name,
            row["id"],
            lifecycle=Lifecycle.ACTIVE,  # the server lists only loaded models
            max_input=as_int(as_dict(row.get("meta")).get("n_ctx")),
            capabilities=vision if "image" in inputs else frozenset(),
            lacks=vision if inputs and "image" not in inputs else frozenset(),
        )
