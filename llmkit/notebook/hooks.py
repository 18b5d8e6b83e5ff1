"""Tracks which cell starts, which cells run, and which were deleted, by hooks of IPython."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Collection, Mapping
from typing import Any

from ..cell import CURRENT, RUNNING, Cell, InterruptGuard


class CellHooks:
    """Two IPython callbacks, registered once for a shell.

    A cell is identified by the front end's id, so that its next run finds what its last run opened.
    JupyterLab, Notebook 7 and VS Code send an id. nbclient and a terminal do not, so the source
    identifies the cell there: equal text is the same cell.
    """

    def __init__(
        self,
        shell: Any,
        *,
        started: Callable[[Cell], None],
        ended: Callable[[Cell], None],
        deleted: Callable[[Collection[str]], None],
    ) -> None:
        self._shell = shell
        self._start_callback = started
        self._end_callback = ended
        self._deletion_callback = deleted
        self._here = _Here()

    def register(self) -> None:
        """Registers the callbacks, and removes earlier ones, even of a reloaded module."""
        unregister(self._shell)
        self._shell.events.register("pre_run_cell", self.before)
        self._shell.events.register("post_run_cell", self.after)

    def before(self, info: Any) -> None:
        """Runs before the code of a cell."""
        # %%capture and run_cell() fire both events inside the calling cell, on its thread. The cell
        # of a subshell has its own thread, and may run at any time.
        if self._here.cell is not None and info.cell_id is None and not info.store_history:
            self._here.depth += 1
            return
        self._end()  # an earlier cell may have ended without the event
        # Not shell.execution_count, which only newer IPython has incremented by now.
        number = self._shell.displayhook.prompt_count
        cell_id = info.cell_id
        if not cell_id:
            digest = hashlib.sha256((info.raw_cell or "").encode("utf-8", "replace")).hexdigest()
            cell_id = f"source:{digest[:16]}"
        cell = Cell(cell_id, number)
        self._here.cell = cell
        RUNNING.add(cell)
        CURRENT.set(cell)
        # JupyterLab sends the ids of deleted cells with the next cell that runs. ipykernel 6 has
        # them only in the execute request.
        meta = getattr(info, "cell_meta", None)
        if not meta:
            parent: Mapping[str, Any] = getattr(self._shell, "get_parent", dict)() or {}
            meta = parent.get("metadata") or {}
        deleted_ids = tuple(map(str, meta.get("deletedCells") or ()))
        if deleted_ids:
            self._deletion_callback(deleted_ids)
        self._start_callback(cell)

    def after(self, result: Any) -> None:
        """Runs after the code of a cell."""
        source = getattr(getattr(result, "info", None), "raw_cell", None)
        if source is not None and not source.strip():
            return  # IPython does not call `before` for an empty cell
        if self._here.depth:
            self._here.depth -= 1
            return
        cell = self._here.cell
        try:
            if cell is not None:
                self._end_callback(cell)
        finally:
            # Not reset(token): after an async cell the context differs from that of `before`.
            CURRENT.set(None)
            self._end()
        if hasattr(self._shell, "kernel") and threading.current_thread() is threading.main_thread():
            # The guard of an interrupted call ignores further interrupts until the kernel has sent
            # the reply and removes it.
            InterruptGuard.last_press_at = float("inf")

    def _end(self) -> None:
        cell = self._here.cell
        self._here.cell, self._here.depth = None, 0
        if cell is not None:
            RUNNING.discard(cell)


class _Here(threading.local):
    """The front end's cell that runs on this thread, and the number of cells nested in it."""

    cell: Cell | None = None
    depth: int = 0


def unregister(shell: Any) -> None:
    """Removes all callbacks of llmkit from *shell*."""
    for event in ("pre_run_cell", "post_run_cell"):
        for callback in list(shell.events.callbacks[event]):
            # By name, because the callbacks of a module before its reload have another class.
            owner = type(getattr(callback, "__self__", None))
            if (owner.__module__, owner.__name__) == (__name__, CellHooks.__name__):
                shell.events.unregister(event, callback)
