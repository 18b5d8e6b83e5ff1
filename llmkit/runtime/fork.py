"""What a forked child does with what it has inherited: nothing that its parent would notice.

A child shares every socket and the loop's epoll with its parent. Closing a session there in good
order would say goodbye in the parent's name, and unregistering a socket would make the parent's
loop deaf for it; so the child only frees its own copies of the descriptors.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

from . import introspection
from .session import Session


def in_every_child(callback: Callable[[], None]) -> None:
    """Has *callback* called in each child after a fork, where there are forks."""
    register = getattr(os, "register_at_fork", None)
    if register is not None:
        register(after_in_child=callback)


def abandon_in_child(session: Session) -> None:
    """Frees the child's copies of what *session* holds, and has it take itself for closed."""
    for transport in introspection.transports(session.resource):
        introspection.kill(transport)
    introspection.abandon(session.resource)


def leave_loop(loop: Any) -> None:
    """Frees the child's copies of what an idle loop of the standard library holds."""
    for name in ("_selector", "_ssock", "_csock"):
        resource = getattr(loop, name, None)
        if resource is not None:
            resource.close()
    loop._closed = True  # else it would warn that nobody has closed it
