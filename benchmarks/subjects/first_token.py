"""How long one waits for the first word."""

from __future__ import annotations

import statistics

from ..contest import Contestant, contestants, simulator
from ..measure import Figure

ROUNDS, WAITS = 9, 20


def figures() -> list[Figure]:
    """Milliseconds by the clock over raw aiohttp's: medians of waits, compared within a round."""
    with (
        simulator() as root,
        # The first piece comes by itself, so that nothing but it is waited for.
        contestants(f"{root}/first-2/gap-3/v1", ["raw-aiohttp", "llmkit"]) as (raw, ours),
    ):
        _first(raw), _first(ours)  # connections, imports
        late = [_first(ours) - _first(raw) for _ in range(ROUNDS)]
    return [
        Figure("time to the first chunk over raw aiohttp's", 0.3, statistics.median(late), " ms")
    ]


def _first(one: Contestant) -> float:
    return one.does(chunks=3, waits=WAITS)["first"] * 1000
