"""Sends one prompt to many language models, and closes the sessions of a cell that runs again."""

from __future__ import annotations

import sys
from importlib import import_module
from typing import TYPE_CHECKING

from . import errors as errors
from ._version import __version__ as __version__
from .cell import InterruptGuard, ready

if TYPE_CHECKING:
    from .api import (
        aask as aask,
        aauth as aauth,
        acheck as acheck,
        aclose as aclose,
        acompare as acompare,
        add_provider as add_provider,
        ask as ask,
        auth as auth,
        check as check,
        close as close,
        compare as compare,
        configure as configure,
        estimate as estimate,
        get_event_loop_manager as get_event_loop_manager,
        leaks as leaks,
        models as models,
        refresh as refresh,
        register_session as register_session,
        resolve as resolve,
        session as session,
        stream as stream,
        why as why,
    )
    from .catalogue.fallback_policy import Fallback as Fallback
    from .catalogue.resolution import Resolution as Resolution
    from .comparison.result import Comparison as Comparison, load as load
    from .kit import Kit as Kit, current_kit as current_kit
    from .notebook.live.live_table import sessions as sessions
    from .notebook.panels.open import panel as panel
    from .transport.scripted import Script as Script

    last: Comparison | None  # the newest comparison, also an interrupted one
    from .types import Completion as Completion, Message as Message, Prompt as Prompt

# Each module's public names; type checkers read them above. A name is imported at its first use,
# to keep `import llmkit` fast. No public name is a module's name: importing the module would
# replace it.
_NAMES = {
    "api": (
        "aask aauth acheck aclose acompare add_provider ask auth check close compare configure "
        "estimate get_event_loop_manager leaks models refresh register_session resolve session "
        "stream why"
    ),
    "catalogue.fallback_policy": "Fallback",
    "catalogue.mapping": "MODEL_NAME_MAPPING",
    "catalogue.resolution": "Resolution",
    "comparison.result": "Comparison load",
    "kit": "Kit current_kit",
    "notebook.live.live_table": "sessions",
    "notebook.panels.open": "panel",
    "transport.scripted": "Script",
    "types": "Completion Message Prompt",
}
_LAZY = {name: module for module, names in _NAMES.items() for name in names.split()}

__all__ = sorted([*_LAZY, "__version__", "errors", "last"])


@InterruptGuard()
def __getattr__(name: str) -> object:
    if name == "last":  # not stored, because it changes
        kit = sys.modules.get(f"{__name__}.kit")
        kit = kit and kit.existing_kit()
        return kit and kit.last
    if name not in _LAZY:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module = f"{__name__}.{_LAZY[name]}"
    ready(module)
    value = getattr(import_module(module), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)


@InterruptGuard()
def load_ipython_extension(shell: object) -> None:
    """Installs the notebook extension; `%load_ext llmkit` calls it."""
    from .notebook.extension import load

    load(shell)


@InterruptGuard()
def unload_ipython_extension(shell: object) -> None:
    """Removes the notebook extension completely; `%unload_ext llmkit` calls it."""
    from .notebook.extension import unload

    unload(shell)
