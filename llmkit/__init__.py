"""One prompt to many language models, answers side by side, every connection owned by its cell."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from . import errors
from ._version import __version__

if TYPE_CHECKING:
    from .catalogue.policy import Fallback
    from .catalogue.resolution import Resolution
    from .comparison import Comparison, load
    from .face import (
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
    from .kit import Kit, current_kit
    from .notebook.live_sessions import sessions
    from .notebook.panels.choice import panel
    from .runtime.scripted import Script
    from .types import Completion, Message, Prompt

# Where each name lives. Nothing below is imported before somebody asks for it, so that
# `import llmkit` costs next to nothing; no public name is a module's name, because importing
# that module would put it in the name's place.
_LAZY = {
    "MODEL_NAME_MAPPING": "catalogue.mapping",
    "Comparison": "comparison",
    "Completion": "types",
    "Fallback": "catalogue.policy",
    "Kit": "kit",
    "Message": "types",
    "Prompt": "types",
    "Resolution": "catalogue.resolution",
    "Script": "runtime.scripted",
    "aask": "face",
    "aauth": "face",
    "acheck": "face",
    "aclose": "face",
    "acompare": "face",
    "add_provider": "face",
    "ask": "face",
    "auth": "face",
    "check": "face",
    "close": "face",
    "compare": "face",
    "configure": "face",
    "current_kit": "kit",
    "estimate": "face",
    "get_event_loop_manager": "face",
    "leaks": "face",
    "load": "comparison",
    "models": "face",
    "panel": "notebook.panels.choice",
    "refresh": "face",
    "register_session": "face",
    "resolve": "face",
    "session": "face",
    "sessions": "notebook.live_sessions",
    "stream": "face",
    "why": "face",
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


def __getattr__(name: str) -> object:
    if name not in _LAZY:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{_LAZY[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)


def load_ipython_extension(shell: object) -> None:
    """What `%load_ext llmkit` runs."""
    from .notebook.extension import load

    load(shell)


def unload_ipython_extension(shell: object) -> None:
    """What `%unload_ext llmkit` runs; leaves nothing behind."""
    from .notebook.extension import unload

    unload(shell)
