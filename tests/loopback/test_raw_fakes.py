"""Servers that send no HTTP behave as declared too."""

from __future__ import annotations

import socket
import ssl
import urllib.error
import urllib.request
from http.client import HTTPException
from urllib.parse import urlsplit

import pytest

from tests.fakes import raw
from tests.patience import SOON_S


def fetch(url):
    """Returns the text or the exception that urllib gives for *url*."""
    try:
        with urllib.request.urlopen(url, timeout=SOON_S) as answer:
            return answer.read()
    except (urllib.error.URLError, HTTPException, OSError) as error:
        return error


def test_nobody_listens_on_a_closed_port():
    """A connection is refused, at once and for as long as the port is held."""
    with raw.closed_port() as root:
        error = fetch(root)

    assert isinstance(error.reason, ConnectionRefusedError)


def say(server, request=b"POST / HTTP/1.1\r\nContent-Length: 2\r\n\r\n{}"):
    """Returns a connection over which *request* has been sent."""
    held = socket.create_connection(("127.0.0.1", urlsplit(server.root).port), SOON_S)
    held.sendall(request)
    return held


def heard(held, at_least):
    """Returns the bytes received up to that number, or to the end."""
    received = b""
    while len(received) < at_least and (more := held.recv(65536)):
        received += more
    return received


def test_a_silent_server_takes_a_request_and_says_nothing():
    """A client gets neither a status nor an end, and the server can still be stopped."""
    with raw.RawServer(raw.silence) as server, say(server) as held:
        held.settimeout(0.1)
        with pytest.raises(TimeoutError):
            held.recv(1)

    assert server.came == 1


def test_headers_drip_and_never_end():
    """Bytes keep arriving, so no socket timeout passes, but the headers never end."""
    start = b"HTTP/1.1 200 OK\r\nx-long: "

    with raw.RawServer(raw.dripping) as server, say(server) as held:
        received = heard(held, len(start) + 5)

    assert received == start + b"x" * (len(received) - len(start))


def test_bytes_are_said_as_they_are():
    """A scripted answer reaches its client unchanged, and then the connection ends."""
    with raw.RawServer(raw.saying(b"not ", b"http")) as server, say(server) as held:
        received = heard(held, 100)

    assert received == b"not http"


def test_early_hints_come_before_an_answer():
    """A 103 is sent first, and then the answer."""
    with raw.RawServer(raw.with_early_hints(b'{"a": 1}')) as server, say(server) as held:
        hints, answer, body = heard(held, 1000).split(b"\r\n\r\n")

    assert (hints.split(b"\r\n")[0], answer.split(b"\r\n")[0]) == (
        b"HTTP/1.1 103 Early Hints",
        b"HTTP/1.1 200 OK",
    )
    assert body == b'{"a": 1}'


def test_a_bad_certificate_is_refused():
    """A client that verifies stops at the handshake."""
    with raw.RawServer(raw.saying(b"secret"), tls=True) as server:
        error = fetch(server.root)

    assert isinstance(error.reason, ssl.SSLCertVerificationError)
