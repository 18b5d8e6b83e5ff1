"""Measures the time and the memory of many concurrent calls."""

from __future__ import annotations

import statistics

from ..contest import Contestant, contestants, simulator
from ..measure import Figure

ROUNDS = 3
FIRST_S = 0.2
# Concurrent calls, and the allowed ratio of their time to that of one call.
CALLS = {100: 1.35, 1000: 3.2}


def figures() -> list[Figure]:
    """Returns the ratios of wall time to the ideal of 200 ms, and of memory to raw aiohttp's."""
    with (
        simulator() as root,
        contestants(f"{root}/first-200/v1", ["raw-aiohttp", "llmkit"]) as crew,
    ):
        return [figure for count, goal in CALLS.items() for figure in _at(count, goal, crew)]


def _at(count: int, goal: float, crew: list[Contestant]) -> list[Figure]:
    raw, ours = crew
    command = {"chunks": 1, "times": count, "at_once": count}
    both = [(raw.does(**command), ours.does(**command)) for _ in range(ROUNDS)]
    told = "{:,} calls at once that take 200 ms each: {}".format
    least = [statistics.median(r[place]["wall"] for r in both) / FIRST_S for place in (0, 1)]
    return [
        Figure(told(count, "wall / ideal, raw aiohttp"), None, least[0]),
        Figure(told(count, "wall / ideal, llmkit"), goal, least[1]),
        Figure(told(count, "failed"), 0, sum(r[1]["failed"] for r in both), ""),
        Figure(told(count, "peak memory, llmkit / raw aiohttp"), 1.5,
               both[-1][1]["mb"] / both[-1][0]["mb"]),
    ]  # fmt: skip
