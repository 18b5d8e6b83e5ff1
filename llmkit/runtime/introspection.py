"""Reads and ends the connections of a foreign session, without importing its library.

aiohttp keeps them in a connector (see `aiohttp_internals`), httpx and httpx2 in a pool of httpcore.
SDK clients hold one of these clients (read, httpcore 1.0.9, openai 3.50, mistralai 3.7.0).
"""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from . import aiohttp_internals as internals

OURS = __name__.partition(".")[0]
INNER = ("_client", "_async", "_sync")  # attributes of SDK clients that hold their HTTP clients


def open_connections(resource: object, *, busy: bool = False) -> int | None:
    """Returns how many connections *resource* holds, or only the busy ones; None if unknown."""
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
    """Returns a value that changes whenever *resource* is used; None if unknown."""
    connector, pools = internals.connector_of(resource), _pools(resource)
    # httpcore shows its count of each connection's requests only in info().
    by_pool = tuple(c.info() for pool in pools for c in pool.connections) if pools else None
    if connector is None:
        return by_pool
    last = max((since for _, since in internals.idle(connector)), default=0.0)
    return len(internals.in_use(connector)), last, by_pool


def tally(resource: object) -> tuple[int, int | None] | None:
    """Returns the requests sent and bytes received by a session of llmkit, None for any other."""
    connector = getattr(resource, "connector", None)
    try:
        return connector.requests, connector.bytes_in  # type: ignore[union-attr]
    except AttributeError:
        return None


def closed(resource: object) -> bool | None:
    """Returns whether *resource* says that it is closed; None if it does not say."""
    for name in ("closed", "is_closed"):
        state = getattr(resource, name, None)
        if name == "is_closed" and callable(state):  # a method of some SDK clients
            with suppress(Exception):
                state = state()
        if isinstance(state, bool):
            return state
    return None


def transports(resource: object) -> list[Any]:
    """Returns the transports of the connections that *resource* owns."""
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
    """Ends the responses that an aiohttp session still receives; their readers get an error."""
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
    """Marks an aiohttp session as closed when its connections cannot be closed any more."""
    connector = internals.connector_of(resource)
    if connector is not None:
        internals.end_answers(connector)
        internals.mark_closed(connector)
    callback = getattr(resource, "abandon", None)
    if callback is not None and type(resource).__module__.startswith(f"{OURS}."):
        callback()


def kill(transport: Any) -> None:
    """Frees the socket of a transport whose loop is closed."""
    # uvloop's transports, which inherit from asyncio's, hang if they are used after their loop.
    if type(transport).__module__.partition(".")[0] != "asyncio":
        return
    plain = getattr(getattr(transport, "_ssl_protocol", None), "_transport", transport)
    socket = getattr(plain, "_sock", None)
    if socket is not None:
        socket.close()
        plain._sock = None  # else its __del__ warns about a socket that is already closed
    if plain is not transport:
        transport._closed = True


def _pools(resource: object) -> list[Any]:
    clients = [resource, *(getattr(resource, name, None) for name in INNER)]
    pools = [getattr(getattr(client, "_transport", None), "_pool", None) for client in clients]
    return [
        pool
        for pool in pools
        if any(c.__module__.split(".")[0] in ("httpcore", "httpcore2") for c in type(pool).__mro__)
    ]
