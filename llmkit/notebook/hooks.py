"""Tells the rest which cell begins, which one runs, and which ones were deleted."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Collection, Mapping
from typing import Any

from ..cell import CURRENT, RUNNING, Cell, InterruptGuard


class CellHooks:
    """Two callbacks of IPython's, registered once for a shell.

    A cell is known by the front end's id, so that its next run finds what its last one opened.
    JupyterLab, Notebook 7 and VS Code send one; nbclient and a terminal do not, and there the
    source stands in for it: the same text is the same cell.
    """

    def __init__(
        self,
        shell: Any,
        *,
        started: Callable[[Cell], None],
        deleted: Callable[[Collection[str]], None],
    ) -> None:
        self._shell = shell
        self._start_callback = started
        self._deletion_callback = deleted
        self._here = _Here()

    def register(self) -> None:
        """Begins to listen, in the place of any earlier pair, also one of a reloaded module."""
        unregister(self._shell)
        self._shell.events.register("pre_run_cell", self.before)
        self._shell.events.register("post_run_cell", self.after)

    def before(self, info: Any) -> None:
        """A cell's code is about to run."""
        # %%capture and run_cell() fire both events inside the cell that called them, which is on
        # the same thread; a subshell's cell is on a thread of its own, and may run at any time.
        if self._here.cell is not None and info.cell_id is None and not info.store_history:
            self._here.depth += 1
            return
        self._end()  # should an earlier one have ended without a word
        # Not shell.execution_count: newer IPythons have counted on already, older ones have not.
        number = self._shell.displayhook.prompt_count
        cell_id = info.cell_id
        if not cell_id:
            digest = hashlib.sha256((info.raw_cell or "").encode("utf-8", "replace")).hexdigest()
            cell_id = f"source:{digest[:16]}"
        cell = Cell(cell_id, number)
        self._here.cell = cell
        RUNNING.add(cell)
        CURRENT.set(cell)
        # JupyterLab names deleted cells with the next one that runs; ipykernel 6 has them only in
        # the message that runs it.
        meta = getattr(info, "cell_meta", None)
        if not meta:
            parent: Mapping[str, Any] = getattr(self._shell, "get_parent", dict)() or {}
            meta = parent.get("metadata") or {}
        deleted_ids = tuple(map(str, meta.get("deletedCells") or ()))
        if deleted_ids:
            self._deletion_callback(deleted_ids)
        self._start_callback(cell)

    def after(self, result: Any) -> None:
        """A cell's code has run."""
        source = getattr(getattr(result, "info", None), "raw_cell", None)
        if source is not None and not source.strip():
            return  # for an empty cell nobody has called `before`
        if self._here.depth:
            self._here.depth -= 1
            return
        # Not reset(token): after an async cell this runs in another context than `before`.
        CURRENT.set(None)
        self._end()
        if hasattr(self._shell, "kernel") and threading.current_thread() is threading.main_thread():
            # The guard of an interrupted call ignores further interrupts, until the kernel has sent
            # the reply and removes the guard.
            InterruptGuard.last_press_at = float("inf")

    def _end(self) -> None:
        cell = self._here.cell
        self._here.cell, self._here.depth = None, 0
        if cell is not None:
            RUNNING.discard(cell)


class _Here(threading.local):
    """What runs on this thread: a cell of the front end, and how many are nested in it."""

    cell: Cell | None = None
    depth: int = 0


def unregister(shell: Any) -> None:
    """Stops every hook of ours on *shell*."""
    for event in ("pre_run_cell", "post_run_cell"):
        for callback in list(shell.events.callbacks[event]):
            # By name: after a reload the old hooks are of another class that looks the same.
            owner = type(getattr(callback, "__self__", None))
            if (owner.__module__, owner.__name__) == (__name__, CellHooks.__name__):
                shell.events.unregister(event, callback)
