"""Which notebook cell the running code belongs to, as far as the code itself can tell."""

from __future__ import annotations

from contextvars import ContextVar
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Cell:
    """One run of one cell.

    Attributes:
        id: The front end's id, or a stand-in where it sends none; every run of a cell has the same.
        execution_count: The number in the cell's prompt, None outside a history.
    """

    id: str
    execution_count: int | None = None


# Tasks and callbacks that a cell starts inherit it, however late they run; threads do not.
# A reload of this module must not make a second one.
CURRENT: ContextVar[Cell | None] = globals().get("CURRENT") or ContextVar(
    "llmkit_cell", default=None
)

# The runs that have begun and not ended; more than one only where there are subshells.
RUNNING: set[Cell] = globals().get("RUNNING") or set()


def cell_id() -> str | None:
    """The id of the running cell, None outside of one."""
    cell = CURRENT.get()
    return cell.id if cell else None
