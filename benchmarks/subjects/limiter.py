"""Measures how fast calls pass a server's rate limit, and how much of a cost limit is used."""

from __future__ import annotations

import asyncio
import random
import subprocess
import sys
import time

from llmkit.comparison.arguments import comparison_arguments
from llmkit.comparison.budget import Budget, HighestCost
from llmkit.errors import SpendLimitError
from llmkit.kit import Kit
from llmkit.types import Completion, Status
from tests.fakes.limited import SERVERS, TokenBucket, calls, run

from ..contest import ROOT
from ..measure import Figure

GOAL = 1.3
# Requests per second and bucket of the server, concurrent rows, rows.
LOOPBACK = [(5, 1, 8, 100), (10, 10, 8, 100), (50, 10, 16, 300), (50, 10, 64, 300)]
FORMS = {"none": "no wait named", "exact": "exact waits", "whole": "whole seconds"}


def figures() -> list[Figure]:
    """Returns the figures in virtual time, over loopback, and of the budget."""
    virtual = [figure for limit in SERVERS for figure in in_virtual_time(*limit)]
    loopback = [f for form in FORMS for limit in LOOPBACK for f in over_loopback(*limit, form)]
    return [*virtual, *loopback, *(f for lanes in (8, 64, 500) for f in budget(lanes))]


def in_virtual_time(
    rate: float, size: int, latency: float, at_once: int, count: int
) -> list[Figure]:
    """Returns the time of calls as a ratio to the shortest, and the share of refusals."""
    found = []
    for form in (None, "exact"):
        bucket = TokenBucket(rate, size)
        sent = run(calls(bucket, count=count, at_once=at_once, latency=latency, form=form))
        what = f"virtual, {rate:g}/s, bucket {size}, {at_once} at once, {FORMS[form or 'none']}"
        share = sent.refused_later / count
        found += [
            Figure(f"{what}: time / ideal", GOAL, sent.seconds / ((count - size) / rate)),
            Figure(f"{what}: lost", 0, count - len(sent.accepted), ""),
            Figure(f"{what}: refused after a second / calls", 0.25 if rate >= 5 else 1.0, share),
        ]
    return found


def over_loopback(rate: float, size: int, at_once: int, rows: int, form: str) -> list[Figure]:
    """Returns the time of a comparison as a ratio to the shortest, and the lost rows."""
    command = [sys.executable, "-m", "benchmarks.limited", f"{rate:g}", str(size), form]
    with subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as server:
        assert server.stdin is not None
        assert server.stdout is not None
        url = f"http://127.0.0.1:{server.stdout.readline().strip()}/v1"
        kit = Kit(
            environ={"OPENAI_API_KEY": "sk-bench-0123456789abcdef", "OPENAI_BASE_URL": url},
            notify=lambda text: None, progress_after_s=1e6,
        )  # fmt: skip
        prompts = [f"question {n}" for n in range(rows)]
        arguments = comparison_arguments(prompts, "openai:gpt-6-luna")

        async def compared() -> tuple[float, int]:
            start = time.monotonic()
            found = await kit.compare(arguments.requests, arguments.options, max_calls=rows,
                                      limit=at_once)  # fmt: skip
            took = time.monotonic() - start
            await kit.manager.aclose("all")
            return took, sum(not row.completion.status.is_ok for row in found)

        took, lost = asyncio.run(compared())
        kit.close()
        server.stdin.close()
    what = f"loopback, {rate:g}/s, bucket {size}, {at_once} at once, {FORMS[form]}"
    return [
        Figure(f"{what}: time / ideal", GOAL, took / ((rows - size) / rate)),
        Figure(f"{what}: lost", 0, lost, ""),
    ]


def budget(at_once: int) -> list[Figure]:
    """Returns what is spent of $10 by answers of $0.001 to $0.016, on average $0.004."""
    dice, lanes = random.Random(4), asyncio.Semaphore(at_once)
    limit = Budget(10.0, lambda call: HighestCost(0.016))

    async def row() -> None:
        account = limit.account()
        async with lanes:
            try:
                await account.reserve(None)  # type: ignore[arg-type]  # every call may cost as much
            except SpendLimitError:
                return
            await asyncio.sleep(dice.random())
            cost = 0.001 + 0.015 * dice.random() ** 4
            account.close(Completion(status=Status.COMPLETE, cost_usd=cost))

    async def rows() -> None:
        await asyncio.gather(*(row() for _ in range(4000)))

    run(rows())
    what = f"$10 for answers of $0.001 to $0.016, {at_once} at once"
    return [
        Figure(f"{what}: not spent", 0.2, 10 - limit.spent, " $"),
        Figure(f"{what}: overspent", 0, max(0.0, limit.spent - 10), " $"),
    ]
