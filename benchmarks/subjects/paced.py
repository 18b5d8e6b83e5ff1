"""Measures the cost of a chunk that is sent alone."""

from __future__ import annotations

import statistics
from collections.abc import Mapping

from ..contest import contestants, simulator
from ..measure import Figure

GOAL = 1.0
ROUNDS = 5
# By figure: the milliseconds between two chunks, and the requests of a round.
PACES: Mapping[str, tuple[int, Mapping[str, int]]] = {
    "a chunk at 500/s": (2, {"chunks": 150, "times": 1}),
    "a chunk at 1,000/s": (1, {"chunks": 300, "times": 1}),
    "six streams at 100/s": (10, {"chunks": 60, "times": 6, "at_once": 6}),
}


def figures() -> list[Figure]:
    """Returns the ratios of the client's CPU time to raw aiohttp's, within a round."""
    with simulator() as root:
        return [_of(what, gap_ms, command, root) for what, (gap_ms, command) in PACES.items()]


def _of(what: str, gap_ms: int, command: Mapping[str, int], root: str) -> Figure:
    with contestants(f"{root}/gap-{gap_ms}/v1", ["raw-aiohttp", "llmkit"]) as crew:
        for one in crew:
            one.does(**{**command, "chunks": 2})  # connections, imports
        ratios = []
        for _ in range(ROUNDS):
            took = [one.does(**command) for one in crew]
            assert not any(each["failed"] for each in took)
            raw, ours = (each["cpu"] for each in took)
            ratios.append(ours / raw)
    told = f"{what}, client CPU: llmkit / raw aiohttp"
    return Figure(told, GOAL, statistics.median(ratios))
