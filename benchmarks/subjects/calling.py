"""Measures calls and streams against raw aiohttp and other libraries."""

from __future__ import annotations

import statistics
from collections.abc import Mapping

from ..contest import Contestant, contestants, simulator
from ..contestants import CONTESTANTS
from ..measure import Figure

ROUNDS = 5
# The request, its count in a round, and the goal of each contestant.
WORK: Mapping[str, tuple[dict[str, int], Mapping[str, float]]] = {
    "one call": ({"chunks": 1, "times": 40}, {"llmkit": 1.5}),
    "a stream of 200 chunks in one write": ({"chunks": 200, "times": 8}, {"llmkit": 1.0}),
    "a stream of 2,000 chunks in one write": ({"chunks": 2000, "times": 2}, {"llmkit": 1.0}),
    "a prompt of 1 MB": ({"chunks": 1, "times": 3, "prompt": 1_000_000}, {"llmkit": 1.1}),
    "an answer of 1 MB in one piece": ({"chunks": 1_000_000, "times": 5}, {"llmkit": 0.9}),
    "a stream of 1 MB in 2,499 chunks": ({"chunks": 999_999, "times": 2}, {"llmkit": 1.0}),
    "100 calls at once": ({"chunks": 1, "times": 100, "at_once": 100}, {}),
}  # fmt: skip


def figures() -> list[Figure]:
    """Returns the ratios of the client's CPU time to raw aiohttp's, within a round."""
    with simulator() as root, contestants(f"{root}/v1", list(CONTESTANTS)) as crew:
        found = [
            figure
            for what, (command, goals) in WORK.items()
            for figure in _ratios(what, crew, command, goals)
        ]
    return found


def _ratios(
    what: str, crew: list[Contestant], command: dict[str, int], goals: Mapping[str, float]
) -> list[Figure]:
    raw, *others = crew
    ratios: dict[str, list[float]] = {one.name: [] for one in others}
    for one in crew:
        one.does(**{**command, "times": command.get("at_once", 1)})  # connections, imports
    for turn in range(ROUNDS):
        for one in others:
            if not one.name.startswith("llmkit") and turn > 1:
                continue  # slow and far from the goal: two rounds suffice
            base = raw.does(**command)["cpu"]
            took = one.does(**command)
            if not took["failed"]:
                ratios[one.name].append(took["cpu"] / base)
    return [
        Figure(
            f"{what}, client CPU: {name} / raw aiohttp",
            goals.get(name),
            statistics.median(measured),
        )
        for name, measured in ratios.items()
        if measured
    ]
