"""Measures the first answer of a process, and a session that is opened, used and closed."""

from __future__ import annotations

from ..contest import simulator
from ..measure import Figure, child, median_ratio

ROUNDS = 5
RAW_FIRST = """
import time; began = time.process_time()
import asyncio, json, aiohttp
async def main():
    body = {{"model": "m", "stream": True, "messages": [{{"role": "user", "content": "hi"}}]}}
    async with aiohttp.ClientSession() as session:
        async with session.post("{url}/chat/completions", json=body) as response:
            text = (await response.read()).decode()
    said = [json.loads(line[6:]) for line in text.split("\\n") if line.startswith("data: {{")]
    assert said[0]["choices"][0]["delta"]["content"]
asyncio.run(main())
print(time.process_time() - began)
"""
OUR_FIRST = """
import time; began = time.process_time()
import llmkit
llmkit.add_provider("bench", "{url}")
assert llmkit.ask("hi", "bench:m").text
llmkit.close("all")
print(time.process_time() - began)
"""
RAW_SESSIONS = """
import asyncio, time, aiohttp
async def one():
    async with aiohttp.ClientSession() as session:
        async with session.get("{url}/models") as response:
            assert await response.read()
async def main():
    for _ in range(20): await one()
    began = time.process_time()
    for _ in range(200): await one()
    print(time.process_time() - began)
asyncio.run(main())
"""
OUR_SESSIONS = """
import asyncio, time, llmkit
llmkit.add_provider("bench", "{url}")
async def one():
    async with llmkit.session("bench", persistent=False) as session:
        async with session.get("{url}/models") as response:
            assert await response.read()
async def main():
    for _ in range(20): await one()
    began = time.process_time()
    for _ in range(200): await one()
    print(time.process_time() - began)
asyncio.run(main())
"""


def figures() -> list[Figure]:
    """Returns the ratios of CPU time to raw aiohttp's, each in a separate interpreter."""
    with simulator() as root:
        url = f"{root}/v1"
        first = [_both(OUR_FIRST, RAW_FIRST, url) for _ in range(ROUNDS)]
        sessions = [_both(OUR_SESSIONS, RAW_SESSIONS, url) for _ in range(ROUNDS)]
    return [
        Figure("import and first answer / raw aiohttp, CPU", 1.5, median_ratio(first)),
        Figure("a session opened, used, closed / raw aiohttp, CPU", 1.5, median_ratio(sessions)),
    ]


def _both(ours: str, raw: str, url: str) -> tuple[float, float]:
    return child(ours.format(url=url))[0], child(raw.format(url=url))[0]
