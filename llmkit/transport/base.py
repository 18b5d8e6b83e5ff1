"""What carries a request to a provider and its answer back, whether a socket or a script."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager, AbstractContextManager, nullcontext
from typing import NamedTuple, Protocol

from ..providers.base import Provider
from ..runtime.session import Session
from ..secret import Secret
from ..wire.messages import HttpRequest
from .timeouts import Timeouts

DROPPED = "dropped"  # the code of an error by a kept connection that broke as it was used again


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
