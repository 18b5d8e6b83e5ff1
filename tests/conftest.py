"""What every test can rely on: no key of the machine's, no settings of a person's."""

from __future__ import annotations

import gc
import os
import signal

import pytest
from hypothesis import settings

from .fakes.server import FakeProviders


def pytest_configure(config):
    """Makes the mark of `make negative-control` known, and the stop button heard."""
    config.addinivalue_line("markers", "scenario: goes red where a naive manager is in our place")
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        # A shell starts its background jobs deaf to the stop button, and children inherit that.
        signal.signal(signal.SIGINT, signal.default_int_handler)


OWNERS = ("OPENAI", "ANTHROPIC", "GOOGLE", "GEMINI", "MISTRAL", "OPENROUTER", "OLLAMA", "LLMKIT")

# How long one example takes says nothing on a machine that others use.
settings.register_profile("llmkit", deadline=None)
settings.load_profile("llmkit")


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch, tmp_path, request):
    """Takes away keys and base URLs, so that no test can reach a real provider."""
    if request.node.get_closest_marker("live"):
        return
    for name in list(os.environ):
        if name.startswith(tuple(f"{owner}_" for owner in OWNERS)):
            monkeypatch.delenv(name)
    monkeypatch.setenv("LLMKIT_CONFIG", os.devnull)
    monkeypatch.setenv("LLMKIT_CACHE_DIR", str(tmp_path / "no-cache"))


@pytest.fixture(scope="session")
def _providers():
    with FakeProviders() as running:
        yield running
    gc.collect()


@pytest.fixture
def fakes(_providers):
    """Six fake providers, well-behaved until they are told otherwise.

    What a test forgot to close is collected here, so that its warning fails this very test.
    What was there before is set aside while it runs: to search all that is imported after each
    test took two thirds of the tests' time. It is put back for the next test, because Hypothesis
    looks for what holds its random generator, and finds nothing that is set aside.
    """
    _providers.reset()
    gc.freeze()
    yield _providers
    gc.collect()
    gc.unfreeze()
