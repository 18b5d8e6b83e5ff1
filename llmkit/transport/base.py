"""What carries a request to a provider and its answer back, whether a socket or a script."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager, AbstractContextManager, nullcontext
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple, Protocol

from ..providers.base import Provider
from ..runtime.session import Session
from ..secret import Secret
from ..settings import Settings
from ..wire.messages import HttpRequest

DROPPED = "dropped"  # the code of an error by a kept connection that broke as it was used again


@dataclass(frozen=True, slots=True)
class Timeouts:
    """How long one request may take and how much it may bring; None for no limit.

    Attributes:
        connect_s: Until a connection is made.
        first_byte_s: From the request's end to the answer's first byte.
        idle_s: Between two network reads.
        idle_content_s: Between two reads that brought text; pings and comments do not count.
        deadline_s: For the whole request.
        body_bytes: Of an answer, decoded.
    """

    connect_s: float | None = 10.0
    first_byte_s: float | None = 120.0
    idle_s: float | None = 60.0
    idle_content_s: float | None = 120.0
    deadline_s: float | None = None
    body_bytes: int = 32 * 1024 * 1024


def timeouts_for(settings: Settings, deadline_s: float | None = None) -> Timeouts:
    """The limits of one request, with its own deadline if it has one."""
    return _timeouts(
        settings.connect_timeout_s,
        settings.first_byte_timeout_s,
        settings.idle_timeout_s,
        settings.idle_content_timeout_s,
        deadline_s or settings.deadline_s,
    )


_timeouts = lru_cache(maxsize=64)(Timeouts)  # the same few values for every call of a run


class StreamingResponse(Protocol):
    """An answer whose status and headers are here and whose body is still coming.

    Attributes:
        headers: Names in lower case.
    """

    status: int
    headers: Mapping[str, str]

    async def read(self) -> bytes:
        """What the next network read brings of the body; empty at its end.

        Raises:
            APITimeoutError: One of the limits passed.
            APIConnectionError: The connection broke.
            BadResponseError: More came than the limit on the body.
        """
        ...

    def content_received(self) -> None:
        """Tells the watchdog that the last read brought something worth waiting for."""
        ...

    def finish_within(self, within_s: float) -> None:
        """Says that the answer is there: what follows is read for so long at most, then dropped."""
        ...


class Transport(Protocol):
    """Sends requests. Leaving the context releases the connection, whatever happened inside."""

    def send(
        self, request: HttpRequest, timeouts: Timeouts
    ) -> AbstractAsyncContextManager[StreamingResponse]:
        """The answer to *request*, from its headers on.

        Raises:
            APIConnectionError: Nothing could be sent, or no answer came.
            APITimeoutError: A connection or a first byte took too long.
        """
        ...


class Opened(NamedTuple):
    """What a request is sent over, and what is sent with it.

    Attributes:
        provider: At the address that is asked.
        session: Its record in the session table, None where no session is needed.
        use: Entered for as long as the session is needed.
    """

    provider: Provider
    key: Secret | None
    transport: Transport
    session: Session | None = None
    use: AbstractContextManager[object] = nullcontext()

    @property
    def session_id(self) -> str | None:
        """Its session's id in the session table."""
        return self.session.id if self.session else None
