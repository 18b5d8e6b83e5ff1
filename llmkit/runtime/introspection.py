"""What can be seen of a foreign session's connections, without importing its library.

aiohttp keeps them in a connector (see `aiohttp_internals`), httpx and httpx2 in a pool of
httpcore's, SDKs hold one of these clients (read, httpcore 1.0.9, openai 3.50, mistralai 3.7.0).
"""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from . import aiohttp_internals as internals

OURS = __name__.partition(".")[0]
INNER = ("_client", "_async", "_sync")  # where SDK clients keep the HTTP clients that they use


def open_connections(resource: object, *, busy: bool = False) -> int | None:
    """How many connections *resource* holds, or only those in use; None where nobody can tell."""
    connector, pools = internals.connector_of(resource), _pools(resource)
    is_unknown = connector is None and getattr(resource, "connector", None) is not None
    if is_unknown or (connector is None and not pools):
        return None
    pool_connections = [c for pool in pools for c in pool.connections if not c.is_closed()]
    count = sum(not c.is_idle() for c in pool_connections) if busy else len(pool_connections)
    if connector is not None:
        count += len(internals.in_use(connector))
        count += 0 if busy else len(internals.idle(connector))
    return count


def activity(resource: object) -> object:
    """Something that differs once *resource* was used; None where nobody can tell."""
    connector, pools = internals.connector_of(resource), _pools(resource)
    # httpcore counts the requests of each connection, and says so only here.
    by_pool = tuple(c.info() for pool in pools for c in pool.connections) if pools else None
    if connector is None:
        return by_pool
    last = max((since for _, since in internals.idle(connector)), default=0.0)
    return len(internals.in_use(connector)), last, by_pool


def tally(resource: object) -> tuple[int, int | None] | None:
    """Requests sent and bytes received by a session of ours, None for any other."""
    connector = getattr(resource, "connector", None)
    try:
        return connector.requests, connector.bytes_in  # type: ignore[union-attr]
    except AttributeError:
        return None


def closed(resource: object) -> bool | None:
    """Returns whether *resource* says that it is closed; None if it says neither."""
    for name in ("closed", "is_closed"):
        state = getattr(resource, name, None)
        if name == "is_closed" and callable(state):  # a method of some SDK clients
            with suppress(Exception):
                state = state()
        if isinstance(state, bool):
            return state
    return None


def transports(resource: object) -> list[Any]:
    """The transports of the connections that *resource* has and that are its own."""
    connector = internals.connector_of(resource)
    result = []
    if connector is not None:
        if not internals.is_owner(resource):
            return []
        protocols = [protocol for protocol, _ in internals.idle(connector)]
        result = [_under(p, "transport") for p in (*protocols, *internals.in_use(connector))]
    streams = [
        _under(c, "_connection", "_network_stream", "_stream")
        for pool in _pools(resource)
        for c in pool.connections
    ]
    return result + [_under(getattr(s, "transport_stream", s), "_transport") for s in streams]


def end_answers(resource: object) -> None:
    """Ends what an aiohttp session still receives; the reader is told."""
    connector = internals.connector_of(resource)
    if connector is not None:
        internals.end_answers(connector)
        return
    for answer in tuple(getattr(getattr(resource, "connector", None), "answers", ())):
        answer.close()


def _under(thing: object, *names: str) -> Any:
    for name in names:
        thing = getattr(thing, name, None)
    return thing


def abandon(resource: object) -> None:
    """Has an aiohttp session take itself for closed, where nothing can be closed any more."""
    connector = internals.connector_of(resource)
    if connector is not None:
        internals.end_answers(connector)
        internals.mark_closed(connector)
    callback = getattr(resource, "abandon", None)
    if callback is not None and type(resource).__module__.startswith(f"{OURS}."):
        callback()


def kill(transport: Any) -> None:
    """Frees a transport's socket when its loop is closed and can do nothing any more.

    Only those of the standard library: uvloop's hang when they are touched after their loop ended.
    """
    if type(transport).__module__.partition(".")[0] != "asyncio":  # uvloop's inherit from it
        return
    plain = getattr(getattr(transport, "_ssl_protocol", None), "_transport", transport)
    socket = getattr(plain, "_sock", None)
    if socket is not None:
        socket.close()
        plain._sock = None  # else its __del__ warns of a socket that is closed already
    if plain is not transport:
        transport._closed = True


def _pools(resource: object) -> list[Any]:
    clients = [resource, *(getattr(resource, name, None) for name in INNER)]
    pools = [getattr(getattr(client, "_transport", None), "_pool", None) for client in clients]
    return [
        pool
        for pool in pools
        if any(
            base.__module__.partition(".")[0] in ("httpcore", "httpcore2")
            for base in type(pool).__mro__
        )
    ]
