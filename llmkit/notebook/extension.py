"""What `%load_ext llmkit` sets up, and `%unload_ext llmkit` takes away again."""

from __future__ import annotations

import sys
from collections.abc import Collection
from typing import Any

from ..cell import Cell
from . import completion, hooks, kernel_patches
from .live.setup import LiveViews
from .magics import NAMES, LlmkitMagics
from .startup_check import check_at_startup

# Neither is imported before it is needed: a notebook that only loads us pays for nothing.
_HOUSE = __package__.partition(".")[0]
_KIT = f"{_HOUSE}.kit"
_MANAGERS = f"{_HOUSE}.runtime.manager"

_views = LiveViews()


def load(shell: Any) -> None:
    """Registers the magics and the hooks, and checks the keys in the background if it is wished.

    A second time changes nothing.
    """
    kernel_patches.patch_replies(shell)
    kernel_patches.absorb_second_press(shell)
    hooks.CellHooks(shell, started=_cell_started, deleted=_cells_deleted).register()
    magics = LlmkitMagics(shell)
    shell.register_magics(magics)
    completion.register(shell, magics)
    kit = _kit()
    _views.register(shell, kit)
    check_at_startup(is_enabled=None if kit is None else kit.settings.check_at_load)


def unload(shell: Any) -> None:
    """Takes the magics and hooks away and closes what is open; a repaired kernel stays so."""
    hooks.unregister(shell)
    _views.unregister(shell)
    completion.unregister(shell)
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


def _kit() -> Any:
    module = sys.modules.get(_KIT)
    return module.existing_kit() if module is not None else None


def _managers() -> tuple[Any, ...]:
    """The managers of all kits that have something open, not only of the current one."""
    module = sys.modules.get(_MANAGERS)
    return module.living() if module is not None else ()


def _cell_started(cell: Cell) -> None:
    _views.shown.begin()
    for manager in _managers():
        manager.cell_started(cell)


def _cells_deleted(ids: Collection[str]) -> None:
    for manager in _managers():
        manager.cells_deleted(ids)
