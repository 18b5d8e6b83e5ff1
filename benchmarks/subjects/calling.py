"""What a call and a stream cost beside raw aiohttp."""

from __future__ import annotations

import asyncio
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from pathlib import Path

from ..measure import Figure

ROOT = Path(__file__).parents[2]
ROUNDS, CALLS, STREAMS, CHUNKS = 9, 60, 15, 200


def figures() -> list[Figure]:
    """Ratios of CPU time, the client's process alone."""
    clients = client_ratios()
    return [
        Figure("one call / raw aiohttp, client CPU", 1.3, clients["call"]),
        Figure(f"a {CHUNKS}-chunk stream / raw aiohttp, client CPU", 0.6, clients["stream"]),
    ]


class Aiohttp:
    """The least that a client can do: the session, its own line split, the standard json."""

    async def __aenter__(self) -> Aiohttp:
        import aiohttp

        self.session = aiohttp.ClientSession()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.session.close()

    async def call(self, url: str) -> str:
        return await self.stream(url, 1)

    async def stream(self, url: str, chunks: int = CHUNKS) -> str:
        body = {
            "model": "gpt-6-luna", "stream": True, "max_tokens": chunks,
            "messages": [{"role": "user", "content": "hi"}],
        }  # fmt: skip
        text, tail = [], b""
        async with self.session.post(f"{url}/chat/completions", json=body) as response:
            async for data in response.content.iter_any():
                *lines, tail = (tail + data).split(b"\n")
                for line in lines:
                    if line.startswith(b"data: ") and line != b"data: [DONE]":
                        choices = json.loads(line[6:])["choices"]
                        text += [c["delta"].get("content") or "" for c in choices]
        return "".join(text)


class Llmkit:
    """The public functions, with session tracking and everything else switched on."""

    async def __aenter__(self) -> Llmkit:
        import llmkit

        self.llmkit = llmkit
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.llmkit.aclose("all")

    async def call(self, url: str) -> str:
        answer = await self.llmkit.aask("hi", "bench:gpt-6-luna", max_tokens=1)
        return answer.text

    async def stream(self, url: str) -> str:
        parts = self.llmkit.stream("hi", "bench:gpt-6-luna", max_tokens=CHUNKS)
        async with aclosing(parts):
            text = [getattr(part, "text", "") async for part in parts]
        return "".join(text)


async def cpu_of(action: Callable[[str], Awaitable[str]], url: str, times: int) -> float:
    started = time.process_time()
    for _ in range(times):
        assert await action(url)
    return (time.process_time() - started) / times


async def ratios(url: str) -> dict[str, float]:
    found: dict[str, list[float]] = {"call": [], "stream": []}
    async with Aiohttp() as raw, Llmkit() as ours:
        for action in found:
            for contestant in (raw, ours):
                await cpu_of(getattr(contestant, action), url, 5)
        for _ in range(ROUNDS):
            for action, times in (("call", CALLS), ("stream", STREAMS)):
                theirs = await cpu_of(getattr(raw, action), url, times)
                mine = await cpu_of(getattr(ours, action), url, times)
                found[action].append(mine / theirs)
    return {name: statistics.median(values) for name, values in found.items()}


def client_ratios() -> dict[str, float]:
    import llmkit

    with subprocess.Popen(
        [sys.executable, "-m", "benchmarks.simulator"], cwd=ROOT,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    ) as server:  # fmt: skip
        assert server.stdout is not None
        url = f"http://127.0.0.1:{server.stdout.readline().strip()}/v1"
        llmkit.add_provider("bench", url)
        llmkit.configure(retries=0)
        try:
            return asyncio.run(ratios(url))
        finally:
            assert server.stdin is not None
            server.stdin.close()
