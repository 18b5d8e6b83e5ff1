"""Tests the three features that were requested first, each under its own name."""

from __future__ import annotations

import gc
import logging
import os
import warnings

import aiohttp
import pytest

from llmkit.comparison.arguments import comparison_arguments
from llmkit.kit import Kit
from llmkit.types import Status
from tests.fakes.reply import Reply
from tests.fakes.server import PREFIXES

KEY_VARS = ("OPENAI_API_KEY", "ANTHROPIC_API_KEY", "GEMINI_API_KEY", "MISTRAL_API_KEY",
            "OPENROUTER_API_KEY")  # fmt: skip


@pytest.fixture
def environ(fakes):
    """Keys and base URLs that direct all six providers to the fakes."""
    urls = {f"LLMKIT_{name.upper()}_BASE_URL": fakes.base_url(name) for name in PREFIXES}
    return {**urls, **dict.fromkeys(KEY_VARS, fakes.key)}


def compare(kit, *asked, **more):
    compared = comparison_arguments(*asked, **more)
    return kit.manager.run(kit.compare(compared.requests, compared.options))


def test_mistral_authentication_works_reliably(fakes, environ, caplog):
    """Two refusals and an answer: three clients, two of them closed, each retry in the log."""
    fakes.answer("mistral", Reply(503, (b"busy",)), Reply(503, (b"busy",)))
    kit = Kit(environ=environ, sign_in_delay_s=0.01)
    with caplog.at_level(logging.INFO, logger="llmkit"):
        status = kit.manager.run(kit.check("mistral"))
    clients = [row for row in kit.manager.sessions() if row.provider == "mistral"]
    kit.close()

    assert (str(status.state), status.attempts) == ("ready", 3)
    assert len({asked.connection for asked in fakes.asked["mistral"]}) == 3
    assert [str(row.status) for row in clients] == ["closed", "closed", "open"]
    assert [record.getMessage() for record in caplog.records] == [
        "Retrying Mistral authentication (attempt 2/3)",
        "Retrying Mistral authentication (attempt 3/3)",
    ]
    assert {str(row.status) for row in kit.manager.sessions()} == {"closed"}


def test_one_model_name_works_across_six_providers(fakes, environ):
    """Each provider answers gpt-3.5-turbo, under the id that it has there."""
    kit = Kit(environ=environ)
    found = compare(kit, "hi", "gpt-3.5-turbo", providers=sorted(PREFIXES), fallback="equivalent")
    kit.close()

    assert [row.completion.status for row in found] == [Status.COMPLETE] * 6
    assert {row.provider for row in found} == set(PREFIXES)
    assert {name: asked[0].model for name, asked in fakes.asked.items()} == {
        "openai": "gpt-5.6-terra",
        "anthropic": "claude-haiku-4-5-20251001",
        "google": "gemini-3.5-flash-lite",
        "mistral": "mistral-small",
        "openrouter": "openai/gpt-3.5-turbo",
        "ollama": "llama2",
    }
    assert {row.completion.request_model for row in found} == {
        asked[0].model for asked in fakes.asked.values()
    }


def operations(fakes, environ):
    """Runs questions, checks, a list and a failure in a separate kit; drops one handle unclosed."""
    fakes.answer("openai", Reply(500, (b"broken",)))
    kit = Kit(environ=environ, retries=0)
    compare(kit, "hi", "gpt-6-luna", repeats=3)
    kit.manager.run(kit.check_all())
    kit.manager.run(kit.refresh("openai"))

    async def forget():
        session = aiohttp.ClientSession()
        kit.manager.register_session(session, "forgotten")
        async with session.get(f"{fakes.base_url('openai')}/models") as response:
            await response.read()

    kit.manager.run(forget())
    kit.close()


def descriptors(fakes):
    """Returns the number of open descriptors, once the server has seen the closed connections."""
    gc.collect()
    fakes.wait_until_left()
    return len(os.listdir("/proc/self/fd")) if os.path.isdir("/proc/self/fd") else 0


def test_no_unclosed_client_session_after_operations(fakes, environ, caplog):
    """After all operations no socket is open, and no warning was emitted."""
    operations(fakes, environ)
    before = descriptors(fakes)
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        for _ in range(3):
            operations(fakes, environ)
        after = descriptors(fakes)

    assert [str(w.message) for w in warned] == []
    assert "Unclosed" not in caplog.text
    assert [record for record in caplog.records if record.name == "asyncio"] == []
    assert after == before
