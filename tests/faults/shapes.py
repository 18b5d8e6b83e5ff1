"""Rows in which an answer has an unusual format, and must still be read exactly."""

from __future__ import annotations

import asyncio
import json
import time
from dataclasses import replace

from llmkit.errors import BadResponseError, Outcome, ServerError
from llmkit.types import Status
from tests.fakes.misbehaviour import (
    body_of,
    byte_by_byte,
    compressed,
    ending_with,
    in_one_piece,
    saying,
    with_bom,
    with_bytes,
    with_line_ends,
)
from tests.fakes.raw import RawServer, with_early_hints
from tests.fakes.reply import Reply, document, stream

from .world import FIVE, World, row

WORDS = ("Hello w\u00f6rld", " \U0001f3de", ' and "on"\n')
TEXT = "".join(WORDS)
EVENTS = {"content-type": "text/event-stream"}
OPENAI_END = (
    b'data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n'
)


async def read_exactly(world: World, reply: Reply, text: str = TEXT) -> None:
    world.says(reply)

    told = await world.ask()

    assert (told.text, told.status) == (text, Status.COMPLETE)


def chat(*choices: object, end: bytes = OPENAI_END) -> Reply:
    """Returns an OpenAI stream of events with the given `choices`."""
    events = (json.dumps({"model": "m", "choices": one}).encode() for one in choices)
    return Reply(pieces=(*(b"data: " + e + b"\n\n" for e in events), end), headers=EVENTS)


def delta(index: int | None = 0, **fields: object) -> list[dict[str, object]]:
    """Returns the `choices` of one event."""
    return [{**({} if index is None else {"index": index}), "delta": fields}]


@row("P32", *FIVE, "openrouter")
async def a_document_in_the_place_of_a_stream(world: World) -> None:
    """A document is read as an answer, whatever its content type."""
    whole = document(world.provider, "chat")
    kinds = ["application/json", "text/plain"]
    kinds += ["text/event-stream"] if world.provider != "ollama" else ["application/x-ndjson"]
    for kind in kinds:
        one_line = json.dumps(json.loads(body_of(whole))).encode()
        for body in (one_line, body_of(whole) if kind == "application/json" else one_line):
            world.says(Reply(pieces=(body[:50], body[50:]), headers={"content-type": kind}))

            told = await world.ask()

            assert told.status is Status.COMPLETE
            assert told.text.startswith("A river carries silt")
            assert told.text.endswith("to the sea.")


@row("P32", "ollama")
async def a_document_over_many_lines(world: World) -> None:
    """An indented document is not mistaken for a broken stream of lines."""
    whole = json.dumps(json.loads(body_of(document("ollama", "chat"))), indent=2).encode()
    world.says(Reply(pieces=(whole,), headers={"content-type": "application/json"}))

    told = await world.ask()

    assert told.status is Status.COMPLETE
    assert told.text.endswith("to the sea.")


@row("P34", *FIVE)
async def any_line_ends_and_any_split(world: World) -> None:
    """CRLF, CR, mixed ends, byte by byte, all at once, a byte order mark."""
    said = saying(world.provider, *WORDS)
    ends = [(b"\r\n",), (b"\r\n", b"\n")]
    ends += [] if world.provider == "ollama" else [(b"\r",), (b"\r\n", b"\n", b"\r")]
    shapes = [with_line_ends(said, *end) for end in ends]
    for shape in (said, *shapes, with_bom(said)):
        await read_exactly(world, shape)
        await read_exactly(world, in_one_piece(shape))
        await read_exactly(world, byte_by_byte(shape))


@row("P34", *(name for name in FIVE if name != "ollama"))
async def fields_as_the_standard_allows_them(world: World) -> None:
    """No space after a colon, other fields, comments, unknown events, no last blank line."""
    said = saying(world.provider, *WORDS)
    unknown = b'event: weather\ndata: {"type":"weather","choices":[]}\n\n'
    # Not an event that the dialect itself defines.
    extra = (b": hello\n", b"id: 7\nretry: 10\n\n", unknown)
    await read_exactly(world, with_bytes(said, b"data: ", b"data:"))
    await read_exactly(world, replace(said, pieces=(*extra, *said.pieces)))
    *before, last = said.pieces
    await read_exactly(world, replace(said, pieces=(*before, last.rstrip(b"\n"))))
    spread = tuple(piece.replace(b',"', b',\ndata: "', 1) for piece in said.pieces)
    await read_exactly(world, replace(said, pieces=spread))


@row("P34", "ollama")
async def lines_as_they_come(world: World) -> None:
    """Blank lines between, unknown fields, and a last line without an end."""
    said = saying(world.provider, *WORDS)
    *before, last = said.pieces
    spaced = tuple(b"\n" + piece.replace(b"{", b'{"x":1,', 1) for piece in before)
    await read_exactly(world, replace(said, pieces=(*spaced, last.rstrip(b"\n"))))


@row("P38", *FIVE)
async def packed_bodies(world: World) -> None:
    """Answers are requested uncompressed; gzip and deflate are decompressed all the same."""
    await read_exactly(world, compressed(saying(world.provider, *WORDS), "gzip"))
    await read_exactly(world, compressed(saying(world.provider, *WORDS), "deflate"))

    assert world.posts[0].headers["accept-encoding"] == "identity"


@row("P38", *FIVE)
async def a_packing_that_nobody_asked_for(world: World) -> None:
    """An unsupported encoding is an error, and the connection is released."""
    for name in ("br", "zstd"):
        said = saying(world.provider, *WORDS)
        world.says(replace(said, headers={**said.headers, "content-encoding": name}))

        told = await world.ask()

        assert isinstance(told.error, BadResponseError)
        assert name in str(told.error)


@row("P39", *FIVE)
async def one_event_of_four_megabytes(world: World) -> None:
    """A huge event is read like any other."""
    text = "0123456789 \u00f6" * 400_000

    world.says(saying(world.provider, text))
    told = await world.ask()

    assert (len(told.text), told.text == text) == (len(text), True)


@row("P40", *FIVE, alone=True)
async def twenty_thousand_deltas(world: World) -> None:
    """All deltas arrive, and no other task on the loop is blocked."""
    words = [f"word{number} " for number in range(20_000)]
    world.says(in_one_piece(saying(world.provider, *words)))  # which takes a while to write
    stalls, begun = asyncio.create_task(longest_stall()), time.thread_time()
    await asyncio.sleep(0)

    told = await world.ask()

    work = time.thread_time() - begun
    stalls.cancel()
    assert told.text == "".join(words)
    # A tenth of a second is not noticeable; on a slow machine the share of the work counts.
    # There are few reads, of a quarter of a megabyte each.
    assert await stalls <= max(0.1, work / 2)


async def longest_stall() -> float:
    """Returns the longest time in seconds that this thread works before another task runs."""
    longest, before = 0.0, time.thread_time()
    try:
        while True:
            await asyncio.sleep(0.005)  # a check in every iteration would keep the machine busy
            now = time.thread_time()
            longest, before = max(longest, now - before), now
    except asyncio.CancelledError:
        return max(longest, time.thread_time() - before)


@row("P41", *FIVE)
async def tool_calls_in_pieces(world: World) -> None:
    """Two calls are assembled, each with arguments that are JSON."""
    world.says(with_tools(world.provider))

    told = await world.ask()

    calls = told.came.tool_calls
    assert [(call.name, json.loads(call.arguments)) for call in calls] == [
        ("weather", {"city": "Gen\u00e8ve", "days": 2}),
        ("clock", {}),
    ]
    assert (told.status, told.came.finish_reason) == (Status.COMPLETE, "tool_calls")
    # The common checks follow, on an answer that is only text.
    world.told.clear()
    world.billed = 0


def with_tools(provider: str) -> Reply:
    """Returns a stream whose answer is two tool calls."""
    head, arguments = stream(provider).headers, ['{"city": "Gen', '\u00e8ve", "da', 'ys": 2}']
    if provider == "anthropic":
        return Reply(pieces=tuple(_anthropic_tools(arguments)), headers=head)
    if provider in ("google", "ollama"):
        return Reply(pieces=tuple(_whole_tools(provider)), headers=head)
    first = {"index": 0, "id": "c1", "function": {"name": "weather", "arguments": ""}}
    pieces = [{"index": 0, "function": {"arguments": part}} for part in arguments]
    second = {"index": 1, "id": "c2", "function": {"name": "clock", "arguments": "{}"}}
    end = b'data: {"choices":[{"index":0,"delta":{},"finish_reason":"tool_calls"}]}\n\n'
    order = [first, pieces[0], second, *pieces[1:]]
    return chat(*(delta(tool_calls=[one]) for one in order), end=end + b"data: [DONE]\n\n")


def _anthropic_tools(arguments: list[str]) -> list[bytes]:
    def event(kind: str, **fields: object) -> bytes:
        return f"event: {kind}\ndata: {json.dumps({'type': kind, **fields})}\n\n".encode()

    def opened(index: int, name: str) -> bytes:
        block = {"type": "tool_use", "id": f"t{index}", "name": name, "input": {}}
        return event("content_block_start", index=index, content_block=block)

    parts = [
        event("content_block_delta", index=0, delta={"type": "input_json_delta", "partial_json": p})
        for p in arguments
    ]
    return [
        event("message_start", message={"model": "m", "usage": {"input_tokens": 3}}),
        opened(0, "weather"), *parts, opened(1, "clock"),
        event("message_delta", delta={"stop_reason": "tool_use"}, usage={"output_tokens": 3}),
        event("message_stop"),
    ]  # fmt: skip


def _whole_tools(provider: str) -> list[bytes]:
    calls = [("weather", {"city": "Gen\u00e8ve", "days": 2}), ("clock", {})]
    if provider == "google":
        parts = [{"functionCall": {"name": name, "args": given}} for name, given in calls]
        events = [{"candidates": [{"content": {"parts": [part]}, "index": 0}]} for part in parts]
        events.append({"candidates": [{"finishReason": "STOP"}], "usageMetadata": {}})
        return [f"data: {json.dumps(event)}\n\n".encode() for event in events]
    made = [{"function": {"name": name, "arguments": given}} for name, given in calls]
    lines = [{"message": {"content": "", "tool_calls": [one]}, "done": False} for one in made]
    return [json.dumps(x).encode() + b"\n" for x in (*lines, {"done": True, "done_reason": "stop"})]


@row("P42")
async def odd_events(world: World) -> None:
    """null, lists, nothing, a second choice, missing and unknown fields: only choice 0 is text."""
    await read_exactly(
        world,
        chat(
            delta(role="assistant"), delta(content=None), [], delta(content="Hello"),
            delta(1, content="NO"), delta(content=[{"type": "text", "text": " w"}], x={"y": 1}),
            [*delta(1, content="NO"), *delta(0, content="\u00f6r")], delta(None, content="ld"),
            [{"index": 0}], [{"index": 0, "delta": None}], delta(content=""),
            [{"index": 0, "delta": {}, "finish_reason": None, "logprobs": None}],
        ),
        "Hello w\u00f6rld",
    )  # fmt: skip


@row("P42", "anthropic", "google", "ollama", "mistral")
async def odd_events_elsewhere(world: World) -> None:
    """Reasoning is separate, pings and unknown kinds add nothing, a second candidate is ignored."""
    before = {
        "anthropic": b'event: novelty\ndata: {"type":"novelty","delta":{"text":"NO"}}\n\n',
        "google": b'data: {"candidates":[{"index":1,"content":{"parts":[{"text":"NO"}]}}]}\n\n'
        b'data: {"candidates":[]}\n\ndata: {"candidates":[{"content":null}]}\n\n',
        "ollama": b'{"message":null}\n{"message":{"content":null,"x":1}}\n{"y":[]}\n',
        "mistral": b'data: {"choices":[{"index":0,"delta":{"content":[{"type":"thinking",'
        b'"thinking":[{"type":"text","text":"hm"}]}]}}]}\n\ndata: {"choices":null}\n\n',
    }[world.provider]
    said = saying(world.provider, *WORDS)
    await read_exactly(world, replace(said, pieces=(*said.pieces[:1], before, *said.pieces[1:])))


@row("P43", *FIVE)
async def filtered_and_cut_short(world: World) -> None:
    """Neither is complete, and neither is an error."""
    reasons = {
        "openai": (b'"stop"', b'"content_filter"', b'"length"'),
        "mistral": (b'"stop"', b'"content_filter"', b'"length"'),
        "anthropic": (b'"end_turn"', b'"refusal"', b'"max_tokens"'),
        "google": (b'"STOP"', b'"SAFETY"', b'"MAX_TOKENS"'),
        "ollama": (b'"done_reason":"stop"', None, b'"done_reason":"length"'),
    }[world.provider]
    stop, *others = reasons
    for reason, status in zip(others, (Status.FILTERED, Status.LENGTH), strict=True):
        if reason is None:  # Ollama does not filter
            continue
        world.says(with_bytes(saying(world.provider, *WORDS), stop, reason))

        told = await world.ask()

        assert (told.error, told.text, told.status) == (None, TEXT, status)


@row("P43", *FIVE)
async def given_up_and_ended_in_another_way(world: World) -> None:
    """A reason that means a failure is an error; every other one is incomplete, with a note."""
    world.says(ending_with(world.provider, "insufficient_system_resource"))
    failed = await world.ask()
    world.says(ending_with(world.provider, "pause_turn"))
    told = await world.ask()

    assert isinstance(failed.error, ServerError)
    assert (failed.error.outcome, failed.status) == (Outcome.STREAMED, Status.ERROR)
    assert failed.text == told.text != ""
    assert (told.error, told.status) == (None, Status.INCOMPLETE)
    assert "'pause_turn'" in told.came.warnings[0]


@row("P44", *FIVE)
async def bytes_that_are_no_text(world: World) -> None:
    """One replacement character replaces them, the rest is unchanged, and a note reports it."""
    for bad in (b"\xff", b"\xc3", b"\xed\xa0\x80"):
        said = with_bytes(saying(world.provider, "Hello", " w~rld", "!"), b"~", bad)
        world.says(said)

        told = await world.ask()

        assert told.status is Status.COMPLETE
        assert told.text.replace("\ufffd", "") == "Hello wrld!"
        assert "\ufffd" in told.text
        assert any("UTF-8" in warning for warning in told.came.warnings)


@row("P59", *FIVE)
async def early_hints(world: World) -> None:
    """A 103 before the answer is not the answer."""
    said = saying(world.provider, *WORDS)
    kind = said.headers["content-type"]
    world.billed = 1
    with RawServer(with_early_hints(body_of(said), kind)) as server:
        world.elsewhere(server.root)
        told = await world.ask()

    assert (told.text, told.status) == (TEXT, Status.COMPLETE)


@row("P59", *FIVE)
async def a_wrong_content_type(world: World) -> None:
    """The bytes decide, not the content type."""
    said = saying(world.provider, *WORDS)
    for kind in ("text/plain", "application/json", "text/html; charset=latin-1", ""):
        await read_exactly(world, replace(said, headers={"content-type": kind} if kind else {}))


@row("P59", "google")
async def an_array_in_the_place_of_events(world: World) -> None:
    """Gemini sends its other stream format, an array, if `alt=sse` is ignored."""
    whole = document("google", "stream_array")
    world.says(byte_by_byte(whole), whole)

    for _ in range(2):
        told = await world.ask()

        assert told.status is Status.COMPLETE
        assert told.text.startswith("A river carries silt")
