"""Which panels there are, and what opens one."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from ...errors import ConfigError
from ..lazily import face

# Where each panel lives; its module is imported when it is first opened.
PANELS: dict[str, tuple[str, str]] = {}
REPORTS = ("auth", "models", "sessions")  # no panel yet: the table itself


def panel(name: str = "sessions") -> Any:
    """One of the panels, a widget in a notebook and its table elsewhere.

    Raises:
        ConfigError: There is no such panel.
    """
    if name in PANELS:
        module, kind = PANELS[name]
        return getattr(import_module(f".{module}", __package__), kind)(face().current_kit())
    if name not in REPORTS:
        names = sorted({*PANELS, *REPORTS})
        raise ConfigError(f"there is no panel {name!r}; there are {', '.join(names)}")
    return getattr(face(), name)()
