"""What can be seen of a foreign session's connections, without importing its library.

aiohttp keeps them in a connector, httpx and httpx2 in a pool of httpcore's, SDKs hold one of
these clients (read, aiohttp 3.14.5, httpcore 1.0.9, openai 3.50, mistralai 3.7.0).
"""

from __future__ import annotations

import gc
from typing import Any

INNER = ("_client", "_async", "_sync")  # where SDK clients keep the HTTP clients that they use


def open_connections(resource: object, *, busy: bool = False) -> int | None:
    """How many connections *resource* holds, or only those in use; None where nobody can tell."""
    connector = _connector(resource)
    if connector is not None:
        idle = 0 if busy else sum(map(len, connector._conns.values()))
        return len(connector._acquired) + idle
    pools = _pools(resource)
    if pools is None:
        return None
    kept = [c for pool in pools for c in pool.connections if not c.is_closed()]
    return sum(not c.is_idle() for c in kept) if busy else len(kept)


def activity(resource: object) -> object:
    """Something that differs once *resource* was used; None where nobody can tell."""
    connector = _connector(resource)
    if connector is not None:
        kept = [entry[1] for entries in connector._conns.values() for entry in tuple(entries)]
        return len(connector._acquired), max(kept, default=0.0)
    pools = _pools(resource)
    # httpcore counts the requests of each connection, and says so only here.
    return None if pools is None else tuple(c.info() for p in pools for c in p.connections)


def tally(resource: object) -> tuple[int, int] | None:
    """Requests sent and bytes received by a session of ours, None for any other."""
    connector = getattr(resource, "connector", None)
    try:
        return connector.requests, connector.bytes_in  # type: ignore[union-attr]
    except AttributeError:
        return None


def closed(resource: object) -> bool:
    """True where *resource* says that it is closed, whoever has done it."""
    return any(getattr(resource, name, None) is True for name in ("closed", "is_closed"))


def transports(resource: object) -> list[Any]:
    """The transports of the connections that *resource* has and that are its own."""
    connector = _connector(resource)
    if connector is not None:
        if not getattr(resource, "_connector_owner", True):
            return []
        kept = [entry[0] for entries in connector._conns.values() for entry in tuple(entries)]
        return [_under(p, "transport") for p in (*kept, *connector._acquired)]
    streams = [
        _under(c, "_connection", "_network_stream", "_stream")
        for pool in _pools(resource) or ()
        for c in pool.connections
    ]
    return [_under(getattr(s, "transport_stream", s), "_transport") for s in streams]


def end_answers(resource: object) -> None:
    """Ends what an aiohttp session still receives; whoever reads it is told.

    Closing the session tells nobody, so a reader would wait for ever, and the garbage collector,
    where it comes to a connection before its answer, would call it unclosed.
    """
    connector = _connector(resource)
    for protocol in tuple(connector._acquired) if connector is not None else ():
        for callback in tuple(_under(protocol, "_payload", "_eof_callbacks") or ()):
            answer: Any = getattr(callback, "__self__", None)
            if hasattr(answer, "connection"):
                answer.close()
        # Where its loop is closed, or the server has gone, only the collector knows who holds
        # the connection; it looks at all objects, which takes some ten milliseconds.
        if protocol in connector._acquired:
            for holder in gc.get_referrers(protocol):
                if type(holder).__name__ == "Connection" and _of(holder, "aiohttp"):
                    holder._protocol = None


def _under(thing: object, *names: str) -> Any:
    for name in names:
        thing = getattr(thing, name, None)
    return thing


def abandon(resource: object) -> None:
    """Has an aiohttp session take itself for closed, where nothing can be closed any more."""
    end_answers(resource)
    connector = _connector(resource)
    if connector is not None:
        connector._conns.clear()  # so that its __del__ finds nothing to complain of
        connector._acquired.clear()
        connector._closed = True


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


def _connector(resource: object) -> Any:
    connector = getattr(resource, "connector", None)
    return connector if _of(connector, "aiohttp") else None


def _pools(resource: object) -> list[Any] | None:
    clients = [resource, *(getattr(resource, name, None) for name in INNER)]
    pools = [getattr(getattr(client, "_transport", None), "_pool", None) for client in clients]
    return [pool for pool in pools if _of(pool, "httpcore", "httpcore2")] or None


def _of(thing: object, *packages: str) -> bool:
    return any(base.__module__.partition(".")[0] in packages for base in type(thing).__mro__)
