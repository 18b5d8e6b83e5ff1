"""Isolates every test from the machine's keys and the user's settings."""

from __future__ import annotations

import gc
import os
import signal

import pytest
from hypothesis import settings

from .fakes.server import FakeProviders


def pytest_configure(config):
    """Registers the mark of `make negative-control`, and makes SIGINT raise KeyboardInterrupt."""
    config.addinivalue_line("markers", "scenario: fails with a naive manager instead of llmkit's")
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        # A shell starts background jobs with SIGINT ignored, and their children inherit that.
        signal.signal(signal.SIGINT, signal.default_int_handler)


OWNERS = ("OPENAI", "ANTHROPIC", "GOOGLE", "GEMINI", "MISTRAL", "OPENROUTER", "OLLAMA", "LLMKIT")

# The time of one example says nothing on a shared machine.
settings.register_profile("llmkit", deadline=None)
settings.load_profile("llmkit")


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch, tmp_path, request):
    """Removes keys and base URLs, so that no test can reach a real provider."""
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
    """Six fake providers, which answer normally unless a test queues other replies.

    Unclosed objects of a test are collected here, so that their warnings fail this test. Older
    objects are frozen while it runs: collecting all imported objects after each test took two
    thirds of the tests' time. They are unfrozen for the next test, because Hypothesis searches for
    the owner of its random generator, and cannot find frozen objects.
    """
    _providers.reset()
    gc.freeze()
    yield _providers
    gc.collect()
    gc.unfreeze()
