"""Spoils replies: each function takes a well-behaved reply and returns a faulty one."""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable, Mapping
from dataclasses import replace
from itertools import cycle
from typing import Any, Literal

from .reply import Reply, stream

SPOKEN = b"A river"  # the first words of every recorded stream, all in one delta
LAST_OF_OPENAI = (b"[DONE]",)
# A part of the event that marks a stream as complete.
TERMINAL: Mapping[str, tuple[bytes, ...]] = {
    "openai": LAST_OF_OPENAI,
    "openrouter": LAST_OF_OPENAI,
    "mistral": LAST_OF_OPENAI,
    "anthropic": (b"event: message_stop",),
    "google": (),  # its streams end with the body
    "ollama": (),
}
# A part of the event with the finish reason, which is the last word of it.
FINISH: Mapping[str, bytes] = {
    "openai": b'"finish_reason":"stop"',
    "openrouter": b'"finish_reason":"stop"',
    "mistral": b'"finish_reason":"stop"',
    "anthropic": b'"stop_reason":"end_turn"',
    "google": b'"finishReason":"STOP"',
    "ollama": b'"done_reason":"stop"',
}
# Keep-alive data that is not an event; a comment for all other providers.
ALIVE: Mapping[str, bytes] = {
    "anthropic": b'event: ping\ndata: {"type":"ping"}\n\n',
    "ollama": b"\n",
}

# Bodies that come with status 200 and are not answers, by their fault.
ODD_BODIES: Mapping[str, Reply] = {
    "empty": Reply(),
    "no content": Reply(204),
    "null": Reply(pieces=(b"null",)),
    "array": Reply(pieces=(b"[1, 2]",)),
    "string": Reply(pieces=(b'"hello"',)),
    "half a document": Reply(pieces=(b'{"id": "x", "choices": [{"mess',)),
    "latin-1": Reply(pieces=('{"text": "caf\u00e9"}'.encode("latin-1"),)),
    "utf-16": Reply(pieces=('{"text": "caf\u00e9"}'.encode("utf-16"),)),
    "html": Reply(
        pieces=(b"<!doctype html><script>alert(1)</script><h1>Welcome to nginx!</h1>",),
        headers={"content-type": "text/html"},
    ),
}


def body_of(reply: Reply) -> bytes:
    """Returns the whole body of *reply*."""
    return b"".join(reply.pieces)


def byte_by_byte(reply: Reply) -> Reply:
    """Writes each byte separately."""
    return replace(reply, pieces=tuple(bytes([byte]) for byte in body_of(reply)))


def in_one_piece(reply: Reply) -> Reply:
    """Sends everything in one write."""
    return replace(reply, pieces=(body_of(reply),))


def cut_at(reply: Reply, size: int, ending: Literal["close", "cut", "reset"] = "cut") -> Reply:
    """Sends only the first *size* bytes and closes the connection."""
    return replace(reply, pieces=(body_of(reply)[:size],), ending=ending)


def with_line_ends(reply: Reply, *ends: bytes) -> Reply:
    """Ends the lines with *ends*, in turn."""
    turn = cycle(ends)
    lines = body_of(reply).split(b"\n")
    return replace(reply, pieces=(*(line + next(turn) for line in lines[:-1]), lines[-1]))


def with_bom(reply: Reply) -> Reply:
    """Begins with a byte order mark."""
    return replace(reply, pieces=(b"\xef\xbb\xbf", *reply.pieces))


def with_bytes(reply: Reply, old: bytes, new: bytes) -> Reply:
    """Replaces *old* by other bytes, such as invalid UTF-8."""
    return replace(reply, pieces=tuple(piece.replace(old, new) for piece in reply.pieces))


def compressed(reply: Reply, how: Literal["gzip", "deflate"] = "gzip") -> Reply:
    """Compresses the body so that each piece can be read when it arrives."""
    pack = zlib.compressobj(wbits=31 if how == "gzip" else 15)
    flushed = [pack.compress(piece) + pack.flush(zlib.Z_SYNC_FLUSH) for piece in reply.pieces]
    headers = {**reply.headers, "content-encoding": how}
    return replace(reply, pieces=(*flushed, pack.flush()), headers=headers)


def saying(provider: str, *texts: str, **changes: object) -> Reply:
    """Streams exactly these *texts*, one delta each; keeps the recorded usage."""
    whole = stream(provider)
    spoken = _place_of(whole, lambda piece: SPOKEN in piece)
    # The recorded text has two deltas: the first is the pattern, the second is removed.
    rest = whole.pieces[spoken + 1 :]
    told = next(i for i, piece in enumerate(rest) if b" carries silt" in piece)
    deltas = (_with_text(whole.pieces[spoken], text) for text in texts)
    pieces = (*whole.pieces[:spoken], *deltas, *rest[:told], *rest[told + 1 :])
    return replace(whole, pieces=pieces, **changes)


def without_terminal_mark(provider: str) -> Reply:
    """Sends a finish reason, but not the mark after it."""
    whole = stream(provider)
    marks = TERMINAL[provider]
    kept = (piece for piece in whole.pieces if not any(mark in piece for mark in marks))
    return replace(whole, pieces=tuple(kept))


def up_to_the_finish_reason(provider: str, **changes: Any) -> Reply:
    """Sends a finish reason, and nothing after it that could end the answer.

    The line end of Ollama would end it, so it is left out.
    """
    whole = stream(provider)
    last = _place_of(whole, lambda piece: FINISH[provider] in piece)
    final = whole.pieces[last]
    final = final.rstrip(b"\n") if provider == "ollama" else final
    return replace(whole, pieces=(*whole.pieces[:last], final), **changes)


def ending_with(provider: str, reason: str | None) -> Reply:
    """Ends with another finish reason, or with its end mark and none."""
    finish = FINISH[provider]
    name = finish.partition(b":")[0]
    word = json.dumps(reason).encode()
    pieces = tuple(piece.replace(finish, name + b":" + word) for piece in stream(provider).pieces)
    pieces = tuple(piece.replace(b'"native_finish_reason":"stop",', b"") for piece in pieces)
    return replace(stream(provider), pieces=pieces)


def going_on(provider: str) -> Reply:
    """Sends a finish reason with every chunk, as Gemini and gateways to it do."""
    whole, finish = stream(provider), FINISH[provider]
    if provider == "google":
        old, new = b'"index":0', b'"index":0,' + finish
    else:
        old, new = b'"finish_reason":null', finish
    pieces = (piece if finish in piece else piece.replace(old, new) for piece in whole.pieces)
    return replace(whole, pieces=tuple(pieces))


def talking_on(provider: str) -> Reply:
    """Sends one more delta after the end of the stream."""
    whole = stream(provider)
    late = whole.pieces[_place_of(whole, lambda piece: SPOKEN in piece)]
    return replace(whole, pieces=(*whole.pieces, late))


def failing_after(provider: str, *texts: str) -> Reply:
    """Sends these *texts*, then the provider's own error event."""
    broken = stream(provider, "stream_error")
    spoken = _place_of(broken, lambda piece: SPOKEN in piece)
    deltas = (_with_text(broken.pieces[spoken], text) for text in texts)
    pieces = (*broken.pieces[:spoken], *deltas, *broken.pieces[spoken + 1 :])
    return replace(broken, pieces=pieces)


def breaking_off(provider: str, *texts: str, **changes: Any) -> Reply:
    """Sends exactly these *texts*, without an end."""
    whole = stream(provider)
    spoken = _place_of(whole, lambda piece: SPOKEN in piece)
    deltas = (_with_text(whole.pieces[spoken], text) for text in texts)
    return replace(whole, pieces=(*whole.pieces[:spoken], *deltas), **changes)


def never_ending(provider: str, what: Literal["signs of life", "empty deltas"]) -> Reply:
    """Sends the first words, and then only events without text, until the client leaves."""
    whole = stream(provider)
    spoken = _place_of(whole, lambda piece: SPOKEN in piece)
    empty = _with_text(whole.pieces[spoken], "")
    more = empty if what == "empty deltas" else ALIVE.get(provider, b": still here\n\n")
    return replace(whole, pieces=whole.pieces[: spoken + 1], ending="drip", drip=more)


def _place_of(reply: Reply, found: Callable[[bytes], bool]) -> int:
    return next(place for place, piece in enumerate(reply.pieces) if found(piece))


def _with_text(delta: bytes, text: str) -> bytes:
    try:
        written = json.dumps(text, ensure_ascii=False).encode()
    except UnicodeEncodeError:  # a lone surrogate is not valid UTF-8, but JSON can escape it
        written = json.dumps(text).encode()
    return delta.replace(SPOKEN, written[1:-1])
