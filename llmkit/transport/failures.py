"""What a failure of aiohttp is called here, and what it leaves in doubt."""

from __future__ import annotations

import asyncio
import ssl

import aiohttp

from ..errors import APIConnectionError, BadResponseError, CallError, ConfigError, Outcome, shorten
from ..secret import redact
from ..wire.messages import HttpRequest
from .base import DROPPED
from .timeouts import RequestDeadline

STALE_S = 1.0  # a reused connection that fails sooner had been closed before our request


def too_long(status: int, limit: int) -> BadResponseError:
    """An answer of more than *limit* bytes."""
    return BadResponseError(
        f"the answer is longer than {limit:,} bytes; ask for fewer tokens",
        status=status,
        outcome=Outcome.STREAMED,
        possibly_billed=True,
    )


def broken(error: Exception, status: int) -> CallError:
    """A connection that ended in the middle of an answer."""
    is_early = isinstance(error, aiohttp.ClientPayloadError)
    return APIConnectionError(
        "the connection broke in the middle of the answer "
        f"({'it ended too early' if is_early else _words(error)}); ask again",
        status=status,
        outcome=Outcome.STREAMED,
        possibly_billed=True,
    )


def unsent_or_ambiguous(
    error: Exception, request: HttpRequest, deadline: RequestDeadline
) -> Exception:
    """A request to which no answer began, however far it had got."""
    where = "/".join(redact(request.url).split("/", 3)[:3])
    if isinstance(error, aiohttp.InvalidURL):
        return ConfigError(f"{shorten(redact(request.url), 80)!r} is not a URL; check the base URL")
    if isinstance(error, ssl.SSLCertVerificationError | aiohttp.ClientConnectorCertificateError):
        return APIConnectionError(
            f"{where} did not prove who it is ({_words(error)}); the request was not sent",
            code="tls",
            outcome=Outcome.FINAL,
        )
    connect_errors = (
        aiohttp.ClientConnectorSSLError | aiohttp.ClientConnectorDNSError
        | aiohttp.ClientHttpProxyError
    )  # fmt: skip
    if isinstance(error, connect_errors):
        return _no_way_to(where, error)
    if isinstance(error, aiohttp.ClientConnectorError):
        return APIConnectionError(
            f"nobody answers at {where} ({_words(error.os_error)}); is the server running?",
            code="refused",
            outcome=Outcome.UNSENT,
        )
    if isinstance(error, aiohttp.ServerDisconnectedError | ConnectionError | aiohttp.ClientOSError):
        return _hung_up(where, error, request, deadline)
    return BadResponseError(
        f"{where} answered with something that is not HTTP ({_words(error)})",
        possibly_billed=request.method == "POST",
    )


def _no_way_to(where: str, error: Exception) -> CallError:
    if isinstance(error, aiohttp.ClientHttpProxyError):
        is_final = error.status in (401, 403, 407)
        return APIConnectionError(
            f"the proxy did not connect to {where} ({error.status}); check the proxy's address and "
            "what it allows",
            code="proxy",
            outcome=Outcome.FINAL if is_final else Outcome.UNSENT,
        )
    if isinstance(error, aiohttp.ClientConnectorDNSError):
        return APIConnectionError(
            f"no address found for {where}; check the base URL, or are you offline?",
            code="dns",
            outcome=Outcome.UNSENT,
        )
    return APIConnectionError(
        f"no TLS connection to {where} ({_words(error)}); a server that speaks plain http "
        "wants http:// in its base URL",
        code="tls",
        outcome=Outcome.FINAL,
    )


def _hung_up(
    where: str, error: Exception, request: HttpRequest, deadline: RequestDeadline
) -> CallError:
    wait_s = asyncio.get_running_loop().time() - deadline.written_at
    # The connection was gone before the whole request could be given to it: nobody answers that.
    is_unwritten = isinstance(error.__cause__, aiohttp.ClientConnectionResetError)
    if deadline.reused and (is_unwritten or wait_s < STALE_S):
        # Most likely the server had closed the kept connection before our request came.
        return APIConnectionError(
            f"{where} had closed the connection that was kept open to it",
            code=DROPPED,
            outcome=Outcome.REFUSED,
        )
    if is_unwritten:
        return APIConnectionError(
            f"{where} hung up before it had the whole request; try again", outcome=Outcome.UNSENT
        )
    is_paid = request.method == "POST"
    advice = "it may have been billed, so it was not sent again" if is_paid else "try again"
    return APIConnectionError(
        f"{where} hung up without an answer ({_words(error)}); {advice}", possibly_billed=is_paid
    )


def _words(error: Exception) -> str:
    # A ClientResponseError's text repeats the URL and a status that nobody sent.
    message = redact(str(getattr(error, "message", error)) or type(error).__name__)
    return shorten(message.replace("<", " ").replace(">", " "), 160)  # no markup in a message
