"""Accesses the private attributes of aiohttp that llmkit uses; no other file does.

Read in aiohttp 3.11.0 to 3.14.5 (2026-11-28). With a newer release, or if an attribute is missing,
llmkit works without them. Then the session table lacks open connections and received bytes, and
the use of registered sessions is not seen. aiohttp itself then warns about sessions whose loop was
closed or that a forked child inherited.
"""

from __future__ import annotations

import gc
import logging
import select
import sys
from functools import cache, partial
from typing import Any

log = logging.getLogger(__name__)

READ_IN = (3, 14)
CONNECTOR_PARTS = ("_acquired", "_closed", "_conns", "_factory", "_loop")
_known_types: dict[type, bool] = {}  # results of `is_known`


@cache
def _warn(version: str) -> None:
    log.warning(
        "llmkit does not know the internals of aiohttp %s (only up to %d.%d): open connections and "
        "received bytes are not counted; register your own sessions with keep=True, because they "
        "count as idle",
        version, *READ_IN,
    )  # fmt: skip


def connector_of(session: object) -> Any:
    """Returns the connector of an aiohttp session, None if it is not known."""
    connector = getattr(session, "connector", None)
    return connector if connector is not None and is_known(connector) else None


def is_known(connector: object) -> bool:
    """Returns True for a connector of a known aiohttp release; else logs a warning once."""
    kind = type(connector)
    is_supported = _known_types.get(kind)
    if is_supported is None:
        is_supported = False
        if any(base.__module__.partition(".")[0] == "aiohttp" for base in kind.__mro__):
            version = sys.modules["aiohttp"].__version__
            numbers = tuple(int(part) for part in version.split(".")[:2] if part.isdecimal())
            is_supported = numbers <= READ_IN and all(
                hasattr(connector, n) for n in CONNECTOR_PARTS
            )
            if not is_supported:
                _warn(version)
        _known_types[kind] = is_supported
    return is_supported


def is_owner(session: object) -> bool:
    """Returns False if *session* shares the connector of another session."""
    return bool(getattr(session, "_connector_owner", True))


def loop_of(session: object) -> Any:
    """Returns the event loop of *session*, None if it has no such attribute."""
    return getattr(session, "_loop", None)


def count_bytes(connector: Any) -> None:
    """Makes *connector* count received bytes in `bytes_in`, which is None if it is not known."""
    connector.bytes_in = None
    if is_known(connector):
        connector.bytes_in = 0
        connector._factory = partial(_counting_protocol(), connector, loop=connector._loop)


def trust(connector: Any, context: Any) -> None:
    """Makes new connections of *connector* verify with *context*, None to change nothing."""
    if context is not None and is_known(connector) and hasattr(connector, "_ssl"):
        connector._ssl = context


@cache
def _counting_protocol() -> Any:
    from aiohttp.client_proto import ResponseHandler

    class CountingProtocol(ResponseHandler):
        def __init__(self, connector: Any, **options: Any) -> None:
            super().__init__(**options)
            self._connector = connector

        def data_received(self, data: bytes) -> None:
            self._connector.bytes_in += len(data)
            # aiohttp drops headers and text if malformed data follows them in the same read.
            while data.startswith(b"HTTP/"):
                head, end, data = data.partition(b"\r\n\r\n")
                super().data_received(head + end)
                if not data:
                    return
            super().data_received(data)
            # aiohttp tells a reader that is already waiting for the body nothing of malformed data.
            payload, failure = self._payload, self.exception()
            if failure is not None and payload is not None and payload.exception() is None:
                payload.set_exception(failure)

    return CountingProtocol


def idle(connector: Any) -> list[tuple[Any, float]]:
    """Returns idle connections with the time of their last use, on the loop's clock."""
    return [entry[:2] for entries in connector._conns.values() for entry in tuple(entries)]


def is_readable(transport: Any) -> bool:
    """Returns True if an idle connection has data: its end, an error, or what belongs to no answer.

    Looks at the socket itself, because the loop may not have run since the data arrived.
    """
    socket = None if transport is None else transport.get_extra_info("socket")
    if socket is None:
        return transport is None
    if not hasattr(select, "poll"):  # Windows, where `select` takes any socket
        return bool(select.select([socket], [], [], 0)[0])
    poll = select.poll()
    poll.register(socket, select.POLLIN)
    return bool(poll.poll(0))


def in_use(connector: Any) -> tuple[Any, ...]:
    """Returns the connections with a request in flight."""
    return tuple(connector._acquired)


def loop_is_closed(connector: Any) -> bool:
    """Returns True if the loop of *connector* is closed."""
    return bool(connector._loop.is_closed())


def unread(content: Any) -> bytes:
    """Returns the data of a body that arrived before its connection broke and was not read.

    `StreamReader` raises the connection's error before it returns this data.
    """
    try:
        data: bytes = content._read_nowait(-1)
    except Exception:  # a private method, which may have changed
        return b""
    return data


def end_answers(connector: Any) -> None:
    """Ends the answers in flight, so that their readers wake up.

    Closing the session does not wake them. Also, aiohttp warns about an unclosed connection if it
    is garbage collected before its answer.
    """
    for protocol in in_use(connector):
        payload = getattr(protocol, "_payload", None)
        for callback in tuple(getattr(payload, "_eof_callbacks", None) or ()):
            answer: Any = getattr(callback, "__self__", None)
            if hasattr(answer, "connection"):
                answer.close()
        # If the loop is closed or the server disconnected, only the garbage collector can find the
        # holder of the connection; it searches all objects, which takes some 10 ms.
        if protocol in connector._acquired:
            for holder in gc.get_referrers(protocol):
                kind = type(holder)
                if kind.__name__ == "Connection" and kind.__module__.startswith("aiohttp."):
                    holder._protocol = None


def forget_connections(connector: Any) -> None:
    """Removes the connections from *connector*; the caller closes them."""
    connector._conns.clear()  # so that its __del__ does not warn
    connector._acquired.clear()


def mark_closed(connector: Any) -> None:
    """Marks *connector* as closed if its connections can no longer be closed."""
    forget_connections(connector)
    connector._closed = True
