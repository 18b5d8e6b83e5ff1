"""Provides one real kernel for each test file, which its tests share."""

from __future__ import annotations

import os

import pytest

from tests import naive
from tests.fakes.server import FakeProviders

from .driver import Kernel

COMPLAINTS = (
    "Unclosed", "never retrieved", "destroyed but it is pending", "already entered",
    "ResourceWarning", "never awaited",
)  # fmt: skip


def complaints(stderr: str) -> list[str]:
    """Returns the lines of standard error that a user must never see."""
    return [line for line in stderr.splitlines() if any(c in line for c in COMPLAINTS)]


def _scope(fixture_name: str, config: object) -> str:
    # A naive manager may kill its kernel; the other tests must still fail on their own.
    return "function" if naive.wanted() else "module"


def environ(home, fakes=None) -> dict[str, str]:
    """Returns a kernel's environment: a temporary home, and fakes instead of providers."""
    found = {
        "IPYTHONDIR": str(home), "LLMKIT_CONFIG": os.devnull,
        "LLMKIT_CACHE_DIR": str(home),
    }  # fmt: skip
    if fakes is not None:
        found |= {
            "OPENAI_API_KEY": fakes.key, "OPENAI_BASE_URL": fakes.base_url("openai"),
            "MISTRAL_API_KEY": fakes.key, "LLMKIT_MISTRAL_BASE_URL": fakes.base_url("mistral"),
        }  # fmt: skip
    return found


def load(kernel: Kernel) -> Kernel:
    """Loads the extension and the names that these tests use into *kernel*."""
    control = "from tests import naive; naive.install()\n" if naive.wanted() else ""
    loaded = kernel.one(
        f"{control}%load_ext llmkit\nimport asyncio, gc, json, os, signal, threading, time\n"
        "import aiohttp, llmkit\nmanager = llmkit.get_event_loop_manager()"
    )
    assert loaded.ok, loaded.error
    return kernel


@pytest.fixture(scope="module")
def served():
    """Serves the fake providers of a file's kernel."""
    with FakeProviders() as running:
        yield running


@pytest.fixture
def fakes(served):
    """Yields the fake providers, reset after the previous test."""
    served.reset()
    yield served
    served.reset()


@pytest.fixture(scope="module")
def kernel(tmp_path_factory):
    """Starts a kernel with the extension, which must write nothing to standard error."""
    with Kernel(env=environ(tmp_path_factory.mktemp("ipython"))) as running:
        yield load(running)
    assert complaints(running.stderr) == []


@pytest.fixture(scope=_scope)
def asking(tmp_path_factory, served):
    """Yields `kernel` with keys for OpenAI and Mistral, which are fakes."""
    with Kernel(env=environ(tmp_path_factory.mktemp("ipython"), served)) as running:
        yield load(running)
    if not naive.wanted():
        assert complaints(running.stderr) == []


@pytest.fixture
def fresh(tmp_path, served):
    """Starts a kernel for one test, without the extension."""
    made: list[Kernel] = []

    def start(*flags: str) -> Kernel:
        made.append(Kernel(*flags, env=environ(tmp_path, served)).__enter__())
        return made[0]

    yield start
    for kernel in made:
        kernel.__exit__()
        assert complaints(kernel.stderr) == []


def control() -> str:
    """Returns the first line of a fresh kernel's first cell."""
    return "from tests import naive; naive.install()\n" if naive.wanted() else ""


@pytest.fixture(autouse=True, scope="session")
def _no_keys_of_this_machine():
    """Removes API keys first, because a file's kernel starts before the test's environment."""
    kept = dict(os.environ)
    for name in kept:
        if name.endswith(("_API_KEY", "_BASE_URL")) or name.startswith("LLMKIT_"):
            del os.environ[name]
    yield
    os.environ.clear()
    os.environ.update(kept)
