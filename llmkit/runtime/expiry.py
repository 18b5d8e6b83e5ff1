"""When an open session is to be closed.

| why         | when                                                                            |
|-------------|---------------------------------------------------------------------------------|
| `loop_end`  | the loop that could close it in an orderly way is closed                        |
| `collected` | a temporary one, whose context manager was dropped without being left           |
| `idle`      | it was not used for longer than `idle_s`                                        |
| `age`       | it is older than `max_age_s`                                                    |

A session with a request in flight is never stale by the last three, nor is one idle or too old if
the cell that opened it still runs, or if it was registered with keep=True. `rerun` and `deleted`
are decided by cells. That a registered session is referenced only here is no reason to close it:
`register_session(aiohttp.ClientSession())` as the only line of a cell is usual.
"""

from __future__ import annotations

from typing import Any

from . import introspection
from .session import ClosedBy, Session


def why(
    session: Session, now: float, *, idle_s: float, max_age_s: float, running: bool
) -> ClosedBy | None:
    """Returns why *session* is to be closed, None while it may stay.

    Args:
        running: True while a run of the cell that opened it has not ended.
    """
    loop: Any = session.loop
    if getattr(loop, "is_closed", None) is not None and loop.is_closed():
        return "loop_end"
    if session.in_flight or introspection.open_connections(session.resource, busy=True):
        return None
    if session.handle is not None and session.handle() is None:
        return "collected"
    if session.keep or running:
        return None
    if now - session.used_s > idle_s:
        return "idle"
    return "age" if now - session.opened_s > max_age_s else None
