"""Translates the exceptions of aiohttp into errors that say how far a request got."""

from __future__ import annotations

import asyncio
import ssl

import aiohttp

from ..errors import APIConnectionError, BadResponseError, CallError, ConfigError, Outcome, shorten
from ..secret import redact
from ..wire.messages import HttpRequest
from .base import DROPPED
from .timeouts import RequestDeadline

STALE_S = 1.0  # if a reused connection fails sooner, the server had already closed it


def too_long(status: int, limit: int) -> BadResponseError:
    """Returns the error for an answer of more than *limit* bytes."""
    message = f"the answer is longer than {limit:,} bytes; ask for fewer tokens"
    return BadResponseError(message, status=status, outcome=Outcome.STREAMED, possibly_billed=True)


def broken(error: Exception, status: int) -> CallError:
    """Returns the error for a connection that broke in the middle of an answer."""
    is_early = isinstance(error, aiohttp.ClientPayloadError)
    reason = "it ended too early" if is_early else _words(error)
    return APIConnectionError(
        f"the connection broke in the middle of the answer ({reason}); ask again",
        status=status, outcome=Outcome.STREAMED, possibly_billed=True,
    )  # fmt: skip


def unsent_or_ambiguous(
    error: Exception, request: HttpRequest, deadline: RequestDeadline
) -> Exception:
    """Returns the error for a request whose answer never began."""
    where = "/".join(redact(request.url).split("/", 3)[:3])
    if isinstance(error, aiohttp.InvalidURL):
        return ConfigError(f"{shorten(redact(request.url), 80)!r} is not a URL; check the base URL")
    if isinstance(error, ssl.SSLCertVerificationError | aiohttp.ClientConnectorCertificateError):
        message = f"TLS certificate verification failed for {where} ({_words(error)})"
        return APIConnectionError(
            f"{message}; the request was not sent", code="tls", outcome=Outcome.FINAL
        )
    if isinstance(error, aiohttp.ClientConnectorError | aiohttp.ClientHttpProxyError):
        return _not_connected(where, error)
    if isinstance(error, aiohttp.ServerDisconnectedError | ConnectionError | aiohttp.ClientOSError):
        return _disconnected(where, error, request, deadline)
    message = f"the answer of {where} is not HTTP ({_words(error)}); check the base URL"
    return BadResponseError(message, possibly_billed=request.method == "POST")


def _not_connected(
    where: str, error: aiohttp.ClientConnectorError | aiohttp.ClientHttpProxyError
) -> CallError:
    if isinstance(error, aiohttp.ClientHttpProxyError):
        message = f"the proxy did not connect to {where} ({error.status}); check its address"
        outcome = Outcome.FINAL if error.status in (401, 403, 407) else Outcome.UNSENT
        return APIConnectionError(f"{message} and access rules", code="proxy", outcome=outcome)
    if isinstance(error, aiohttp.ClientConnectorSSLError):
        message = f"no TLS connection to {where} ({_words(error)}); if the server speaks plain http"
        return APIConnectionError(
            f"{message}, its base URL must begin with http://", code="tls", outcome=Outcome.FINAL
        )
    if isinstance(error, aiohttp.ClientConnectorDNSError):
        message = f"DNS lookup failed for {where}; check the base URL and the network"
        return APIConnectionError(message, code="dns", outcome=Outcome.UNSENT)
    message = f"no connection to {where} ({_words(error.os_error)}); check that the server runs"
    return APIConnectionError(message, code="refused", outcome=Outcome.UNSENT)


def _disconnected(
    where: str, error: Exception, request: HttpRequest, deadline: RequestDeadline
) -> CallError:
    wait_s = asyncio.get_running_loop().time() - deadline.written_at
    # The connection closed before the whole request was written, so no answer can follow.
    is_unwritten = isinstance(error.__cause__, aiohttp.ClientConnectionResetError)
    if deadline.reused and (is_unwritten or wait_s < STALE_S):
        # Very probably the server closed the idle connection before the request arrived.
        message = f"{where} closed the keep-alive connection before the request"
        return APIConnectionError(message, code=DROPPED, outcome=Outcome.REFUSED)
    if is_unwritten:
        message = f"{where} closed the connection before it had the whole request; try again"
        return APIConnectionError(message, outcome=Outcome.UNSENT)
    is_paid = request.method == "POST"
    advice = "it may have been billed, so it was not sent again" if is_paid else "try again"
    message = f"{where} closed the connection without an answer ({_words(error)}); {advice}"
    return APIConnectionError(message, possibly_billed=is_paid)


def _words(error: Exception) -> str:
    # The text of a ClientResponseError repeats the URL and a status that the server did not send.
    message = redact(str(getattr(error, "message", error)) or type(error).__name__)
    return shorten(message.replace("<", " ").replace(">", " "), 160)  # no markup in a message
