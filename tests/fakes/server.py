"""Six fake providers behind one server on loopback, in a thread with a loop of its own."""

from __future__ import annotations

import asyncio
import json
import secrets
import threading
from collections import defaultdict, deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from .reply import Reply, document, refusal, stream

# What each provider's SDK takes as its base URL, below the server's root.
PREFIXES = {
    "openai": "/openai/v1",
    "anthropic": "/anthropic",
    "google": "/google",
    "mistral": "/mistral",
    "openrouter": "/openrouter/api/v1",
    "ollama": "/ollama",
}
KEYED = ("authorization", "x-api-key", "x-goog-api-key")


@dataclass
class Asked:
    """One request that came.

    Attributes:
        connection: Which connection it came over, from 0.
        ended: Set once its answer was sent or its client had gone.
        left: True where the client went before the end.
    """

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: Any
    connection: int
    ended: threading.Event = field(default_factory=threading.Event)
    left: bool = False


class FakeProviders:
    """A context manager; `answer()` queues what the next requests get.

    Attributes:
        key: The only key that is accepted.
        asked: All requests so far, by provider.
    """

    def __init__(self) -> None:
        self.key = "sk-fake-" + secrets.token_hex(16)
        self.asked: dict[str, list[Asked]] = defaultdict(list)
        self._news = threading.Condition()
        self._queued: dict[str, deque[Reply | None]] = defaultdict(deque)
        # By the object and not by its id, which the next connection may get again.
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

    def base_url(self, provider: str) -> str:
        """What that provider's SDK takes as its base URL."""
        return self.root + PREFIXES[provider]

    def answer(self, provider: str, *replies: Reply) -> None:
        """Queues *replies* for the next requests; after them all is well again."""
        self._queued[provider].extend(replies)

    def hold(self, provider: str, good: int, *replies: Reply) -> None:
        """As `answer`, after *good* requests that are answered as usual."""
        self._queued[provider].extend([None] * good)
        self._queued[provider].extend(replies)

    def wait_until_asked(self, provider: str, timeout: float = 30.0) -> Asked:
        """The first request for *provider*, waited for."""
        with self._news:
            assert self._news.wait_for(lambda: self.asked[provider], timeout)
            return self.asked[provider][0]

    def reset(self) -> None:
        """Forgets what was asked and queued."""
        self.asked.clear()
        self._queued.clear()

    async def _start(self) -> str:
        app = web.Application(client_max_size=64 * 2**20)
        app.router.add_route("*", "/{path:.*}", self._serve)
        self._runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        host, port = self._runner.addresses[0][:2]
        return f"http://{host}:{port}"

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        provider = next(
            p for p, prefix in PREFIXES.items() if request.path.startswith(prefix + "/")
        )
        raw = await request.read()
        asked = Asked(
            request.method, request.raw_path.split("?")[0], request.query_string,
            {k.lower(): v for k, v in request.headers.items()},
            json.loads(raw) if raw else None,
            self._connections.setdefault(request.protocol, len(self._connections)),
        )  # fmt: skip
        with self._news:
            self.asked[provider].append(asked)
            self._news.notify_all()
        queued = self._queued[provider]
        reply = (queued.popleft() if queued else None) or self._usual(provider, asked)
        try:
            return await _send(request, reply)
        except (ConnectionError, asyncio.CancelledError):
            asked.left = True
            raise
        finally:
            asked.ended.set()

    def _usual(self, provider: str, asked: Asked) -> Reply:
        sent = " ".join(asked.headers.get(name, "") for name in KEYED)
        if self.key not in sent and provider != "ollama":
            return refusal(provider, "401")
        path = asked.path.removeprefix(PREFIXES[provider])
        if asked.method == "POST":
            streamed = "stream" in path or bool((asked.body or {}).get("stream"))
            return stream(provider) if streamed else document(provider, "chat")
        if path == "/key":
            return document(provider, "key")
        if path == "/api/version":
            return Reply(
                pieces=(b'{"version":"0.40.12"}',), headers={"content-type": "application/json"}
            )
        return document(provider, "models")


async def _send(request: web.Request, reply: Reply) -> web.StreamResponse:
    await asyncio.sleep(reply.headers_after_s)
    response = web.StreamResponse(status=reply.status, headers=dict(reply.headers))
    await response.prepare(request)
    for number, piece in enumerate(reply.pieces):
        if number:
            await asyncio.sleep(reply.gap_s)
        await response.write(piece)
    transport = request.transport
    if reply.ending == "close":
        await response.write_eof()
    elif reply.ending in ("silence", "drip"):
        while True:  # until the client has had enough
            await asyncio.sleep(0.02)
            if reply.ending == "drip":
                await response.write(b": still here\n\n")
    elif transport is not None:
        transport.abort() if reply.ending == "reset" else transport.close()
    return response
