"""Runs a minimal provider in a separate process, so that its work is not measured.

Prints its port, and serves until its standard input closes. The path selects the dialect, and a
request's token limit is the number of pieces of the answer. `/first-200/gap-10` before the path
delays the first piece by 200 ms and each further one by 10 ms. Without a gap all pieces are sent in
one write.
"""

from __future__ import annotations

import asyncio
import json
import re
import sys
from collections.abc import Callable

PAUSES = re.compile(r"/(first|gap)-(\d+)")
HEAD = "HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\n{length}\r\n\r\n"
CHUNK = (
    'data: {{"id":"chatcmpl-1","object":"chat.completion.chunk","created":1795370000,'
    '"model":"gpt-6-luna","service_tier":"default","system_fingerprint":null,"choices":[{{"index":0,'
    '"delta":{{"content":"{text}"}},"logprobs":null,"finish_reason":null}}],"usage":null,'
    '"obfuscation":"{padding}"}}\n\n'
)
LAST = (
    'data: {"id":"chatcmpl-1","object":"chat.completion.chunk","created":1795370000,'
    '"model":"gpt-6-luna","choices":[{"index":0,"delta":{},"finish_reason":"stop"}],"usage":null}\n\n'
    'data: {"id":"chatcmpl-1","object":"chat.completion.chunk","created":1795370000,'
    '"model":"gpt-6-luna","choices":[],"usage":{"prompt_tokens":9,"completion_tokens":200,'
    '"total_tokens":209}}\n\n'
    "data: [DONE]\n\n"
)


def openai(texts: list[str]) -> tuple[str, list[str]]:
    pieces = [CHUNK.format(text=t, padding="aZ3"[: n % 4]) for n, t in enumerate(texts)]
    return "text/event-stream", [*pieces, LAST]


def anthropic(texts: list[str]) -> tuple[str, list[str]]:
    def event(name: str, body: dict[str, object]) -> str:
        return f"event: {name}\ndata: {json.dumps({'type': name, **body})}\n\n"

    usage = {"input_tokens": 9, "output_tokens": 1}
    message = {"id": "msg_1", "type": "message", "role": "assistant", "model": "claude-haiku-5-5",
               "content": [], "stop_reason": None, "usage": usage}  # fmt: skip
    block = {"index": 0, "content_block": {"type": "text", "text": ""}}
    return "text/event-stream", [
        event("message_start", {"message": message}) + event("content_block_start", block),
        *(
            event("content_block_delta", {"index": 0, "delta": {"type": "text_delta", "text": t}})
            for t in texts
        ),
        event("content_block_stop", {"index": 0})
        + event(
            "message_delta",
            {"delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": len(texts)}},
        )
        + event("message_stop", {}),
    ]


def gemini(texts: list[str]) -> tuple[str, list[str]]:
    def event(text: str, **more: object) -> str:
        part = {"content": {"parts": [{"text": text}], "role": "model"}, "index": 0, **more}
        usage = {"promptTokenCount": 9, "candidatesTokenCount": len(texts), "totalTokenCount": 19}
        body = {"candidates": [part], "usageMetadata": usage, "modelVersion": "gemini-4-flash"}
        return f"data: {json.dumps(body)}\r\n\r\n"

    return "text/event-stream", [*map(event, texts), event("", finishReason="STOP")]


def ollama(texts: list[str]) -> tuple[str, list[str]]:
    def line(text: str, **more: object) -> str:
        said = {"role": "assistant", "content": text}
        body = {"model": "llama4", "created_at": "2026-11-25T00:00:00Z", "message": said}
        return json.dumps({**body, "done": False, **more}) + "\n"

    end = {"done": True, "done_reason": "stop", "prompt_eval_count": 9, "eval_count": len(texts)}
    return "application/x-ndjson", [*map(line, texts), line("", **end)]


def document(texts: list[str]) -> tuple[str, list[str]]:
    """Returns the response of OpenAI's dialect to a request without streaming."""
    message = {"role": "assistant", "content": "".join(texts)}
    choice = {"index": 0, "message": message, "finish_reason": "stop", "logprobs": None}
    usage = {"prompt_tokens": 9, "completion_tokens": len(texts), "total_tokens": 9 + len(texts)}
    body = {"id": "c1", "object": "chat.completion", "created": 1795370000, "model": "gpt-6-luna",
            "choices": [choice], "usage": usage}  # fmt: skip
    return "application/json", [json.dumps(body)]


def answer_to(path: str, body: bytes) -> tuple[str, list[str]]:
    """Returns the content type and the pieces of the answer."""
    asked = json.loads(body or b"{}")
    limits = (asked, asked.get("options") or {}, asked.get("generationConfig") or {})
    names = ("max_completion_tokens", "max_tokens", "num_predict", "maxOutputTokens")
    count = next((limit[name] for limit in limits for name in names if limit.get(name)), 1)
    if path.endswith("/models"):
        return "application/json", ['{"object":"list","data":[{"id":"gpt-6-luna"}]}']
    return _dialect(path, asked)(_texts(count))


def _texts(count: int) -> list[str]:
    # A limit from 100,000 on counts characters, in pieces of 400; from a million on they are
    # one piece.
    if count < 100_000:
        return [f"word{n} " for n in range(count)]
    size = 400 if count < 1_000_000 else count
    return ["x" * size] * (count // size)


def _dialect(path: str, asked: dict[str, object]) -> Callable[[list[str]], tuple[str, list[str]]]:
    if path.endswith("/messages"):
        return anthropic
    if "GenerateContent" in path:
        return gemini
    if path.endswith("/api/chat"):
        return ollama
    return openai if asked.get("stream") else document


class Answering(asyncio.Protocol):
    """Answers each request of a keep-alive connection."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport
        self.buffer = b""

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        while b"\r\n\r\n" in self.buffer:
            head, _, rest = self.buffer.partition(b"\r\n\r\n")
            first, *lines = head.split(b"\r\n")
            headers = dict(line.lower().split(b": ", 1) for line in lines)
            size = int(headers.get(b"content-length", 0))
            if len(rest) < size:
                return
            self.buffer = rest[size:]
            self.answer(first.split(b" ")[1].decode(), rest[:size])

    def answer(self, path: str, body: bytes) -> None:
        pauses = {name: int(ms) / 1000 for name, ms in PAUSES.findall(path)}
        kind, pieces = answer_to(path.split("?")[0], body)
        if not pauses:
            data = "".join(pieces).encode()
            head = HEAD.format(kind=kind, length=f"Content-Length: {len(data)}")
            self.transport.write(head.encode() + data)
            return
        head = HEAD.format(kind=kind, length="Transfer-Encoding: chunked")
        first, gap = pauses.get("first", 0.0), pauses.get("gap", 0.0)
        writes = [_framed(piece) for piece in pieces] if gap else [_framed("".join(pieces))]
        loop = asyncio.get_running_loop()
        self.transport.write(head.encode())
        for number, data in enumerate([*writes, b"0\r\n\r\n"]):
            # The end is in the same write as the last piece, as every server sends it.
            late = first + gap * min(number, len(writes) - 1)
            loop.call_later(late, self.transport.write, data)


def _framed(piece: str) -> bytes:
    data = piece.encode()
    return f"{len(data):x}\r\n".encode() + data + b"\r\n"


async def main() -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(Answering, "127.0.0.1", 0, backlog=2000)
    print(server.sockets[0].getsockname()[1], flush=True)
    await loop.run_in_executor(None, sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(main())
