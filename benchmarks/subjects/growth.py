"""Measures the growth of cost and memory with rows, sessions and re-runs: at most linear."""

from __future__ import annotations

import asyncio
import gc
import time
import tracemalloc
from collections.abc import Callable
from types import TracebackType

from llmkit.cell import Cell
from llmkit.comparison.arguments import comparison_arguments
from llmkit.kit import Kit
from llmkit.runtime.session_registry import SessionRegistry
from llmkit.transport.timeouts import Timeouts
from llmkit.wire.messages import HttpRequest

from ..measure import Figure
from ..simulator import openai

KIND, PIECES = openai(["a word "] * 20)
BODY = "".join(PIECES).encode()
TEXT = 20 * len("a word ")
# A small run has a fixed cost, so the ratio is not 1 even if the growth is linear.
LINEAR = 1.3


def figures() -> list[Figure]:
    """Returns the ratios of the unit cost at a larger to that at a smaller size, and bytes."""
    return [
        Figure("a row of 10,000 rows / a row of 1,000, CPU", LINEAR, _grows(_rows, 1000, 10_000)),
        Figure("a session of 1,000 open / a session of 100, CPU", LINEAR, _grows(_open, 100, 1000)),
        Figure("the 1,000th re-run / the 100th, CPU", LINEAR, _grows(_reruns, 100, 1000)),
        Figure("memory of a finished row beside its text", 2000, _bytes_a_row(2000), " B"),
    ]


def _grows(work: Callable[[int], object], small: int, large: int) -> float:
    work(small)
    return min(_cpu(work, large) for _ in range(2)) / min(_cpu(work, small) for _ in range(5))


def _cpu(work: Callable[[int], object], size: int) -> float:
    gc.collect()
    began = time.process_time()
    work(size)
    return (time.process_time() - began) / size


class Answer:
    """A response with the same stream for every request, without a socket."""

    status = 200
    headers = {"content-type": KIND}  # noqa: RUF012  # read only

    def __init__(self) -> None:
        self._reads = [BODY]

    async def __aenter__(self) -> Answer:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        return

    async def read(self) -> bytes:
        await asyncio.sleep(0)
        return self._reads.pop() if self._reads else b""

    def content_received(self) -> None:
        return

    def finish_within(self, within_s: float) -> None:
        return


class Same:
    """A transport without a network, which always returns that response."""

    def send(self, request: HttpRequest, timeouts: Timeouts) -> Answer:
        return Answer()


def _kit() -> Kit:
    return Kit(
        environ={}, transports={"bench": Same()}, retries=0, progress_after_s=3600.0,
        providers={"bench": {"base_url": "http://127.0.0.1:1/v1"}},
    )  # fmt: skip


def _rows(count: int) -> object:
    kit = _kit()
    prompts = [f"question {n}" for n in range(count)]
    asked = comparison_arguments(prompts, "bench:gpt-6-luna", max_calls=count)
    return asyncio.run(kit.compare(asked.requests, asked.options, **asked.limits))


def _bytes_a_row(count: int) -> float:
    _rows(10)
    gc.collect()
    tracemalloc.start()
    found = _rows(count)
    gc.collect()
    size = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    assert found
    return size / count - TEXT


def _open(count: int) -> None:
    registry = SessionRegistry()
    for _ in range(count):
        registry.add(object(), provider="bench", kind="registered")
    for session in registry.find("all"):
        registry.closed(session, "user")


def _reruns(count: int) -> None:
    registry, cell = SessionRegistry(), Cell("cell", 1)
    for _ in range(count):
        for stale in registry.cell_started(cell):
            registry.closed(stale, "user")
        for _ in range(3):
            registry.add(object(), provider="bench", kind="temporary", cell=cell)
