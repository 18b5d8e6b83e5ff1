"""One prompt to many language models, answers side by side, every connection owned by its cell."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from . import errors
from ._version import __version__
from .cell import InterruptGuard

if TYPE_CHECKING:
    from .api import (
        aask,
        aauth,
        acheck,
        aclose,
        acompare,
        add_provider,
        ask,
        auth,
        check,
        close,
        compare,
        configure,
        estimate,
        get_event_loop_manager,
        leaks,
        models,
        refresh,
        register_session,
        resolve,
        session,
        stream,
        why,
    )
    from .catalogue.fallback_policy import Fallback
    from .catalogue.resolution import Resolution
    from .comparison.result import Comparison, load
    from .kit import Kit, current_kit
    from .notebook.live.live_table import sessions
    from .notebook.panels.open import panel
    from .transport.scripted import Script
    from .types import Completion, Message, Prompt

# The names of each module. None is imported before its first use, so that `import llmkit` is light.
# No public name is a module's name: importing the module would replace the name by the module.
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

__all__ = [
    "MODEL_NAME_MAPPING",
    "Comparison",
    "Completion",
    "Fallback",
    "Kit",
    "Message",
    "Prompt",
    "Resolution",
    "Script",
    "__version__",
    "aask",
    "aauth",
    "acheck",
    "aclose",
    "acompare",
    "add_provider",
    "ask",
    "auth",
    "check",
    "close",
    "compare",
    "configure",
    "current_kit",
    "errors",
    "estimate",
    "get_event_loop_manager",
    "leaks",
    "load",
    "models",
    "panel",
    "refresh",
    "register_session",
    "resolve",
    "session",
    "sessions",
    "stream",
    "why",
]


@InterruptGuard()
def __getattr__(name: str) -> object:
    if name not in _LAZY:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{_LAZY[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)


@InterruptGuard()
def load_ipython_extension(shell: object) -> None:
    """What `%load_ext llmkit` runs."""
    from .notebook.extension import load

    load(shell)


@InterruptGuard()
def unload_ipython_extension(shell: object) -> None:
    """What `%unload_ext llmkit` runs; leaves nothing behind."""
    from .notebook.extension import unload

    unload(shell)
