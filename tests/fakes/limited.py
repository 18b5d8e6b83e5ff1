"""A server that limits the request rate, and an event loop whose time passes without waiting."""

from __future__ import annotations

import asyncio
import json
import math
import selectors
import threading
from collections import Counter
from collections.abc import AsyncIterator, Coroutine, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, NamedTuple, TypeVar

from llmkit.retries.rate_limit import RateLimiter
from llmkit.transport.timeouts import Timeouts
from llmkit.wire.messages import HttpRequest

T = TypeVar("T")
REFUSED_AFTER_S = 0.002
# Requests per second and bucket of a server, seconds of an answer, concurrent calls, calls.
SERVERS = (
    (50, 10, 0.2, 16, 600),
    (50, 10, 0.2, 64, 600),
    (50, 10, 2.0, 200, 600),
    (8.3, 8, 2.0, 32, 300),
    (8.3, 500, 2.0, 64, 1500),
    (500, 50, 1.0, 1000, 20_000),
    (10, 10, 0.1, 8, 50),
    (1, 1, 0.5, 8, 60),
)
EVENTS = {"content-type": "text/event-stream"}
REFUSAL = b'{"error":{"message":"slow down","type":"requests","code":"rate_limit_exceeded"}}'
ANSWER = (
    b'data: {"model":"gpt-6-luna","choices":[{"index":0,"delta":{"content":"hi"},'
    b'"finish_reason":"stop"}],"usage":%s}\n\n'
    b"data: [DONE]\n\n"
)
USAGE = b'{"prompt_tokens":%d,"completion_tokens":%d}'


class VirtualLoop(asyncio.SelectorEventLoop):
    """An event loop that moves its clock to the next timer instead of waiting for it."""

    def __init__(self) -> None:
        self.now = 1000.0
        super().__init__(_Instant(self))

    def time(self) -> float:
        return self.now


class _Instant(selectors.SelectSelector):
    def __init__(self, loop: VirtualLoop) -> None:
        super().__init__()
        self._loop = loop
        self._threads = threading.active_count()

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        events = super().select(None if timeout is None else 0)
        while not events and timeout and threading.active_count() > self._threads:
            events = super().select(0.001)  # a thread imports a module: no time passes
        if not events and timeout:
            self._loop.now += timeout
        return events


def run(coroutine: Coroutine[Any, Any, T]) -> T:
    """Returns the result of *coroutine*, in virtual time."""
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(coroutine)


@dataclass
class TokenBucket:
    """Accepts *rate* requests per second, after *size* at once."""

    rate: float
    size: int
    tokens: float = field(init=False)
    _at: float = field(default=-math.inf, init=False)

    def __post_init__(self) -> None:
        self.tokens = self.size

    def wait(self, now: float) -> float | None:
        """Takes a token and returns None; without a token, the seconds until there is one."""
        self.tokens = min(self.size, self.tokens + (now - self._at) * self.rate)
        self._at = now
        if self.tokens >= 1 - 1e-9:
            self.tokens -= 1
            return None
        return (1 - self.tokens) / self.rate


@dataclass
class Windows:
    """Accepts *most* requests in each minute."""

    most: int
    accepted: Counter[int] = field(default_factory=Counter)

    def wait(self, now: float) -> float | None:
        """Counts a request and returns None; else the seconds until the next minute."""
        minute, seconds = divmod(now, 60.0)
        if self.accepted[int(minute)] == self.most:
            return 60.0 - seconds
        self.accepted[int(minute)] += 1
        return None


def retry_after(seconds: float, form: str | None) -> Mapping[str, str]:
    """Returns the headers that name a wait: exact, in whole seconds, or not at all."""
    if form is None:
        return {}
    if form == "exact":
        return {"retry-after-ms": str(math.ceil(seconds * 1000))}
    return {"retry-after": str(math.ceil(seconds))}


@dataclass
class Sent:
    """What a limited server saw, in seconds of its clock."""

    accepted: list[float] = field(default_factory=list)
    refused: list[float] = field(default_factory=list)

    @property
    def seconds(self) -> float:
        """The time from the first request to the last accepted one."""
        return self.accepted[-1] - min(self.accepted + self.refused)

    @property
    def refused_later(self) -> int:
        """The refusals after the first second."""
        return sum(at > self.accepted[0] + 1.0 for at in self.refused)


async def calls(
    bucket: TokenBucket | Windows, *, count: int, at_once: int, latency: float, form: str | None
) -> Sent:
    """Sends *count* calls through one limiter, each until it is accepted."""
    loop, sent = asyncio.get_running_loop(), Sent()
    limiter = RateLimiter(clock=loop.time)

    async def call() -> None:
        is_again = False
        while True:
            if not limiter.acquire_now(at_once):
                await limiter.acquire(at_once, again=is_again, group="run", longest_s=900.0)
            epoch = limiter.pace.epoch
            await asyncio.sleep(REFUSED_AFTER_S / 2)
            wait = bucket.wait(loop.time())
            (sent.accepted if wait is None else sent.refused).append(loop.time())
            await asyncio.sleep(latency if wait is None else REFUSED_AFTER_S / 2)
            limiter.release()
            if wait is None:
                limiter.accepted()
                return
            limiter.refused(epoch=epoch)
            if form is not None:
                limiter.pause(wait if form == "exact" else math.ceil(wait), 900.0)
            is_again = True

    await asyncio.gather(*(call() for _ in range(count)))
    return sent


@dataclass
class Response:
    """A whole answer in one read."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    async def read(self) -> bytes:
        body, self.body = self.body, b""
        return body

    def content_received(self) -> None:
        """Does nothing."""

    def finish_within(self, within_s: float) -> None:
        """Does nothing."""


class Closed(NamedTuple):
    """Refuses every request with a *status* from *start* to *end*, and asks for *seconds*."""

    status: int
    seconds: float
    start: float
    end: float


class LimitedTransport:
    """A transport to a server with a *bucket*, in the dialect of OpenAI.

    Attributes:
        sent: What it saw.
        in_flight: The requests that it answers now.
        pauses: Seconds of the next refusals, by the number of the accepted request before them.
        tokens: The completion tokens of the next answers; 1 after that.
        prompt_tokens: Those of each prompt; None leaves the usage out.
        failures: The statuses of the next requests.
        refused_models: Models for which every request is refused.
        closed: A time in which it refuses every request.
        refuses_in_stream: True sends a refusal as the first event of a stream.
    """

    def __init__(
        self, bucket: TokenBucket | None = None, *, latency: float = 0.1, form: str | None = None
    ) -> None:
        self.bucket = bucket
        self.latency = latency
        self.form = form
        self.sent = Sent()
        self.in_flight = 0
        self.pauses: dict[int, float] = {}
        self.tokens: list[int] = []
        self.prompt_tokens: int | None = 9
        self.failures: list[int] = []
        self.refused_models: set[str] = set()
        self.refuses_in_stream = False
        self.closed: Closed | None = None

    @asynccontextmanager
    async def send(self, request: HttpRequest, timeouts: Timeouts) -> AsyncIterator[Response]:
        now, closed = asyncio.get_running_loop().time(), self.closed
        if closed is not None and closed.start <= now < closed.end:
            self.sent.refused.append(now)
            await asyncio.sleep(REFUSED_AFTER_S)
            named = {"retry-after": f"{closed.seconds:g}"}
            yield Response(closed.status, named, b'{"error":{"message":"too many requests"}}')
            return
        wait = self.bucket.wait(now) if self.bucket else None
        pause = self.pauses.pop(len(self.sent.accepted), None)
        is_refused = json.loads(request.body)["model"] in self.refused_models
        if pause is not None or wait is not None or is_refused:
            self.sent.refused.append(now)
            await asyncio.sleep(REFUSED_AFTER_S)
            if self.refuses_in_stream:
                yield Response(200, EVENTS, b"data: %s\n\n" % REFUSAL)
                return
            named = {"retry-after": f"{pause:g}"} if pause else retry_after(wait or 0.0, self.form)
            yield Response(429, {"content-type": "application/json", **named}, REFUSAL)
            return
        self.sent.accepted.append(now)
        self.in_flight += 1
        try:
            await asyncio.sleep(self.latency)
            if self.failures:
                status = self.failures.pop(0)
                yield Response(status, {}, b'{"error":{"message":"down"}}')
                return
            tokens = self.tokens.pop(0) if self.tokens else 1
            usage = b"null" if self.prompt_tokens is None else USAGE % (self.prompt_tokens, tokens)
            yield Response(200, EVENTS, ANSWER % usage)
        finally:
            self.in_flight -= 1
