"""What the official Mistral SDK is given of a stream to read, and what must go past it.

The SDK stops at the first byte that is not UTF-8, at pings and at errors in a stream, and drops
fields that it does not know (read, mistralai 3.7.0). So it is handed clean events only; from the
first one on that it could not carry as it is, the answer is read without it.
"""

from __future__ import annotations

import json
from collections import deque
from typing import Any

from ..providers.refusal import holds_error
from ..wire.cutting import BYTE_ORDER_MARK
from ..wire.exchange import parse_json
from ..wire.shape import mapping, mappings
from ..wire.sse import ServerSentEvent, SSEDecoder

DONE = "[DONE]"
FIELDS = (b"data:", b"event:", b"id:", b"retry:", b":")
KNOWN = frozenset(("role", "content", "tool_calls", "tool_call_id", "index", "metadata"))
# A comment that is not UTF-8 itself: whoever reads on learns that such bytes were there.
NOT_UTF8 = b": \xff\n\n"


class CleanStream:
    """One stream on its way to the SDK.

    Attributes:
        past: Bytes that go past the SDK, from the first event on that it cannot carry.
        ended: True once nothing more is for the SDK.
        is_stream: False once the body has shown to be no stream of events.
    """

    def __init__(self) -> None:
        self.past = bytearray()
        self.ended = False
        self.is_stream = True
        self._decoder = SSEDecoder()
        self._unread: deque[bytes] = deque()
        self._begun = False
        self._told = False

    def feed(self, data: bytes) -> bytes:
        """What the SDK may read of *data*."""
        if not self._begun:
            self._begun = True
            self.is_stream = _looks_like_events(data)
        if not self.is_stream:
            self.ended = True
            self.past += data
            return b""
        events = list(self._decoder.feed(data))
        if self._decoder.replaced and not self._told:
            self._told = self.ended = True
            self.past += NOT_UTF8
        return b"".join(map(self._block, events))

    def end(self) -> bytes:
        """What the SDK may read of an event that the end of the stream left without its mark."""
        last = self._decoder.end() if self.is_stream else None
        if last is None:
            return b""
        if last.data.strip() != DONE and not isinstance(parse_json(last.data), dict):
            self.past += f"data: {last.data}".encode()  # half of one, which the reader drops
            return b""
        return self._block(last)

    def was_read(self) -> None:
        """Says that the SDK has read one more event."""
        if self._unread:
            self._unread.popleft()

    def give_up(self) -> None:
        """Says that the SDK could not read what it was given: that goes past it."""
        self.ended = True
        self.past[:0] = b"".join(self._unread)
        self._unread.clear()

    def _block(self, event: ServerSentEvent) -> bytes:
        clean = None if self.ended else _clean(event)
        if clean is None:
            self.ended = True
            lines = "".join(f"data: {line}\n" for line in event.data.split("\n"))
            named = "" if event.event == "message" else f"event: {event.event}\n"
            self.past += f"{named}{lines}\n".encode()
            return b""
        block = f"data: {clean}\n\n".encode()
        self._unread.append(block)
        return block


def _looks_like_events(data: bytes) -> bool:
    start = data.removeprefix(BYTE_ORDER_MARK).lstrip()
    return not start or any(f.startswith(start) or start.startswith(f) for f in FIELDS)


def _clean(event: ServerSentEvent) -> str | None:
    """The event as the SDK's types have it, None where they would lose something."""
    body = parse_json(event.data)
    if event.event != "message" or not isinstance(body, dict) or holds_error(body):
        return None
    choices = body.get("choices")
    if not isinstance(choices, list) or len(mappings(choices)) != len(choices):
        return None
    if not all(mapping(choice.get("delta")).keys() <= KNOWN for choice in choices):
        return None
    shaped = [
        {"index": position, "delta": {}, "finish_reason": None, **choice}
        for position, choice in enumerate(choices)
    ]
    return json.dumps({"id": "", "model": "", **body, "choices": shaped}, allow_nan=False)


def event_block(data: Any) -> bytes:
    """An event that the SDK has read, as the bytes that the reader of every road takes."""
    # Without warnings: the SDK's types warn of finish reasons that are newer than they are.
    return f"data: {data.model_dump_json(by_alias=True, warnings=False)}\n\n".encode()
