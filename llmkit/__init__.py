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

# Where each name lives. Nothing below is imported before somebody asks for it, so that
# `import llmkit` costs next to nothing; no public name is a module's name, because importing
# that module would put it in the name's place.
_LAZY = {
    "MODEL_NAME_MAPPING": "catalogue.mapping",
    "Comparison": "comparison.result",
    "Completion": "types",
    "Fallback": "catalogue.fallback_policy",
    "Kit": "kit",
    "Message": "types",
    "Prompt": "types",
    "Resolution": "catalogue.resolution",
    "Script": "transport.scripted",
    "aask": "api",
    "aauth": "api",
    "acheck": "api",
    "aclose": "api",
    "acompare": "api",
    "add_provider": "api",
    "ask": "api",
    "auth": "api",
    "check": "api",
    "close": "api",
    "compare": "api",
    "configure": "api",
    "current_kit": "kit",
    "estimate": "api",
    "get_event_loop_manager": "api",
    "leaks": "api",
    "load": "comparison.result",
    "models": "api",
    "panel": "notebook.panels.open",
    "refresh": "api",
    "register_session": "api",
    "resolve": "api",
    "session": "api",
    "sessions": "notebook.live.live_table",
    "stream": "api",
    "why": "api",
}

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
