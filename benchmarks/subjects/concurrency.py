"""Many calls at once, the first token, and the memory that they take."""

from __future__ import annotations

import statistics

from ..contest import Contestant, contestants, simulator
from ..measure import Figure

ROUNDS = 3
FIRST_S = 0.2
# Calls at once, and how much longer than one call all of them may take.
CALLS = {100: 1.35, 1000: 3.2}


def figures() -> list[Figure]:
    """Wall time to the ideal of 200 ms, memory to raw aiohttp's, and milliseconds of one call."""
    with simulator() as root:
        names = ["raw-aiohttp", "llmkit"]
        with contestants(f"{root}/first-200/v1", names) as crew:
            found = [figure for count, goal in CALLS.items() for figure in _at(count, goal, crew)]
        with contestants(f"{root}/v1", names) as crew:
            found.append(_first_token(crew))
    return found


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


def _first_token(crew: list[Contestant]) -> Figure:
    raw, ours = crew
    command = {"chunks": 1, "times": 30}
    for one in crew:
        one.does(**command)
    late = [(ours.does(**command)["wall"] - raw.does(**command)["wall"]) / 30 for _ in range(7)]
    return Figure("a call's time over raw aiohttp's", 0.3, statistics.median(late) * 1000, " ms")
