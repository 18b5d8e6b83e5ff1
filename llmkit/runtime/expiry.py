"""When an open session has outlived its use.

| why         | when                                                                            |
|-------------|---------------------------------------------------------------------------------|
| `loop_end`  | the loop that could close it in an orderly way is closed                        |
| `collected` | its handle is gone, and nobody but us holds the session itself                  |
| `idle`      | it was not used for longer than `idle_s`                                        |
| `age`       | it is older than `max_age_s`                                                    |

A session with a request in flight is never stale by these, nor is one idle or too old whose own
cell still runs, or that was registered with keep=True. `rerun` and `deleted` are said by cells.

A registered session may be used through its own name while nobody keeps the handle, and the other
way round; so it counts as collected only when both are out of reach. What holds itself in a circle,
as some SDK clients do, is then never "collected", and goes for one of the other reasons.
"""

from __future__ import annotations

import sys
from typing import Any

from . import introspection
from .session import ClosedBy, Session


def in_flight(session: Session) -> bool:
    """True while an answer is under way, as far as anybody can see."""
    return bool(session.in_flight or introspection.open_connections(session.resource, busy=True))


def why(
    session: Session, now: float, *, idle_s: float, max_age_s: float, running: bool
) -> ClosedBy | None:
    """Why *session* is to go, None while it may stay.

    Args:
        running: True while a run of the cell that opened it has not ended.
    """
    loop: Any = session.loop
    if getattr(loop, "is_closed", None) is not None and loop.is_closed():
        return "loop_end"
    if in_flight(session):
        return None
    is_forgotten = session.handle is not None and session.handle() is None
    if is_forgotten and _holders(session) <= _NOBODY:
        return "collected"
    if session.keep or running:
        return None
    if now - session.used_s > idle_s:
        return "idle"
    return "age" if now - session.opened_s > max_age_s else None


def _holders(session: Any) -> int:
    return sys.getrefcount(session.resource)


class _Alone:
    def __init__(self) -> None:
        self.resource = object()


_NOBODY = _holders(_Alone())
