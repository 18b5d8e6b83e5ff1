"""What a chunk costs that comes by itself, read at once and read once a frame."""

from __future__ import annotations

import statistics
from collections.abc import Mapping
from typing import NamedTuple

from ..contest import Contestant, contestants, simulator
from ..measure import Figure

FRAME_S = "0.033"  # thirty pictures a second


class Pace(NamedTuple):
    """Streams of one chunk each *gap_ms*, and the goal with frames."""

    gap_ms: int
    command: Mapping[str, int]
    rounds: int
    goal: float


PACES = {
    "a chunk at 500/s": Pace(2, {"chunks": 150, "times": 1}, 5, 0.4),
    "a chunk at 1,000/s": Pace(1, {"chunks": 300, "times": 1}, 5, 0.25),
    "six streams at 100/s": Pace(10, {"chunks": 60, "times": 6, "at_once": 6}, 5, 0.85),
}


def figures() -> list[Figure]:
    """Ratios of the CPU time of the client's process to raw aiohttp's, within a round."""
    with simulator() as root:
        return [figure for what, pace in PACES.items() for figure in _of(what, pace, root)]


def _of(what: str, pace: Pace, root: str) -> list[Figure]:
    url = f"{root}/gap-{pace.gap_ms}/v1"
    with (
        contestants(url, ["raw-aiohttp", "llmkit"]) as (raw, plain),
        contestants(url, ["llmkit"], LLMKIT_FRAME_S=FRAME_S) as (framed,),
    ):
        crew = (raw, plain, framed)
        for one in crew:
            one.does(**{**pace.command, "chunks": 2})  # connections, imports
        rounds = [[_cpu(one, pace.command) for one in crew] for _ in range(pace.rounds)]
    told = "{}, client CPU: llmkit {} / raw aiohttp"
    return [
        Figure(told.format(what, "with frames of 33 ms"), pace.goal, _median(rounds, 2)),
        Figure(told.format(what, "at once"), None, _median(rounds, 1)),
    ]


def _cpu(one: Contestant, command: Mapping[str, int]) -> float:
    took = one.does(**command)
    assert not took["failed"]
    return took["cpu"]


def _median(rounds: list[list[float]], place: int) -> float:
    return statistics.median(found[place] / found[0] for found in rounds)
