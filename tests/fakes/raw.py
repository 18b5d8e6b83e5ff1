"""Servers that send bytes instead of HTTP: silent, dripping, scripted, with a bad certificate."""

from __future__ import annotations

import select
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

SELF_SIGNED = Path(__file__).with_name("self_signed.pem")
CERTIFICATES = Path(__file__).with_name("certificates")  # of CAs, by their flaw
PAUSE_S = 0.02

Talk = Callable[[socket.socket], None]  # handles one connection, until it returns


def silence(connection: socket.socket) -> None:
    """Listens, and never sends a byte."""
    while connection.recv(65536):
        pass


def dripping(connection: socket.socket) -> None:
    """Sends a status line, and then a header that never ends, byte by byte."""
    read_request(connection)
    connection.sendall(b"HTTP/1.1 200 OK\r\nx-long: ")
    while not _gone(connection):
        connection.sendall(b"x")


def saying(*pieces: bytes) -> Talk:
    """Reads one request, sends *pieces* unchanged, and closes the connection."""

    def talk(connection: socket.socket) -> None:
        read_request(connection)
        for piece in pieces:
            connection.sendall(piece)

    return talk


def with_early_hints(body: bytes, kind: str = "application/json") -> Talk:
    """Sends a 103 before the answer."""
    head = f"HTTP/1.1 200 OK\r\ncontent-type: {kind}\r\ncontent-length: {len(body)}\r\n\r\n"
    return saying(b"HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n", head.encode(), body)


def read_request(connection: socket.socket) -> bytes:
    """Reads one request to the end of its body; returns b"" if the client left before."""
    received = b""
    while b"\r\n\r\n" not in received:
        more = connection.recv(65536)
        if not more:
            return b""
        received += more
    head, _, body = received.partition(b"\r\n\r\n")
    fields = (line.partition(b":") for line in head.lower().split(b"\r\n"))
    size = next((int(value) for name, _, value in fields if name == b"content-length"), 0)
    while len(body) < size:
        body += connection.recv(65536)
    return head + b"\r\n\r\n" + body


@contextmanager
def closed_port() -> Iterator[str]:
    """Yields the root URL of a server that does not run; holds its port meanwhile."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{held.getsockname()[1]}"


class RawServer:
    """A server with one thread per connection, which runs *talk*; a context manager.

    Attributes:
        root: Its root URL, after the start.
        came: Number of connections so far.
    """

    def __init__(self, talk: Talk, *, tls: bool = False, certificate: Path = SELF_SIGNED) -> None:
        self.root = ""
        self.came = 0
        self._talk = talk
        self._tls = _context(certificate) if tls else None
        self._stopped = threading.Event()
        self._connections: list[socket.socket] = []
        self._threads: list[threading.Thread] = []

    def __enter__(self) -> RawServer:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.settimeout(PAUSE_S)
        scheme = "https" if self._tls else "http"
        self.root = f"{scheme}://127.0.0.1:{self._listener.getsockname()[1]}"
        self._start(self._accept)
        return self

    def __exit__(self, *failure: object) -> None:
        self._stopped.set()
        self._threads[0].join()  # no connection is added after this
        for connection in self._connections:
            _wake(connection)
        for thread in self._threads:
            thread.join()
        self._listener.close()

    def _start(self, work: Callable[..., None], *given: object) -> None:
        thread = threading.Thread(target=work, args=given, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while not self._stopped.is_set():
            try:
                connection, _ = self._listener.accept()
            except TimeoutError:
                continue
            connection.setblocking(True)
            self.came += 1
            self._connections.append(connection)
            self._start(self._serve, connection)

    def _serve(self, connection: socket.socket) -> None:
        with connection:
            try:
                if self._tls is None:
                    self._talk(connection)
                else:
                    with self._tls.wrap_socket(connection, server_side=True) as wrapped:
                        # The wrapped socket has replaced it, and is the one to wake.
                        self._connections.append(wrapped)
                        self._talk(wrapped)
            except OSError:
                return  # the client has left or refused the certificate, as it may


def _context(certificate: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return context


def _gone(connection: socket.socket) -> bool:
    readable, _, _ = select.select([connection], [], [], PAUSE_S)
    return bool(readable) and not connection.recv(65536)


def _wake(connection: socket.socket) -> None:
    try:
        connection.shutdown(socket.SHUT_RDWR)
    except OSError:
        return  # it has already ended
