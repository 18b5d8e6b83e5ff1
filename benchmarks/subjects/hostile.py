"""Measures how long everything that reads text from servers takes for a hostile megabyte."""

from __future__ import annotations

from llmkit.secret import Secret

from ..hostile import GOAL_S, READERS, SIZES, seconds, worst
from ..measure import Figure
from ..texts import KEY


def figures() -> list[Figure]:
    """Returns the CPU seconds of each reader for its slowest text of a million characters."""
    Secret(KEY)
    found = []
    for name, reader in READERS.items():
        seconds(reader, "x" * 100)  # imports
        took, kind = worst(reader, SIZES[-1])
        found.append(Figure(f"1 MB of {kind}: {name}, CPU", GOAL_S, took, " s"))
    return found
