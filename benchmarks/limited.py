"""Runs a provider with a rate limit in a separate process: RATE SIZE FORM, see `TokenBucket`.

Prints its port, and serves until its standard input closes.
"""

from __future__ import annotations

import asyncio
import sys
import time

from tests.fakes.limited import ANSWER, EVENTS, REFUSAL, USAGE, TokenBucket, retry_after

LATENCY_S = 0.05


class Limited(asyncio.Protocol):
    """Answers each request of a keep-alive connection, or refuses it."""

    def __init__(self, bucket: TokenBucket, form: str | None) -> None:
        self._bucket = bucket
        self._form = form
        self._buffer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        head, end, rest = self._buffer.partition(b"\r\n\r\n")
        size = next((int(line[15:]) for line in head.split(b"\r\n")
                     if line.lower().startswith(b"content-length:")), 0)  # fmt: skip
        if not end or len(rest) < size:
            return
        self._buffer = rest[size:]
        wait = self._bucket.wait(time.monotonic())
        if wait is None:
            body = ANSWER % (USAGE % (9, 1))
            loop = asyncio.get_running_loop()
            loop.call_later(LATENCY_S, self._send, b"200 OK", EVENTS, body)
        else:
            headers = {"content-type": "application/json", **retry_after(wait, self._form)}
            self._send(b"429 Too Many Requests", headers, REFUSAL)

    def _send(self, status: bytes, headers: dict[str, str], body: bytes) -> None:
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items()).encode()
        head = b"HTTP/1.1 %s\r\n%scontent-length: %d\r\n\r\n" % (status, lines, len(body))
        self._transport.write(head + body)  # type: ignore[attr-defined]  # it is a socket's


async def main() -> None:
    rate, size, form = sys.argv[1:]
    bucket = TokenBucket(float(rate), int(size))
    loop = asyncio.get_running_loop()
    server = await loop.create_server(
        lambda: Limited(bucket, None if form == "none" else form), "127.0.0.1", 0, backlog=2000
    )
    print(server.sockets[0].getsockname()[1], flush=True)
    await loop.run_in_executor(None, sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(main())
