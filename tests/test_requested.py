"""The three things that were asked for first, each under its own title."""

from __future__ import annotations

import gc
import logging
import os
import warnings

import pytest

from llmkit.asking import comparing
from llmkit.kit import Kit
from llmkit.types import Status
from tests.fakes.reply import Reply
from tests.fakes.server import PREFIXES

KEY_VARS = ("OPENAI_API_KEY", "ANTHROPIC_API_KEY", "GEMINI_API_KEY", "MISTRAL_API_KEY",
            "OPENROUTER_API_KEY")  # fmt: skip


@pytest.fixture
def environ(fakes):
    """Keys and base URLs that lead all six providers to the fakes."""
    urls = {f"LLMKIT_{name.upper()}_BASE_URL": fakes.base_url(name) for name in PREFIXES}
    return {**urls, **dict.fromkeys(KEY_VARS, fakes.key)}


def compare(kit, *asked, **more):
    compared = comparing(*asked, **more)
    return kit.manager.run(kit.compare(compared.spots, compared.options))


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
    """gpt-3.5-turbo is answered by each of them, under the id that it has there."""
    kit = Kit(environ=environ)
    found = compare(kit, "hi", "gpt-3.5-turbo", providers=sorted(PREFIXES), fallback="equivalent")
    kit.close()

    assert [row.completion.status for row in found] == [Status.COMPLETE] * 6
    assert {row.provider for row in found} == set(PREFIXES)


def test_no_unclosed_client_session_after_operations(fakes, environ, caplog):
    """Questions, checks, lists and a failure leave no socket and no complaint."""
    descriptors = len(os.listdir("/proc/self/fd")) if os.path.isdir("/proc/self/fd") else None
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        for _ in range(3):
            fakes.answer("openai", Reply(500, (b"broken",)))
            kit = Kit(environ=environ, retries=0)
            compare(kit, "hi", "gpt-6-luna", repeats=3)
            kit.manager.run(kit.check_all())
            kit.manager.run(kit.refresh("openai"))
            kit.close()
            del kit
        gc.collect()

    assert [str(w.message) for w in warned if issubclass(w.category, ResourceWarning)] == []
    assert "Unclosed" not in caplog.text
    if descriptors is not None:
        assert len(os.listdir("/proc/self/fd")) <= descriptors + 2
