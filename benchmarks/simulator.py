"""A very light OpenAI-like server in a process of its own, so that its work is not counted.

Prints its port, serves until its standard input closes. A request's `max_tokens` says how many
chunks it streams, all in one write.
"""

from __future__ import annotations

import asyncio
import json
import sys

EVENT = (
    'data: {{"id":"chatcmpl-1","object":"chat.completion.chunk","created":1795370000,'
    '"model":"gpt-6-luna","service_tier":"default","system_fingerprint":null,"choices":[{{"index":0,'
    '"delta":{{"content":"word{n} "}},"logprobs":null,"finish_reason":null}}],"usage":null,'
    '"obfuscation":"aZ3aZ3aZ3aZ3"}}\n\n'
)
LAST = (
    'data: {"id":"chatcmpl-1","object":"chat.completion.chunk","created":1795370000,'
    '"model":"gpt-6-luna","choices":[{"index":0,"delta":{},"finish_reason":"stop"}],"usage":null}\n\n'
    'data: {"id":"chatcmpl-1","object":"chat.completion.chunk","created":1795370000,'
    '"model":"gpt-6-luna","choices":[],"usage":{"prompt_tokens":9,"completion_tokens":200}}\n\n'
    "data: [DONE]\n\n"
)
HEAD = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Length: {size}\r\n\r\n"


class Answering(asyncio.Protocol):
    """Answers each request of a kept connection in one write."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport
        self.buffer = b""

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        while b"\r\n\r\n" in self.buffer:
            head, _, rest = self.buffer.partition(b"\r\n\r\n")
            headers = dict(h.split(b": ", 1) for h in head.lower().split(b"\r\n")[1:])
            size = int(headers.get(b"content-length", 0))
            if len(rest) < size:
                return
            self.buffer = rest[size:]
            self.transport.write(answer(rest[:size]))


def answer(body: bytes) -> bytes:
    asked = json.loads(body or b"{}")
    count = asked.get("max_completion_tokens") or asked.get("max_tokens") or 1
    text = "".join(EVENT.format(n=n) for n in range(count)) + LAST
    data = text.encode()
    return HEAD.format(size=len(data)).encode() + data


async def main() -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(Answering, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await loop.run_in_executor(None, sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(main())
