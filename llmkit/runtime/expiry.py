"""Decides when an open session is to be closed.

| why         | when                                                                            |
|-------------|---------------------------------------------------------------------------------|
| `loop_end`  | the loop that could close it in an orderly way is closed                        |
| `collected` | it is temporary, and its context manager was dropped without being exited       |
| `idle`      | it was not used for longer than `idle_s`                                        |
| `age`       | it is older than `max_age_s`                                                    |

The last three never apply while a request is in flight. `idle` and `age` do not apply while the
cell that opened the session runs, or if keep=True. Cells decide `rerun` and `deleted`. A registered
session stays open even if only this package references it: a cell that holds nothing but
`register_session(aiohttp.ClientSession())` is usual.
"""

from __future__ import annotations

from typing import Any

from . import introspection
from .session import ClosedBy, Session


def why(
    session: Session, now: float, *, idle_s: float, max_age_s: float, running: bool
) -> ClosedBy | None:
    """Returns why *session* is to be closed, or None; *running* says if its cell still runs."""
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
