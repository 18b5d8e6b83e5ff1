"""Reads responses: an answer, as a stream or as one JSON document, and a refusal."""

from __future__ import annotations

from datetime import UTC, datetime

from ..errors import (
    AuthenticationError,
    CallError,
    ContextLengthExceededError,
    InsufficientFundsError,
    Outcome,
    PermissionDeniedError,
    ProviderError,
    WrongAddressError,
)
from ..providers.base import Provider
from ..wire.messages import HttpResponse, parse_json
from ..wire.retry_hints import request_rate, retry_after
from .base import StreamingResponse

# Never retried, even if `x-should-retry` is true.
FINAL_STATUSES = (401, 402, 403)
FINAL_ERRORS = (
    AuthenticationError,
    PermissionDeniedError,
    InsufficientFundsError,
    ContextLengthExceededError,
    WrongAddressError,
)
# Content types of NDJSON; a complete answer is one line as well.
LINES = ("application/x-ndjson", "application/stream+json")
EVENTS = "text/event-stream"
FIELDS = (b"data:", b"event:", b"id:", b"retry:", b"error:", b":")
DOCUMENT_LIMIT = 8 * 1024 * 1024  # bytes; a longer body must be a stream
SECOND_LOOK = 1024 * 1024  # bytes; for a body that looked like a broken stream


class StreamOrDocument:
    """Keeps the body of a streamed request until it is known to be a stream.

    Attributes:
        body: The bytes so far; None once the body cannot be a document.
    """

    def __init__(self, content_type: str = "") -> None:
        self._content_type = content_type.lower()
        self.body: bytearray | None = bytearray()

    def keep(self, data: bytes) -> bool:
        """Adds *data*; returns False once the body is known to be a stream."""
        assert self.body is not None
        self.body += data if self.body else data.lstrip()  # a document may begin with blanks
        starts_as_event = self._content_type.startswith(EVENTS) and self.body.startswith(FIELDS)
        is_stream = starts_as_event or self._content_type.startswith(LINES)
        if is_stream or len(self.body) > DOCUMENT_LIMIT:
            self.body = None
        return self.body is not None

    async def read_on(self, response: StreamingResponse) -> None:
        """Reads the rest of a body that is not a stream; keeps it only if it is a document."""
        assert self.body is not None
        while len(self.body) < SECOND_LOOK and (data := await response.read()):
            self.body += data
        if len(self.body) > SECOND_LOOK or not isinstance(parse_json(self.body), dict):
            self.body = None


async def read_whole(response: StreamingResponse) -> HttpResponse:
    """Reads *response* to its end."""
    parts = []
    while data := await response.read():
        parts.append(data)
    return HttpResponse(response.status, response.headers, b"".join(parts))


def error_of(provider: Provider, response: HttpResponse, url: str) -> ProviderError:
    """Returns the error for a *response* other than 200 to a request to *url*."""
    if 300 <= response.status < 400:
        from .redirects import redirected  # few servers redirect

        return redirected(provider, response, url)
    return provider.error_from(response)


async def refusal(
    provider: Provider, response: StreamingResponse, url: str, model: str = ""
) -> ProviderError:
    """Returns the error for a status other than 200, with the server's `retry_after`.

    Args:
        url: That of the request.
        model: The id that was asked, "" for a request without one.
    """
    parts = []
    try:
        while data := await response.read():
            parts.append(data)
    except CallError:  # the status and the part that arrived suffice
        pass
    document = HttpResponse(response.status, response.headers, b"".join(parts), model)
    error = error_of(provider, document, url)
    now = datetime.now(UTC)
    error.retry_after = retry_after(document.headers, document.body, now=now)
    error.request_rate = request_rate(document.headers, now=now)
    wish = response.headers.get("x-should-retry", "").lower()
    is_final = error.status in FINAL_STATUSES or isinstance(error, FINAL_ERRORS)
    if wish in ("true", "false") and not is_final:
        error.outcome = Outcome.REFUSED if wish == "true" else Outcome.FINAL
    return error
