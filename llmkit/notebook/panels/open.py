"""Lists the panels, and opens them by name."""

from __future__ import annotations

from functools import partial
from importlib import import_module
from typing import Any

from ...cell import InterruptGuard, ready
from ...errors import ConfigError
from ..lazy_api import api

# Module and class of each panel; the module is imported when the panel is first opened.
PANELS: dict[str, tuple[str, str]] = {
    "auth": ("auth", "AuthPanel"),
    "models": ("models", "ModelsPanel"),
    "sessions": ("sessions", "SessionsPanel"),
    "compare": ("compare", "ComparePanel"),
}


def front_panel() -> str:
    """Returns the panel that opens in front: the one in which the user can do something now."""
    form = import_module(".compare_form", __package__)
    return "compare" if form.is_newcomer(api().current_kit()) else "auth"


@InterruptGuard()
def panel(name: str | None = None, **options: Any) -> Any:
    """Returns a panel, or all panels in tabs: a widget in a notebook, a table elsewhere.

    Args:
        name: auth, models, sessions or compare; None for all of them.
        options: Options of the panel, such as `filter` for models.

    Raises:
        ConfigError: The panel is unknown.
    """
    ready("anywidget", partial(import_module, ".tabs", __package__))
    if name is None:
        tabs = import_module(".tabs", __package__)
        return tabs.Tabs({each: panel(each) for each in PANELS}, front=front_panel())
    if name not in PANELS:
        raise ConfigError(f"unknown panel {name!r}; known panels: {', '.join(PANELS)}")
    module, kind = PANELS[name]
    return getattr(import_module(f".{module}", __package__), kind)(api().current_kit(), **options)
