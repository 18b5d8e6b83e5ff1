"""Tracks which comparisons are already displayed in the output of their cell."""

from __future__ import annotations

from typing import Any

from ...cell import CURRENT, Cell


class DisplayedRuns:
    """The runs whose view is in the output of the cell that runs now."""

    def __init__(self) -> None:
        self._runs: dict[str, Cell | None] = {}

    def add(self, run_id: str, cell: Cell | None) -> None:
        """Records that the view of a run is in the output of *cell*."""
        self._runs[run_id] = cell

    def begin(self) -> None:
        """Forgets all runs, because another cell starts."""
        self._runs.clear()

    def instead_of(self, comparison: Any) -> None:
        """Displays nothing for a comparison whose view is above in the same cell.

        Raises:
            NotImplementedError: Makes IPython display any other comparison as usual.
        """
        run_id, here = comparison.about.get("run_id"), CURRENT.get()
        if run_id in self._runs and self._runs.pop(run_id) == here and here is not None:
            return
        raise NotImplementedError
