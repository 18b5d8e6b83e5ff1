"""Tracks which comparisons and answers are already displayed in the output of their cell."""

from __future__ import annotations

from typing import Any

from ...cell import CURRENT, Cell


class DisplayedRuns:
    """The runs and the answers whose view is in the output of the cell that runs now."""

    def __init__(self) -> None:
        self._shown: list[tuple[object, Cell | None]] = []

    def add(self, shown: object, cell: Cell | None) -> None:
        """Records that a view is in the output of *cell*.

        Args:
            shown: The id of a run, or an answer.
        """
        self._shown.append((shown, cell))

    def begin(self) -> None:
        """Forgets all of them, because another cell starts."""
        self._shown.clear()

    def instead_of(self, result: Any) -> None:
        """Displays nothing for a result whose view is above in the same cell.

        Raises:
            NotImplementedError: Makes IPython display any other result as usual.
        """
        here = CURRENT.get()
        about = getattr(result, "about", None)
        for n, (shown, cell) in enumerate(self._shown):
            if shown is result or (about is not None and shown == about.get("run_id")):
                del self._shown[n]
                if cell == here and here is not None:
                    return
                break
        raise NotImplementedError
