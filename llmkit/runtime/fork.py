"""Frees what a forked child has inherited, without any effect on its parent.

A child shares every socket and the loop's epoll with its parent. An orderly close would send a
goodbye in the parent's name, and unregistering a socket would remove it from the parent's epoll.
So the child only closes its own copies of the descriptors.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

from . import introspection
from .session import Session


def in_every_child(callback: Callable[[], None]) -> None:
    """Registers *callback* to run in each child after a fork, on systems that fork."""
    register = getattr(os, "register_at_fork", None)
    if register is not None:
        register(after_in_child=callback)


def abandon_in_child(session: Session) -> None:
    """Frees the child's copies of the sockets of *session*, and marks its resource as closed."""
    for transport in introspection.transports(session.resource):
        introspection.kill(transport)
    introspection.abandon(session.resource)


def leave_loop(loop: Any) -> None:
    """Frees the child's copies of the descriptors of an idle loop of the standard library."""
    for name in ("_selector", "_ssock", "_csock"):
        resource = getattr(loop, name, None)
        if resource is not None:
            resource.close()
    loop._closed = True  # else it would warn that it was not closed
