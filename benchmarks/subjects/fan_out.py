"""Measures the delay of a comparison after the first token of the slowest of six providers."""

from __future__ import annotations

import statistics

from ..contest import simulator
from ..measure import Figure, child

SLOWEST_S = 0.2
PROCESSES, WARM = 3, 5
# The delay of each provider before the first token, in milliseconds.
PLACES = {
    "openai": ("first-80/v1", "gpt-6-luna"),
    "anthropic": ("first-110", "claude-haiku-5-5"),
    "google": ("first-140", "gemini-3.8-flash"),
    "mistral": ("first-170", "mistral-small-latest"),
    "openrouter": ("first-190/api/v1", "openai/gpt-6-luna"),
    "ollama": ("first-200", "llama3.2"),
}
# Prints the milliseconds of the first fan-out of a process with loaded modules, then of more.
OURS = """
import asyncio, os, time
for name, (path, model) in {places}.items():
    os.environ["LLMKIT_" + name.upper() + "_BASE_URL"] = "{root}/" + path
for name in ("OPENAI", "ANTHROPIC", "GEMINI", "MISTRAL", "OPENROUTER"):
    os.environ[name + "_API_KEY"] = "sk-bench-0123456789abcdef"
import llmkit
llmkit.configure(retries=0)
models = [name + ":" + model for name, (path, model) in {places}.items()]
async def all_of_them():
    run = await llmkit.acompare("hi", models, max_tokens=20, verbatim=True)
    assert [row.completion.status for row in run] == ["complete"] * 6, run.frame().error
async def main():
    await all_of_them()
    await llmkit.aclose("all")
    for _ in range(1 + {warm}):
        began = time.perf_counter()
        await all_of_them()
        print((time.perf_counter() - began) * 1000)
    await llmkit.aclose("all")
asyncio.run(main())
"""
RAW = """
import asyncio, time, aiohttp
async def one(session, path):
    body = {{"stream": True, "max_tokens": 20, "messages": [{{"role": "user", "content": "hi"}}]}}
    async with session.post("{root}/" + path + "/chat/completions", json=body) as response:
        assert b"[DONE]" in await response.read()
async def main():
    async with aiohttp.ClientSession() as session:
        for _ in range(1 + {warm}):
            began = time.perf_counter()
            paths = [path for path, model in {places}.values()]
            await asyncio.gather(*(one(session, path) for path in paths))
            print((time.perf_counter() - began) * 1000)
asyncio.run(main())
"""


def figures() -> list[Figure]:
    """Returns medians of the wall milliseconds after the slowest first token."""
    with simulator() as root:
        ours, raw = ([_late(code, root) for _ in range(PROCESSES)] for code in (OURS, RAW))
        (cold, warm), (raw_cold, raw_warm) = map(_medians, (ours, raw))
    told = "a prompt to six providers, {}: after the slowest, {}"
    return [
        Figure(told.format("new connections", "llmkit"), 25, cold, " ms"),
        Figure(told.format("new connections", "raw aiohttp"), None, raw_cold, " ms"),
        Figure(told.format("kept connections", "llmkit"), 8, warm, " ms"),
        Figure(told.format("kept connections", "raw aiohttp"), None, raw_warm, " ms"),
    ]


def _late(code: str, root: str) -> list[float]:
    took = child(code.format(root=root, places=repr(PLACES), warm=WARM))
    return [ms - SLOWEST_S * 1000 for ms in took]


def _medians(processes: list[list[float]]) -> tuple[float, float]:
    first = [found[0] for found in processes]
    later = [late for found in processes for late in found[1:]]
    return statistics.median(first), statistics.median(later)
