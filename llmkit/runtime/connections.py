"""What can be seen of a foreign session's connections, without importing its library."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any


def open_connections(resource: object, *, busy: bool = False) -> int | None:
    """How many connections *resource* holds, or only those in use; None where nobody can tell.

    aiohttp keeps both in its connector (read, aiohttp 3.14.5).
    """
    connector = getattr(resource, "connector", None)
    acquired = getattr(connector, "_acquired", None)
    idle = getattr(connector, "_conns", None)
    if acquired is None or idle is None:
        return None
    return len(acquired) if busy else len(acquired) + sum(map(len, idle.values()))


def transports(resource: object) -> Iterator[Any]:
    """The transports of an aiohttp session's connections."""
    connector = getattr(resource, "connector", None)
    for kept in dict(getattr(connector, "_conns", None) or {}).values():
        for entry in kept:
            yield getattr(entry[0], "transport", None)
    for protocol in set(getattr(connector, "_acquired", None) or ()):
        yield getattr(protocol, "transport", None)


def kill(transport: Any) -> None:
    """Frees a transport's socket when its loop is closed and can do nothing any more.

    Only for the standard library's transports: uvloop's hang when touched after the loop ended.
    """
    plain = getattr(getattr(transport, "_ssl_protocol", None), "_transport", transport)
    socket = getattr(plain, "_sock", None)
    if socket is not None:
        socket.close()
        plain._sock = None  # else its __del__ warns of a socket that is closed already
    if plain is not transport:
        transport._closed = True
