"""No answer, however large or deeply nested, exhausts the kernel's memory or time (S10)."""

from __future__ import annotations

import asyncio
import gzip
import json
import tracemalloc
import zlib

import pytest

from llmkit.chat.arguments import chat_arguments
from llmkit.errors import CallError
from llmkit.kit import Kit
from tests.fakes.raw import RawServer, read_request, saying
from tests.fakes.reply import Reply, stream

from .test_sinks import MODELS

MIB = 2**20
MODEL = {"openai": MODELS["openai"], "ollama": MODELS["ollama"]}


def failing(kit, model="openai:gpt-6-luna"):
    request, options = chat_arguments("hi", model)
    with pytest.raises(CallError) as caught:
        kit.manager.run(kit.answer(request, options))
    return caught.value


@pytest.fixture
def kit(fakes):
    made = Kit(
        environ={
            "OPENAI_API_KEY": fakes.key, "OPENAI_BASE_URL": fakes.base_url("openai"),
            "OLLAMA_HOST": fakes.base_url("ollama"),
        },
        retries=0,
    )  # fmt: skip
    yield made
    made.close()


def at_root(kit, root):
    kit.configure(base_urls={"openai": root, "ollama": root})


def pouring(head, piece):
    """Sends *head*, and then *piece* repeatedly until the client closes the connection."""

    def talk(connection):
        read_request(connection)
        connection.sendall(head)
        while True:
            connection.sendall(piece)

    return talk


SSE = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n"
LINES = b"HTTP/1.1 200 OK\r\ncontent-type: application/x-ndjson\r\n\r\n"
JSON = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\r\n"
WORD = b'data: {"choices":[{"index":0,"delta":{"content":"' + b"x" * 60_000 + b'"}}]}\n\n'


@pytest.mark.parametrize(
    ("provider", "head", "piece"),
    [
        ("openai", SSE, b"data: " + b"x" * 65_000),
        ("openai", SSE, b": " + b"x" * 65_000),
        ("openai", SSE, WORD),
        ("openai", JSON, b"[" * 65_000),
        ("ollama", LINES, b"x" * 65_000),
        ("ollama", LINES, b'{"message":{"content":"' + b"x" * 60_000 + b'"},"done":false}\n'),
    ],
    ids=["endless line", "endless comment", "endless text", "endless body", "no line", "lines"],
)
def test_an_answer_without_an_end_is_left(kit, provider, head, piece):
    """It ends at the limit with an error of llmkit, and the connection is closed."""
    with RawServer(pouring(head, piece)) as server:
        at_root(kit, server.root)
        tracemalloc.start()
        error = failing(kit, MODEL[provider])
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()

    assert "bytes" in str(error)
    assert peak < 128 * MIB


@pytest.mark.parametrize("how", ["gzip", "deflate"])
def test_a_bomb_is_not_unpacked(fakes, kit, how):
    """A hundred kilobytes that unpack to a hundred megabytes end at the limit of unpacked bytes."""
    zeros = b" " * (100 * MIB)
    body = gzip.compress(zeros, 9) if how == "gzip" else zlib.compress(zeros, 9)
    del zeros
    fakes.answer(
        "openai",
        Reply(200, (body,), {"content-type": "text/event-stream", "content-encoding": how}),
    )
    tracemalloc.start()
    failing(kit)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    assert peak < 64 * MIB


@pytest.mark.parametrize("where", ["body", "error", "event", "line"])
def test_deeply_nested_json_does_not_recurse(fakes, kit, where):
    """A hundred thousand brackets are an unreadable answer, and do not crash."""
    deep = b'{"a":' * 100_000
    replies = {
        "body": ("openai", Reply(200, (deep,), {"content-type": "application/json"})),
        "error": ("openai", Reply(400, (deep,), {"content-type": "application/json"})),
        "event": ("openai", Reply(200, (b"data: " + deep + b"\n\n",), stream("openai").headers)),
        "line": ("ollama", Reply(200, (deep + b"\n",), stream("ollama").headers)),
    }
    provider, reply = replies[where]
    fakes.answer(provider, reply)
    error = failing(kit, MODEL[provider])

    assert len(str(error)) < 500


@pytest.mark.parametrize(
    "head",
    [
        b"HTTP/1.1 200 OK\r\nx: " + b"y" * MIB + b"\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"".join(b"x%d: y\r\n" % i for i in range(100_000)) + b"\r\n",
        b"HTTP/1.1 200 " + b"K" * MIB + b"\r\n\r\n",
    ],
    ids=["one large", "very many", "reason"],
)
def test_headers_have_a_limit(kit, head):
    """A megabyte of headers is refused as an invalid response."""
    with RawServer(saying(head)) as server:
        at_root(kit, server.root)
        error = failing(kit)

    assert len(str(error)) < 500


# Two buffers of aiohttp, and one read of asyncio beyond them.
LARGEST_READ = 2 * 2**16 + 256 * 1024


def test_many_small_events_do_not_hold_the_loop(fakes, kit):
    """Two hundred thousand events in one body yield to the event loop many times."""
    delta = b'data: {"choices":[{"index":0,"delta":{"content":"x"}}]}\n\n'
    whole = stream("openai")
    events = (whole.pieces[0], *([delta * 1000] * 200), *whole.pieces[-3:])
    fakes.answer("openai", Reply(200, events, whole.headers))
    request, options = chat_arguments("hi", MODELS["openai"])
    turns = 0

    async def counting():
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    async def both():
        other = asyncio.create_task(counting())
        answer = await kit.answer(request, options)
        other.cancel()
        return answer

    answer = kit.manager.run(both())

    assert answer.text.count("x") == 200_000
    assert turns > sum(map(len, events)) / LARGEST_READ


def test_a_list_of_models_that_never_ends_is_left(fakes, kit):
    """A list whose pages never end is not read for ever."""
    body = json.dumps(
        {"data": [{"id": "m", "object": "model"}], "has_more": True, "last_id": "m"}
    ).encode()
    fakes.always("anthropic", Reply(200, (body,), {"content-type": "application/json"}))
    kit.configure(base_urls={"anthropic": fakes.base_url("anthropic")})
    kit.credentials.type_in("anthropic", fakes.key)

    kit.manager.run(kit.refresh("anthropic"))

    assert len(fakes.asked["anthropic"]) < 1000
