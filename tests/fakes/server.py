"""Runs sets of six fake providers behind one loopback server, in a thread with its own loop."""

from __future__ import annotations

import asyncio
import json
import secrets
import socket
import ssl
import struct
import threading
import time
from collections import defaultdict, deque
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from aiohttp import web

from .raw import SELF_SIGNED
from .reply import Reply, document, refusal, stream
from .routes import OPEN_LISTS, complaint, has_key, route_of

# The base URL that each provider's SDK takes, below the server's root.
PREFIXES = {
    "openai": "/openai/v1",
    "anthropic": "/anthropic",
    "google": "/google",
    "mistral": "/mistral",
    "openrouter": "/openrouter/api/v1",
    "ollama": "/ollama",
}
JSON = {"content-type": "application/json"}
RESET = struct.pack("ii", 1, 0)  # a linger time of zero, so that close() sends RST and not FIN


@dataclass
class Asked:
    """One received request.

    Attributes:
        connection: Number of its connection, from 0.
        at: Arrival in seconds of `time.monotonic`.
        ended: Set once its answer was sent or its client left.
        left: True if the client left before the end.
        let_through: False if the limit on requests refused it.
        reply: Its reply.
    """

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: Any
    connection: int
    at: float = field(default_factory=time.monotonic)
    ended: threading.Event = field(default_factory=threading.Event)
    left: bool = False
    let_through: bool = True
    reply: Reply | None = None

    @property
    def model(self) -> str | None:
        """The id in the request, in the place that the provider reads."""
        if self.method == "GET":
            return None
        return self.body.get("model") or self.path.rsplit("/", 1)[1].split(":")[0]


class Room:
    """The requests to one set of six providers, and its queued replies.

    Attributes:
        root: Its root URL.
        key: The only key that is accepted.
        asked: All requests so far, by provider.
    """

    def __init__(self, root: str = "") -> None:
        self.root = root
        self.key = "sk-fake-" + secrets.token_hex(16)
        self.asked: dict[str, list[Asked]] = defaultdict(list)
        self._news = threading.Condition()
        self._queued: dict[str, deque[Reply | None]] = defaultdict(deque)
        self._always: dict[str, Reply] = {}
        self._per_second: dict[str, int] = {}
        self._only: dict[str, tuple[str, ...]] = {}

    def base_url(self, provider: str) -> str:
        """Returns the base URL for that provider's SDK."""
        return self.root + PREFIXES[provider]

    def answer(self, provider: str, *replies: Reply) -> None:
        """Queues *replies* for the next requests; later requests are answered normally."""
        self._queued[provider].extend(replies)

    def hold(self, provider: str, good: int, *replies: Reply) -> None:
        """Queues *replies* as `answer` does, after *good* requests that are answered normally."""
        self._queued[provider].extend([None] * good)
        self._queued[provider].extend(replies)

    def always(self, provider: str, reply: Reply) -> None:
        """Gives *reply* to every request for which nothing is queued."""
        self._always[provider] = reply

    def only(self, provider: str, *models: str) -> None:
        """Serves only these models, and answers 404 for any other."""
        self._only[provider] = models

    def limit(self, provider: str, per_second: int) -> None:
        """Accepts this number of requests in any second, and refuses others for a second."""
        self._per_second[provider] = per_second

    def wait_until_asked(self, provider: str, timeout: float = 30.0) -> Asked:
        """Waits for the first request to *provider*, and returns it."""
        with self._news:
            assert self._news.wait_for(lambda: self.asked[provider], timeout)
            return self.asked[provider][0]

    def reset(self) -> None:
        """Forgets all requests and queued replies."""
        self.asked.clear()
        self._queued.clear()
        self._always.clear()
        self._per_second.clear()
        self._only.clear()

    def reply_to(self, provider: str, asked: Asked) -> Reply:
        """Records *asked*, and returns its reply."""
        with self._news:
            self.asked[provider].append(asked)
            self._news.notify_all()
        queued = self._queued[provider]
        told = (queued.popleft() if queued else None) or self._always.get(provider)
        if told is not None:
            return told
        return self._too_many(provider, asked) or self._usual(provider, asked)

    def _too_many(self, provider: str, asked: Asked) -> Reply | None:
        if provider not in self._per_second:
            return None
        asked.let_through = False
        recent = [a for a in self.asked[provider] if a.let_through and a.at > asked.at - 1.0]
        if len(recent) < self._per_second[provider]:
            asked.let_through = True
            return None
        # A busy Ollama sends 503; it does not count requests.
        limited = refusal(provider, "503" if provider == "ollama" else "429")
        # Google gives the wait in the body.
        pieces = tuple(piece.replace(b'"34s"', b'"1s"') for piece in limited.pieces)
        return replace(limited, pieces=pieces, headers={**JSON, "retry-after": "1"})

    def _usual(self, provider: str, asked: Asked) -> Reply:
        path = asked.path.removeprefix(PREFIXES[provider])
        what = route_of(provider, asked.method, path)
        if what is None:
            return Reply(404, (b'{"detail":"Not Found"}',), JSON)
        listed = what == "models" and provider in OPEN_LISTS
        if not listed and not has_key(provider, asked.headers, self.key):
            return refusal(provider, "401")
        wrong = complaint(provider, asked.headers, asked.body)
        if wrong is not None:
            error = {"type": "invalid_request_error", "message": wrong}
            return Reply(400, (json.dumps({"type": "error", "error": error}).encode(),), JSON)
        if provider in self._only and asked.model not in (None, *self._only[provider]):
            return refusal(provider, "404")
        return _answer(provider, what, asked)


class FakeProviders(Room):
    """The server and its first set of providers; a context manager.

    With *tls* it has an untrusted certificate.

    Attributes:
        rooms: Further sets of six providers behind the same socket, by the name in their path.
    """

    def __init__(self, *, tls: bool = False) -> None:
        super().__init__()
        self._tls = tls
        self.rooms: dict[str, Room] = {}
        # By the object, because the next connection may have the same id.
        self._connections: dict[object, int] = {}
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    def __enter__(self) -> FakeProviders:
        self._thread.start()
        self.root = asyncio.run_coroutine_threadsafe(self._start(), self._loop).result()
        return self

    def __exit__(self, *failure: object) -> None:
        asyncio.run_coroutine_threadsafe(self._runner.cleanup(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def room(self) -> Room:
        """Returns a new set of six providers with its own key."""
        name = f"room-{len(self.rooms)}"
        room = self.rooms[name] = Room(f"{self.root}/{name}")
        return room

    @property
    def open_connections(self) -> int:
        """Returns the number of open connections."""
        return len(self._runner.server.connections)

    def wait_until_left(self, timeout: float = 30.0) -> None:
        """Waits until no client has an open connection."""
        deadline = time.monotonic() + timeout
        while self.open_connections:
            assert time.monotonic() < deadline, f"{self.open_connections} are still connected"
            time.sleep(0.01)

    async def _start(self) -> str:
        app = web.Application(client_max_size=64 * 2**20)
        app.router.add_route("*", "/{path:.*}", self._serve)
        self._runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0, ssl_context=_tls() if self._tls else None)
        await site.start()
        host, port = self._runner.addresses[0][:2]
        return f"http{'s' if self._tls else ''}://{host}:{port}"

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        first, _, rest = request.path.removeprefix("/").partition("/")
        room = self.rooms.get(first, self)
        path = f"/{rest}" if room is not self else request.path
        provider = next(p for p, prefix in PREFIXES.items() if path.startswith(prefix + "/"))
        raw = await request.read()
        asked = Asked(
            request.method,
            request.raw_path.split("?")[0].removeprefix(f"/{first}" if room is not self else ""),
            request.query_string,
            {k.lower(): v for k, v in request.headers.items()},
            json.loads(raw) if raw else None,
            self._connections.setdefault(request.protocol, len(self._connections)),
        )
        try:
            asked.reply = room.reply_to(provider, asked)
            return await _send(request, asked.reply)
        except (ConnectionError, asyncio.CancelledError):
            asked.left = True
            raise
        finally:
            asked.ended.set()


def _tls() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(SELF_SIGNED)
    return context


def _answer(provider: str, what: str, asked: Asked) -> Reply:
    if what == "version":
        return Reply(pieces=(b'{"version":"0.40.12"}',), headers=JSON)
    if what == "stream" and "alt=sse" not in asked.query:
        return document(provider, "stream_array")  # Google streams one JSON array without alt=sse
    # Ollama streams by default.
    unsaid = provider == "ollama"
    if what == "stream" or (what == "chat" and asked.body.get("stream", unsaid)):
        return stream(provider)
    return document(provider, what)


async def _send(request: web.Request, reply: Reply) -> web.StreamResponse:
    await asyncio.sleep(reply.headers_after_s)
    response = web.StreamResponse(status=reply.status, headers=dict(reply.headers))
    if reply.answered:
        await response.prepare(request)
        await asyncio.sleep(reply.first_after_s)
        for number, piece in enumerate(reply.pieces):
            if number:
                await asyncio.sleep(reply.gap_s)
            await response.write(piece)
    await _end(request, response, reply)
    return response


async def _end(request: web.Request, response: web.StreamResponse, reply: Reply) -> None:
    transport = request.transport
    if reply.ending in ("close", "leave"):
        await response.write_eof()
    while reply.ending in ("silence", "drip"):  # until the client closes the connection
        await asyncio.sleep(0.02)
        if reply.ending == "drip":
            await response.write(reply.drip)
    if transport is None or reply.ending == "close":
        return
    if reply.ending == "reset":
        held: socket.socket = transport.get_extra_info("socket")
        held.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        transport.abort()
    else:
        transport.close()
