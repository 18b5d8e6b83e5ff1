"""What is said of a whole run: what made it, and what a reader must know."""

from __future__ import annotations

import platform
from collections.abc import Sequence
from datetime import datetime

from .. import _version
from ..catalogue import loader as catalogue_data
from .plan import Lane
from .result import Comparison
from .runner import Race


def comparison_of(race: Race, started: datetime, lanes: Sequence[Lane]) -> Comparison:
    """What *race* found, with what made it and what must be known to read it."""
    parameters: dict[str, list[object]] = {}
    for lane in lanes:
        for name, value in lane.spot.parameters.items():
            values = parameters.setdefault(name, [])
            if value not in values:
                values.append(value)
    about = {
        "run_id": race.run_id,
        "llmkit": _version.__version__,
        "python": platform.python_version(),
        "catalogue": catalogue_data.as_of(),
        "started_at": started.isoformat(timespec="seconds"),
        "models": sorted({lane.spot.asked for lane in lanes}),
        "parameters": parameters,
    }
    return Comparison([race.rows[i] for i in sorted(race.rows)], about, notes(lanes))


def notes(lanes: Sequence[Lane]) -> tuple[str, ...]:
    """What must be known before the answers of *lanes* are compared."""
    local = [lane for lane in lanes if lane.call and lane.call.provider.name == "local"]
    scripted = [lane for lane in lanes if lane.call and lane.call.provider.name == "scripted"]
    found = []
    if len(local) > 1:
        found.append(
            "The answers of the local model were made on one machine, one after another: "
            "their times include waiting for each other."
        )
    if scripted:
        found.append("Answers marked [scripted] come from a script, not from a model.")
    return tuple(found)
