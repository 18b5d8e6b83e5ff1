"""Registers magics, hooks and completion at `%load_ext llmkit`; `%unload_ext` removes them."""

from __future__ import annotations

import sys
from collections.abc import Collection
from typing import Any

from ..cell import Cell
from . import completion, hooks, kernel_patches
from .live.setup import LiveViews
from .magics import NAMES, LlmkitMagics, line_magic_without_body
from .startup_check import check_at_startup

# Looked up in sys.modules, not imported: a notebook that only loads llmkit must not pay for them.
_HOUSE = __package__.partition(".")[0]
_KIT = f"{_HOUSE}.kit"
_MANAGERS = f"{_HOUSE}.runtime.manager"

_views = LiveViews()


def load(shell: Any) -> None:
    """Registers the magics and the hooks, and starts the check of the keys if it is enabled.

    A second call changes nothing.
    """
    kernel_patches.patch_replies(shell)
    kernel_patches.absorb_second_press(shell)
    hooks.CellHooks(
        shell, started=_cell_started, ended=_views.cell_ended, deleted=_cells_deleted
    ).register()
    magics = LlmkitMagics(shell)
    shell.register_magics(magics)
    completion.register(shell, magics)
    _remove_transformer(shell)
    shell.input_transformers_cleanup.append(line_magic_without_body)
    kit = _kit()
    _views.register(shell, kit)
    check_at_startup(is_enabled=None if kit is None else kit.settings.check_at_load)


def unload(shell: Any) -> None:
    """Removes magics and hooks and closes all sessions; the patches of the kernel stay."""
    hooks.unregister(shell)
    _views.unregister(shell)
    completion.unregister(shell)
    _remove_transformer(shell)
    for kind in ("line", "cell"):
        for name in NAMES:
            magic = shell.magics_manager.magics[kind].get(name)
            if type(getattr(magic, "__self__", None)).__module__ == LlmkitMagics.__module__:
                del shell.magics_manager.magics[kind][name]
    shell.magics_manager.registry.pop(LlmkitMagics.__name__, None)
    kit = _kit()
    if kit is not None:
        kit.close()
    for manager in _managers():
        manager.close()


def _remove_transformer(shell: Any) -> None:
    transformers = shell.input_transformers_cleanup
    # By name: after a reload the old function is another object.
    mine = (line_magic_without_body.__module__, line_magic_without_body.__name__)
    transformers[:] = [
        t
        for t in transformers
        if (getattr(t, "__module__", ""), getattr(t, "__name__", "")) != mine
    ]


def _kit() -> Any:
    module = sys.modules.get(_KIT)
    return module.existing_kit() if module is not None else None


def _managers() -> tuple[Any, ...]:
    """Returns the managers of all kits with open sessions, not only the current one's."""
    module = sys.modules.get(_MANAGERS)
    return module.living() if module is not None else ()


def _cell_started(cell: Cell) -> None:
    _views.cell_started(cell)
    for manager in _managers():
        manager.cell_started(cell)


def _cells_deleted(ids: Collection[str]) -> None:
    _views.cells_deleted(ids)
    for manager in _managers():
        manager.cells_deleted(ids)
