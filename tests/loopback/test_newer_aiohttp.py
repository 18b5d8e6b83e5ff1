"""Simulates an unknown version of aiohttp: everything works without its internals."""

from __future__ import annotations

import asyncio
import json
import logging
import re
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

from llmkit.runtime.introspection import open_connections
from llmkit.transport import aiohttp_transport
from tests.fakes.reply import cut_stream
from tests.fakes.server import PREFIXES

ROOT = Path(__file__).parents[2]

CHILD = """
import asyncio, json, logging, sys
import aiohttp
aiohttp.__version__ = "3.99.0"
logging.basicConfig(level=logging.WARNING, format="%(name)s: %(message)s")
import llmkit

given = json.loads(sys.stdin.read())
kit = llmkit.Kit(environ=given["environ"])
async def main():
    from llmkit.chat.arguments import chat_arguments
    said = []
    for model in given["models"]:
        said.append((await kit.answer(*chat_arguments("hi", model, verbatim=True))).text)
    own = aiohttp.ClientSession()
    kit.manager.register_session(own, "own")
    http, record = await kit.http_session("ollama", persistent=False)
    async with http.get(given["environ"]["LLMKIT_OLLAMA_BASE_URL"] + "/api/version") as response:
        said.append(response.status)
    rows = kit.manager.sessions()
    said.append(sorted({(row.open_connections, row.bytes_in) for row in rows}, key=str))
    await kit.refresh("mistral")
    parts = kit.stream(*chat_arguments("hi", "google:m", verbatim=True))
    await anext(parts)
    async def read_on():
        async for _ in parts:  # pieces may still be on their way
            pass
    reading = asyncio.create_task(read_on())
    await asyncio.sleep(0)
    await kit.manager.aclose("all")
    said.append(own.closed)
    try:
        await asyncio.wait_for(reading, 60)
    except llmkit.errors.CallError as error:
        said.append(type(error).__name__)
    return said
print(json.dumps(kit.manager.run(main())))
kit.close()
"""


def test_a_newer_aiohttp_is_used_without_its_internals(fakes):
    """Answers, lists and closing work; counts are unknown, and the log says so once."""
    urls = {f"LLMKIT_{name.upper()}_BASE_URL": fakes.base_url(name) for name in PREFIXES}
    names = ("OPENAI_API_KEY", "MISTRAL_API_KEY", "GEMINI_API_KEY")
    environ = {**urls, **dict.fromkeys(names, fakes.key)}
    fakes.answer("google", cut_stream("google", "silence"))
    models = ["openai:m", "openai:m", "ollama:m"]

    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", CHILD], cwd=ROOT, text=True,
        input=json.dumps({"environ": environ, "models": models}), capture_output=True, timeout=120,
    )  # fmt: skip

    assert done.returncode == 0, done.stderr
    *texts, status, counts, closed, ended = json.loads(done.stdout)
    assert all(text.startswith("A river carries silt") for text in texts)
    assert (status, counts, closed) == (200, [[None, None]], True)
    assert ended == "APIConnectionError"  # at once, without waiting for its limit
    assert done.stderr.splitlines() == [
        "llmkit.runtime.aiohttp_internals: llmkit does not know the internals of aiohttp 3.99.0 "
        "(only up to 3.14): open connections and received bytes are not counted; register your own "
        "sessions with keep=True, because they count as idle"
    ]


PRIVATE = re.compile(
    r"\._(conns|acquired|factory|connector_owner|read_nowait|payload|eof_callbacks|connector)\b"
    r"|aiohttp\.(client_proto|client_reqrep|http_exceptions|helpers)\b"
)


def test_one_file_alone_knows_what_is_not_public():
    """Only one file uses private parts of aiohttp, which the next release may change."""
    modules = sorted((ROOT / "llmkit").rglob("*.py"))
    knowing = {path.name for path in modules if PRIVATE.search(path.read_text("utf-8"))}

    assert knowing == {"aiohttp_internals.py"}


def test_a_missing_part_switches_the_others_off():
    """A connector that lacks a part is treated like that of a newer release."""
    connector = type("Connector", (), {"__module__": "aiohttp.connector", "_conns": {}})()

    assert open_connections(SimpleNamespace(connector=connector)) is None


def test_the_aiohttp_of_today_is_known(caplog):
    """Otherwise the counts of the session table would silently be unknown."""

    async def counted():
        async with aiohttp_transport.open_session() as session:
            return open_connections(session)

    with caplog.at_level(logging.WARNING):
        assert asyncio.run(counted()) == 0
    assert not caplog.records
