"""Measures llmkit against raw aiohttp in one run, and prints one table of ratios.

CPU seconds of the client's process, interleaved rounds, the median of the ratios within a round:
on a shared machine nothing else can be compared. `--strict` fails where a goal is missed.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from pathlib import Path

HERE = Path(__file__).parent
ROUNDS, CALLS, STREAMS, CHUNKS = 9, 60, 15, 200
IMPORT = "import time; a=time.process_time(); import {what}; print(time.process_time()-a)"
# A bare IPython that has run one cell, then the extension: CPU seconds and modules that it adds.
LOAD = """
import sys, time
from IPython.core.interactiveshell import InteractiveShell
shell = InteractiveShell.instance()
shell.run_cell("import asyncio, json")
before, a = set(sys.modules), time.process_time()
shell.extension_manager.load_extension("llmkit")
print(time.process_time() - a, len(set(sys.modules) - before))
"""


def child(code: str) -> list[float]:
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True,
        env={**os.environ, "IPYTHONDIR": str(HERE / ".." / "build" / "ipython")},
    )  # fmt: skip
    return [float(part) for part in done.stdout.split()]


def import_ratio() -> float:
    ratios = []
    for _ in range(ROUNDS):
        ours, theirs = (child(IMPORT.format(what=w))[0] for w in ("llmkit", "aiohttp"))
        ratios.append(ours / theirs)
    return statistics.median(ratios)


def load_cost() -> tuple[float, float]:
    seconds, modules = zip(*(child(LOAD) for _ in range(5)), strict=True)
    return statistics.median(seconds), statistics.median(modules)


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
        [sys.executable, str(HERE / "simulator.py")],
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


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--strict", action="store_true", help="fail where a goal is missed")
    strict = parser.parse_args().strict
    seconds, modules = load_cost()
    clients = client_ratios()
    rows = [
        ("`import llmkit` / `import aiohttp`, CPU", 0.2, import_ratio(), "x"),
        ("`%load_ext llmkit` in a bare IPython, CPU", 0.15, seconds, " s"),
        ("`%load_ext llmkit` in a bare IPython, modules", 60, modules, ""),
        ("one call / raw aiohttp, client CPU", 1.5, clients["call"], "x"),
        (f"a {CHUNKS}-chunk stream / raw aiohttp, client CPU", 2.0, clients["stream"], "x"),
    ]
    print("| what | goal | measured | verdict |\n|---|---|---|---|")
    for what, goal, measured, unit in rows:
        verdict = "met" if measured <= goal else "missed"
        print(f"| {what} | <= {goal:g}{unit} | {measured:.3g}{unit} | {verdict} |")
    return int(strict and any(measured > goal for _, goal, measured, _ in rows))


if __name__ == "__main__":
    sys.exit(main())
