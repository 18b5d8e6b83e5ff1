"""Describes the reply of a fake provider to one request."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

DATA = Path(__file__).parents[1] / "data"


@dataclass(frozen=True)
class Reply:
    """One answer, correct or faulty.

    Attributes:
        pieces: The body; each piece is one write.
        headers_after_s: Seconds before the headers.
        first_after_s: Seconds between the headers and the first piece.
        gap_s: Seconds before each piece except the first.
        ending: "close" ends the body as HTTP requires; "leave" also closes the connection without
            announcing it; "cut" closes it in the middle; "reset" sends RST; "silence" sends nothing
            more; "drip" sends `drip` forever.
        billed: True if a provider would charge for it; None to derive it from the status.
        answered: False to send only the ending, without headers and body.
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
    """Returns a recorded JSON answer."""
    body = (DATA / provider / f"{name}.json").read_bytes()
    return Reply(pieces=(body,), headers={"content-type": "application/json"})


def stream(provider: str, name: str = "stream", **changes: Any) -> Reply:
    """Returns a recorded stream, one write for each event."""
    suffix, kind = ("ndjson", "application/x-ndjson") if provider == "ollama" else (
        "sse", "text/event-stream",
    )  # fmt: skip
    text = (DATA / provider / f"{name}.{suffix}").read_bytes()
    mark = b"\n" if provider == "ollama" else b"\n\n"
    pieces = tuple(piece + mark for piece in text.strip().split(mark))
    return Reply(pieces=pieces, headers={"content-type": kind}, **changes)


def cut_stream(provider: str, ending: str = "close", **changes: Any) -> Reply:
    """Returns a recorded stream that stops before its finish event, after its first words."""
    whole = stream(provider)
    spoken = next(i for i, piece in enumerate(whole.pieces) if b"A river" in piece)
    return Reply(
        pieces=whole.pieces[: spoken + 1], headers=whole.headers, ending=ending, **changes
    )  # fmt: skip


def refusal(provider: str, name: str) -> Reply:
    """Returns a recorded refusal."""
    found = json.loads((DATA / provider / "errors.json").read_text())[name]
    body = found["body"]
    raw = body if isinstance(body, str) else json.dumps(body)
    headers = {"content-type": "application/json", **found.get("headers", {})}
    return Reply(found["status"], (raw.encode(),), headers)
