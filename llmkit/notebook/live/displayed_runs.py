"""Which comparisons stand already where they were run."""

from __future__ import annotations

from typing import Any

from ...cell import CURRENT, Cell


class DisplayedRuns:
    """Which runs stand already in the cell that ran them, so that their result need not again."""

    def __init__(self) -> None:
        self._runs: dict[str, Cell | None] = {}

    def add(self, run_id: str, cell: Cell | None) -> None:
        """The run's view has been left in *cell*."""
        self._runs[run_id] = cell

    def begin(self) -> None:
        """Another cell begins: whatever is shown there is shown for its own sake."""
        self._runs.clear()

    def instead_of(self, comparison: Any) -> None:
        """Shows nothing for a comparison that stands above; else leaves it to its own displays.

        Raises:
            NotImplementedError: IPython's word for "show it as usual".
        """
        run_id, here = comparison.about.get("run_id"), CURRENT.get()
        if run_id in self._runs and self._runs.pop(run_id) == here and here is not None:
            return
        raise NotImplementedError
