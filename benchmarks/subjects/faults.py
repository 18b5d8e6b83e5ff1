"""Measures the costs of faults: additional requests, memory, a blocked event loop, and leaks."""

from __future__ import annotations

import asyncio
import gc
import os
import resource
import signal
import threading
import time
import zlib
from collections.abc import Awaitable, Callable

from llmkit.cell import NEVER, InterruptGuard
from llmkit.chat.arguments import chat_arguments
from llmkit.errors import CallError
from llmkit.kit import Kit
from llmkit.retries.rate_limit import RateLimiters
from tests.fakes.reply import Reply
from tests.fakes.server import FakeProviders

from ..measure import Figure, child

EVENTS = {"content-type": "text/event-stream"}
MIB = 2**20
PIECE = 2**18
BOMB = 256 * MIB  # decompressed size of a small body, in bytes
INTERRUPTS = 50


def figures() -> list[Figure]:
    """Returns every figure, each against a separate server."""
    return [*limiter(), *failing(), *bombs(), *interrupts()]


def kit_for(server: FakeProviders, **more: object) -> Kit:
    environ = {"OPENAI_API_KEY": server.key, "OPENAI_BASE_URL": server.base_url("openai")}
    return Kit(environ=environ, notify=lambda said: None, **more)  # type: ignore[arg-type]


async def answered(kit: Kit) -> bool:
    """Returns True if one call got an answer."""
    try:
        await kit.answer(*chat_arguments("hi", "openai:gpt-6-luna"))
    except CallError:
        return False
    return True


def limiter() -> list[Figure]:
    """Runs 50 concurrent calls against a limit of ten a second."""
    with FakeProviders() as server:
        server.limit("openai", 10)
        kit = kit_for(server)

        async def calls() -> tuple[float, int]:
            begun = time.monotonic()
            good = await asyncio.gather(*(answered(kit) for _ in range(50)))
            took = time.monotonic() - begun
            await kit.manager.aclose("all")
            return took, good.count(False)

        took, failed = asyncio.run(calls())
        kit.close()
    return [
        Figure("50 calls, 10 a second allowed: requests", 60, len(server.asked["openai"]), ""),
        Figure("50 calls, 10 a second allowed: time", 8.0, took, " s"),
        Figure("50 calls, 10 a second allowed: failed", 0, failed, ""),
    ]


def failing() -> list[Figure]:
    """Runs 200 calls, without waits, against a server that always fails."""
    found = []
    for status in (429, 503):
        with FakeProviders() as server:
            server.always("openai", Reply(status, (b"no",)))
            skipped = 0.0

            async def skip(seconds: float) -> None:
                nonlocal skipped
                skipped += seconds
                await asyncio.sleep(0)

            rate_limiters = RateLimiters(clock=lambda: time.monotonic() + skipped, sleep=skip)  # noqa: B023
            kit = kit_for(server, rate_limiters=rate_limiters)

            async def calls() -> None:
                await asyncio.gather(*(answered(kit) for _ in range(200)))  # noqa: B023
                await kit.manager.aclose("all")  # noqa: B023

            asyncio.run(calls())
            kit.close()
        what = f"200 calls to a server that always says {status}: requests"
        found.append(Figure(what, 240, len(server.asked["openai"]), ""))
    return found


def bombs() -> list[Figure]:
    """Reads a decompression bomb, and endless bodies, each in a fresh process."""
    found = []
    for name in SHAPES:
        code = f"from benchmarks.subjects import faults; print(*faults.burden({name!r}))"
        memory, stall = child(code)
        found += [
            Figure(f"{name}: memory", 64, memory / MIB, " MiB"),
            Figure(f"{name}: longest work between two turns of the loop, CPU", 0.1, stall, " s"),
        ]
    return found


def burden(name: str) -> tuple[float, float]:
    """Returns the additional peak bytes and the longest turn in seconds of a call to that shape."""
    with FakeProviders() as server:
        kit = kit_for(server)
        found = asyncio.run(_burden(kit, server, SHAPES[name]()))
        kit.close()
    return found


SHAPES: dict[str, Callable[[], Reply]] = {
    "a packed bomb": lambda: Reply(
        pieces=(_packed(),), headers={**EVENTS, "content-encoding": "gzip"}
    ),
    "an endless line": lambda: endless(
        "text/event-stream", b'data: {"choices":[{"delta":{"content":"', b"x" * PIECE
    ),
    "an endless document": lambda: endless(
        "application/json", b'{"choices":[{"message":{"content":"', b"x" * PIECE
    ),
    "an endless page": lambda: endless("text/html", b"<html>", b"<p>x</p>" * (PIECE // 8)),
}


def endless(kind: str, start: bytes, more: bytes) -> Reply:
    """Sends an endless body."""
    return Reply(pieces=(start,), headers={"content-type": kind}, ending="drip", drip=more)


async def _burden(kit: Kit, server: FakeProviders, reply: Reply) -> tuple[float, float]:
    await answered(kit)
    gc.collect()
    _forget_peak()
    before = _peak()
    server.answer("openai", reply)
    stall = await longest_turn(lambda: answered(kit))
    after = _peak()
    await kit.manager.aclose("all")
    return max(after - before, 0), stall


async def longest_turn(action: Callable[[], Awaitable[object]]) -> float:
    """Returns the longest CPU seconds of a turn of the event loop during *action*."""
    longest, before = 0.0, time.thread_time()
    task = asyncio.ensure_future(action())
    while not task.done():
        await asyncio.sleep(0)
        now = time.thread_time()
        longest, before = max(longest, now - before), now
    return longest


def interrupts() -> list[Figure]:
    """Interrupts 50 waiting calls."""
    with FakeProviders() as server:
        silent = Reply(headers=EVENTS, ending="silence")
        kit = kit_for(server)
        kit.manager.run(answered(kit))
        server.reset()
        server.always("openai", silent)
        before = _descriptors()
        for number in range(INTERRUPTS):
            _interrupted(kit, server, number)
        gone = [asked.ended.wait(10) for asked in server.asked["openai"]]
        connections = server.open_connections
        # The server's thread closes its sockets a moment after it notices the disconnect.
        until = time.monotonic() + 10
        while _descriptors() > before and time.monotonic() < until:
            time.sleep(0.01)
        left = _descriptors() - before
        # The server has one task for each connection.
        tasks = sum(isinstance(o, asyncio.Task) and not o.done() for o in gc.get_objects())
        kit.close()
    return [
        Figure(f"{INTERRUPTS} interrupts: requests that the server saw end", None, sum(gone), ""),
        Figure(f"{INTERRUPTS} interrupts: tasks left", 0, max(tasks - connections, 0), ""),
        Figure(f"{INTERRUPTS} interrupts: descriptors left", 0, max(left, 0), ""),
        Figure(f"{INTERRUPTS} interrupts: connections left", 0, max(connections - 1, 0), ""),
    ]


def _interrupted(kit: Kit, server: FakeProviders, number: int) -> None:
    InterruptGuard.last_press_at = NEVER  # as between two cells; a double press would count once

    def press() -> None:
        while len(server.asked["openai"]) <= number:
            time.sleep(0.002)
        time.sleep(0.01)
        os.kill(os.getpid(), signal.SIGINT)

    thread = threading.Thread(target=press)
    thread.start()
    try:
        kit.manager.run(answered(kit))
    except KeyboardInterrupt:
        pass
    thread.join()


def _packed() -> bytes:
    packer = zlib.compressobj(9, wbits=31)
    zeros = b": " + b"\0" * (MIB - 2)
    return b"".join(packer.compress(zeros) for _ in range(BOMB // MIB)) + packer.flush()


def _descriptors() -> int:
    return len(os.listdir("/proc/self/fd")) if os.path.isdir("/proc/self/fd") else 0


def _forget_peak() -> None:
    try:
        with open("/proc/self/clear_refs", "w") as knob:
            knob.write("5")  # resets the peak of the resident memory
    except OSError:
        pass


def _peak() -> int:
    try:
        with open("/proc/self/status") as status:
            line = next(line for line in status if line.startswith("VmHWM"))
        return int(line.split()[1]) * 1024
    except (OSError, StopIteration):
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
