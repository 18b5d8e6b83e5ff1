"""The parts of aiohttp that are not public and that llmkit uses; no other file touches one.

Read in aiohttp 3.11.0 to 3.14.5 (2026-11-28). With a newer release, or where one of them is not
as it was, llmkit works without them: the session table does not know how many connections are
open and what they received, use of a person's own session is not seen, and aiohttp itself
complains of a session whose loop was closed, or that a forked child got a copy of.
"""

from __future__ import annotations

import gc
import logging
import sys
from functools import cache, partial
from typing import Any

log = logging.getLogger(__name__)

READ_IN = (3, 14)
CONNECTOR_PARTS = ("_acquired", "_closed", "_conns", "_factory", "_loop")


_known_types: dict[type, bool] = {}  # whether connectors of that type are as they were read


@cache
def _warn(version: str) -> None:
    log.warning(
        "aiohttp %s is not one whose internals llmkit knows (up to %d.%d): open connections and "
        "received bytes are not counted, and a session of your own counts as idle unless it was "
        "registered with keep=True",
        version, *READ_IN,
    )  # fmt: skip


def connector_of(session: object) -> Any:
    """The connector of an aiohttp session, None where it is another's or not as it was read."""
    connector = getattr(session, "connector", None)
    return connector if connector is not None and is_known(connector) else None


def is_known(connector: object) -> bool:
    """True where *connector* is aiohttp's and as it was read; else the log says so once."""
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
    """False where *session* only borrows its connector."""
    return bool(getattr(session, "_connector_owner", True))


def loop_of(session: object) -> Any:
    """The loop that *session* belongs to, None where it does not say."""
    return getattr(session, "_loop", None)


def count_bytes(connector: Any) -> None:
    """Has *connector* keep in `bytes_in` how many bytes its connections received.

    With an aiohttp that is not known `bytes_in` is None.
    """
    connector.bytes_in = None
    if is_known(connector):
        connector.bytes_in = 0
        connector._factory = partial(_counting_protocol(), connector, loop=connector._loop)


@cache
def _counting_protocol() -> Any:
    from aiohttp.client_proto import ResponseHandler

    class CountingProtocol(ResponseHandler):
        def __init__(self, connector: Any, **options: Any) -> None:
            super().__init__(**options)
            self._connector = connector

        def data_received(self, data: bytes) -> None:
            self._connector.bytes_in += len(data)
            super().data_received(data)

    return CountingProtocol


def idle(connector: Any) -> list[tuple[Any, float]]:
    """The connections that are kept, and since when, on the loop's clock."""
    return [entry[:2] for entries in connector._conns.values() for entry in tuple(entries)]


def in_use(connector: Any) -> tuple[Any, ...]:
    """The connections over which a request is under way."""
    return tuple(connector._acquired)


def loop_is_closed(connector: Any) -> bool:
    """True where nothing of *connector* can run any more."""
    return bool(connector._loop.is_closed())


def unread(content: Any) -> bytes:
    """What came of a body before its connection broke, and was not read; see `StreamReader`.

    A late reader finds the end of the connection before what came ahead of it.
    """
    try:
        data: bytes = content._read_nowait(-1)
    except Exception:  # not as it was read
        return b""
    return data


def end_answers(connector: Any) -> None:
    """Ends what is still received; the reader is told.

    Closing the session tells nobody, so a reader would wait for ever, and the garbage collector,
    where it comes to a connection before its answer, would call it unclosed.
    """
    for protocol in in_use(connector):
        payload = getattr(protocol, "_payload", None)
        for callback in tuple(getattr(payload, "_eof_callbacks", None) or ()):
            answer: Any = getattr(callback, "__self__", None)
            if hasattr(answer, "connection"):
                answer.close()
        # Where its loop is closed, or the server has gone, only the collector knows who holds
        # the connection; it looks at all objects, which takes some ten milliseconds.
        if protocol in connector._acquired:
            for holder in gc.get_referrers(protocol):
                kind = type(holder)
                if kind.__name__ == "Connection" and kind.__module__.startswith("aiohttp."):
                    holder._protocol = None


def forget_connections(connector: Any) -> None:
    """Makes *connector* forget its connections, which are ended by whoever calls this."""
    connector._conns.clear()  # so that its __del__ finds nothing to complain of
    connector._acquired.clear()


def mark_closed(connector: Any) -> None:
    """Has *connector* take itself for closed, where nothing can be closed any more."""
    forget_connections(connector)
    connector._closed = True
