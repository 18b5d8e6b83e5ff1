"""What a fake provider does with one request."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

DATA = Path(__file__).parents[1] / "data"


@dataclass(frozen=True)
class Reply:
    """One answer, well-behaved or not.

    Attributes:
        pieces: The body; each piece is one write.
        headers_after_s: Silence before the headers.
        first_after_s: Silence between the headers and the first piece.
        gap_s: Silence before each piece but the first.
        ending: "close" ends the body as HTTP wants it; "leave" does so and hangs up unsaid; "cut"
            closes the connection in the middle, "reset" breaks it (RST), "silence" says nothing
            more, "drip" sends `drip` for ever.
        billed: Whether a provider would charge for it; None to tell by the status.
        answered: False for no headers and no body, only the ending.
    """

    status: int = 200
    pieces: tuple[bytes, ...] = ()
    headers: Mapping[str, str] = field(default_factory=dict)
    headers_after_s: float = 0.0
    first_after_s: float = 0.0
    gap_s: float = 0.0
    ending: Literal["close", "leave", "cut", "reset", "silence", "drip"] = "close"
    drip: bytes = b": still here\n\n"
    answered: bool = True
    billed: bool | None = None


def document(provider: str, name: str) -> Reply:
    """A recorded JSON answer."""
    body = (DATA / provider / f"{name}.json").read_bytes()
    return Reply(pieces=(body,), headers={"content-type": "application/json"})


def stream(provider: str, name: str = "stream", **changes: Any) -> Reply:
    """A recorded stream, one write for each event."""
    suffix, kind = ("ndjson", "application/x-ndjson") if provider == "ollama" else (
        "sse", "text/event-stream",
    )  # fmt: skip
    text = (DATA / provider / f"{name}.{suffix}").read_bytes()
    mark = b"\n" if provider == "ollama" else b"\n\n"
    pieces = tuple(piece + mark for piece in text.strip().split(mark))
    return Reply(pieces=pieces, headers={"content-type": kind}, **changes)


def cut_stream(provider: str, ending: str = "close", **changes: Any) -> Reply:
    """A recorded stream that stops before its finish event, with its first words sent."""
    whole = stream(provider)
    spoken = next(i for i, piece in enumerate(whole.pieces) if b"A river" in piece)
    return Reply(
        pieces=whole.pieces[: spoken + 1], headers=whole.headers, ending=ending, **changes
    )  # fmt: skip


def refusal(provider: str, name: str) -> Reply:
    """A recorded refusal."""
    found = json.loads((DATA / provider / "errors.json").read_text())[name]
    body = found["body"]
    raw = body if isinstance(body, str) else json.dumps(body)
    headers = {"content-type": "application/json", **found.get("headers", {})}
    return Reply(found["status"], (raw.encode(),), headers)
