"""Translates the exceptions of aiohttp into errors that say how far a request got."""

from __future__ import annotations

import asyncio
import ssl
from urllib.parse import urlsplit

import aiohttp

from ..errors import APIConnectionError, BadResponseError, CallError, ConfigError, Outcome, shorten
from ..secret import redact
from ..wire.messages import HttpRequest
from . import certificates
from .proxies import proxy_advice, proxy_name
from .timeouts import RequestDeadline

DROPPED = "dropped"  # error code: a kept connection was closed, very probably before the request
STALE_S = 1.0  # if a reused connection fails sooner, the server had already closed it
PROXY_REFUSES = (401, 403, 407)  # a proxy's statuses that a retry does not change
# The X509_V_ERR_* codes that only strict verification reports, the default of Python 3.13
# (openssl/x509_vfy.h and docs.python.org/3.13/library/ssl.html, read 2026-11-30).
STRICT = range(80, 95)
FLAWS = {
    85: ("a certificate of its chain lacks the authority key identifier extension",
         "authorityKeyIdentifier = keyid"),
    86: ("its CA certificate lacks the subject key identifier extension",
         "subjectKeyIdentifier = hash"),
    89: ("the basic constraints of its CA certificate are not marked critical",
         "basicConstraints = critical, CA:TRUE"),
    92: ("its CA certificate lacks the key usage extension",
         "keyUsage = critical, keyCertSign, cRLSign"),
}  # fmt: skip
CHECK = "check the connection"
NO_ISSUER = (18, 19, 20, 21)  # no certificate of the chain is trusted


def too_long(status: int, limit: int) -> BadResponseError:
    """Returns the error for an answer of more than *limit* bytes."""
    message = f"the answer is longer than {limit:,} bytes; ask for fewer tokens"
    return BadResponseError(message, status=status, outcome=Outcome.STREAMED, possibly_billed=True)


def broken(error: Exception, status: int) -> CallError:
    """Returns the error for a connection that broke in the middle of an answer."""
    is_early = isinstance(error, aiohttp.ClientPayloadError)
    reason = "it ended too early" if is_early else _words(error).rstrip(".")
    return APIConnectionError(
        f"the connection broke in the middle of the answer ({reason}); ask again",
        status=status, outcome=Outcome.STREAMED, possibly_billed=True,
    )  # fmt: skip


def unsent_or_ambiguous(
    error: Exception, request: HttpRequest, deadline: RequestDeadline, *, with_proxies: bool
) -> Exception:
    """Returns the error for a request whose answer never began.

    *with_proxies* is True if the session uses the environment's proxies.
    """
    where = "/".join(redact(request.url).split("/", 3)[:3])
    proxy = proxy_advice(request.url, is_used=True) if with_proxies else ""
    if isinstance(error, aiohttp.InvalidURL | aiohttp.NonHttpUrlClientError):
        address = shorten(redact(request.url), 80)
        return ConfigError(proxy or f"{address!r} is not a URL; check the base URL")
    if isinstance(error, ssl.SSLCertVerificationError | aiohttp.ClientConnectorCertificateError):
        message = f"TLS certificate verification failed for {where}{_fault_of(error)}"
        return APIConnectionError(
            f"{message}; the request was not sent", code="tls", outcome=Outcome.FINAL
        )
    kinds = aiohttp.ClientConnectorError | aiohttp.ClientHttpProxyError
    if deadline.phase == "connect" or isinstance(error, kinds):
        return _not_connected(where, error, request.url, with_proxies=with_proxies)
    if isinstance(error, aiohttp.ServerDisconnectedError | OSError):
        return _disconnected(where, error, request, deadline)
    is_paid = request.method == "POST"
    if not isinstance(error, aiohttp.ClientError):
        # Older releases of aiohttp raise a ValueError for a proxy of another kind.
        message = f"the request to {where} failed ({_words(error)}); {proxy or CHECK}"
        outcome = Outcome.FINAL if proxy else Outcome.AMBIGUOUS
        return APIConnectionError(message, outcome=outcome, possibly_billed=is_paid and not proxy)
    message = f"the answer of {where} is not HTTP ({_words(error)}); check the base URL"
    return BadResponseError(message, possibly_billed=is_paid)


def _fault_of(error: Exception) -> str:
    """Returns what is wrong with the server's certificate, and what to do about it."""
    cause = getattr(error, "certificate_error", error)  # aiohttp wraps the error of ssl
    code, words = getattr(cause, "verify_code", 0), getattr(cause, "verify_message", "")
    if code in FLAWS:
        flaw, option = FLAWS[code]
        verb = "require" if "lacks" in flaw else "refuse"
        return f": {flaw}, which Python 3.13 and later {verb}; create it again with {option}"
    if code in STRICT:
        return f": {words}, which Python 3.13 and later refuse; create its certificates again"
    advice = f"; {certificates.advice()}" if code in NO_ISSUER else ""
    return f" ({words or _words(error)}){advice}"


def _not_connected(where: str, error: Exception, url: str, *, with_proxies: bool) -> CallError:
    """Returns the error for a request without a connection to the server: nothing was billed."""
    code, outcome = "proxy", Outcome.UNSENT
    advice = proxy_advice(url, is_used=with_proxies)
    check = advice or f"check its address, {proxy_name(url)}"
    if isinstance(error, aiohttp.ClientHttpProxyError):
        message = f"the proxy did not connect to {where} ({error.status}); "
        message += f"{check}, and its access rules"
        if error.status == 407:
            message = f"the proxy for {where} wants authentication (407); write its user name and "
            message += f"password into its URL, {proxy_name(url)}"
        outcome = Outcome.FINAL if error.status in PROXY_REFUSES else Outcome.UNSENT
    elif isinstance(error, aiohttp.ClientConnectorSSLError):
        code, outcome = "tls", Outcome.FINAL
        message = f"no TLS connection to {where} ({_words(error)}); if the server speaks plain "
        message += "http, its base URL must begin with http://"
    elif isinstance(error, aiohttp.ClientConnectorDNSError):
        code, name = "dns", error.host
        if with_proxies and name != urlsplit(url).hostname:
            code, advice = "proxy", check
            name = f"the proxy {name}"
        message = f"DNS lookup failed for {name}; {advice or 'check the base URL and the network'}"
    elif isinstance(error, aiohttp.ClientProxyConnectionError):
        message = f"no connection to the proxy for {where} ({_words(error.os_error)}); "
        message += check
    elif isinstance(error, aiohttp.ClientConnectorError) or not isinstance(
        error, aiohttp.ClientError
    ):
        code, words = "refused", _words(getattr(error, "os_error", error))
        message = f"no connection to {where} ({words}); {advice or 'check that the server runs'}"
    else:  # before the connection is made, only a proxy can hang up or answer
        message = f"the proxy broke off the connection to {where} ({_words(error)}); "
        message += f"{check}, or try again"
    return APIConnectionError(message, code=code, outcome=outcome)


def _disconnected(
    where: str, error: Exception, request: HttpRequest, deadline: RequestDeadline
) -> CallError:
    wait_s = asyncio.get_running_loop().time() - deadline.written_at
    # The connection closed before the whole request was written, so no answer can follow.
    is_unwritten = isinstance(error.__cause__, aiohttp.ClientConnectionResetError)
    if deadline.reused and not deadline.fresh and (is_unwritten or wait_s < STALE_S):
        message = f"{where} closed the keep-alive connection before the request"
        return APIConnectionError(message, code=DROPPED, outcome=Outcome.REFUSED)
    if is_unwritten:
        message = f"{where} closed the connection before it had the whole request; try again"
        return APIConnectionError(message, outcome=Outcome.UNSENT)
    is_paid = request.method == "POST"
    advice = "it may have been answered, so it was not sent again" if is_paid else "try again"
    message = f"{where} closed the connection without an answer ({_words(error)}); {advice}"
    return APIConnectionError(message, possibly_billed=is_paid)


def _words(error: Exception) -> str:
    # The text of a ClientResponseError repeats the URL and a status that the server did not send.
    message: object = getattr(error, "message", error)
    if not isinstance(message, str | Exception):  # aiohttp's record of unfinished headers
        message = "it ended within the headers"
    message = redact(str(message) or type(error).__name__)
    return shorten(message.replace("<", " ").replace(">", " "), 160)  # no markup in a message
