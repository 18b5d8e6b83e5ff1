"""Defines the interface of a transport, which sends a request and streams its answer."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager, AbstractContextManager, nullcontext
from typing import NamedTuple, Protocol

from ..providers.base import Provider
from ..runtime.session import Session
from ..secret import Secret
from ..wire.messages import HttpRequest
from .timeouts import Timeouts


class StreamingResponse(Protocol):
    """An answer whose headers have arrived; its body is read in pieces."""

    status: int
    headers: Mapping[str, str]  # names in lower case

    async def read(self) -> bytes:
        """Returns the next piece of the body, or b"" at its end.

        Raises:
            APITimeoutError: A time limit passed.
            APIConnectionError: The connection broke.
            BadResponseError: The body exceeds the size limit.
        """
        ...

    def content_received(self) -> None:
        """Tells the watchdog that the last read brought content, not only pings."""
        ...

    def finish_within(self, within_s: float | None) -> None:
        """Marks the answer as complete; the rest is read for at most *within_s* seconds.

        None takes the mark back, because the server goes on.
        """
        ...


class Transport(Protocol):
    """Sends requests. Leaving the context always releases the connection."""

    def send(
        self, request: HttpRequest, timeouts: Timeouts
    ) -> AbstractAsyncContextManager[StreamingResponse]:
        """Returns a context that sends *request* and waits for the headers of its answer.

        Raises:
            APIConnectionError: The request could not be sent, or no answer arrived.
            APITimeoutError: The connection or the first byte took too long.
        """
        ...


class Opened(NamedTuple):
    """A transport with the provider and key of its requests.

    Attributes:
        provider: The provider, with the base URL in use.
        session: The record in the session table; None if the transport needs no session.
        use: A context that marks the session as in use.
    """

    provider: Provider
    key: Secret | None
    transport: Transport
    session: Session | None = None
    use: AbstractContextManager[object] = nullcontext()
