"""Which panels there are, and what opens one."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from ...cell import InterruptGuard
from ...errors import ConfigError
from ..lazy_api import api

# Where each panel lives; its module is imported when it is first opened.
PANELS: dict[str, tuple[str, str]] = {
    "auth": ("auth", "AuthPanel"),
    "models": ("models", "ModelsPanel"),
    "sessions": ("sessions", "SessionsPanel"),
    "compare": ("compare", "ComparePanel"),
}


@InterruptGuard()
def panel(name: str | None = None, **options: Any) -> Any:
    """One of the panels, or all of them in tabs: a widget in a notebook, its table elsewhere.

    Args:
        name: auth, models, sessions or compare; None for all of them.
        options: What that panel takes, such as `filter` for the models.

    Raises:
        ConfigError: There is no such panel.
    """
    if name is None:
        tabs = import_module(".tabs", __package__)
        return tabs.Tabs({each: panel(each) for each in PANELS})
    if name not in PANELS:
        raise ConfigError(f"there is no panel {name!r}; there are {', '.join(PANELS)}")
    module, kind = PANELS[name]
    return getattr(import_module(f".{module}", __package__), kind)(api().current_kit(), **options)
