"""Measures the time to the first chunk."""

from __future__ import annotations

import statistics

from ..contest import Contestant, contestants, simulator
from ..measure import Figure

ROUNDS, WAITS = 9, 20


def figures() -> list[Figure]:
    """Returns the wall milliseconds more than raw aiohttp, of medians compared within a round."""
    with (
        simulator() as root,
        # The first piece is sent alone, so that only it is measured.
        contestants(f"{root}/first-2/gap-3/v1", ["raw-aiohttp", "llmkit"]) as (raw, ours),
    ):
        _first(raw), _first(ours)  # connections, imports
        late = [_first(ours) - _first(raw) for _ in range(ROUNDS)]
    return [
        Figure("time to the first chunk over raw aiohttp's", 0.3, statistics.median(late), " ms")
    ]


def _first(one: Contestant) -> float:
    return one.does(chunks=3, waits=WAITS)["first"] * 1000
