"""Takes a widget's messages in the moment they arrive, where the kernel lets them be seen.

ipykernel 7.4 routes each message of a widget in the thread of its channel, before it waits for the
cell that runs. A look in there is what makes Stop work while `compare()` runs nested in a cell:
its own delivery comes after the cell. Other kernels have no such place, and lose nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any


def look(comm: Any, take: Callable[[Mapping[str, Any]], None]) -> None:
    """Calls *take* with each custom message, in the channel's thread, where that can be.

    The same message comes a second time in the usual way: *take* has to know it.
    """
    route = getattr(comm, "_reply_subshell_for", None)
    if route is None:
        return

    def looked(data: Any, default: str | None) -> Any:
        content = data.get("content") if isinstance(data, dict) else None
        if isinstance(content, dict):
            take(content)
        return route(data, default)

    comm._reply_subshell_for = looked
