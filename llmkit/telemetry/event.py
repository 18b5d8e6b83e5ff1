"""One thing that happened to a session, a connection or a request, as a frozen value."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import NamedTuple


class EventKind(StrEnum):
    """What an event tells of."""

    OPENING = "opening"  # a session
    REUSE = "reuse"  # a session that was open already served again
    CLOSE = "close"  # a session
    LEAK = "leak"  # a session was lost without being closed
    CONNECTION = "connection"  # one was made, with its TLS
    RETRY = "retry"  # a request is about to be sent again
    REQUEST = "request"  # one has ended, well or not, its retries included


class Event(NamedTuple):
    """One thing that happened. A tuple, because several are made for every call.

    Attributes:
        at: When, in UTC; a request's is its end.
        session: As in the session table, None where the session is in no table.
        operation: What a request or a retry was for: chat, models or sign_in.
        status: How a request ended, in the words of an answer's status.
        attempts: Of a request, in all; of a retry, the number of the one to come.
        wait_s: Before a retry.
        duration_s: Of a request, or of making a connection.
        parameters: The request parameters that were sent, by name; texts among them only if they
            were asked for.
        messages: Role and text of the prompt, the system prompt first; empty unless asked for.
        text: The answer; None unless asked for.
    """

    kind: EventKind
    at: datetime
    provider: str
    session: str | None = None
    cell: str | None = None
    base_url: str = ""
    closed_by: str | None = None
    operation: str | None = None
    request_model: str | None = None
    response_model: str | None = None
    status: str | None = None
    finish_reason: str | None = None
    error_type: str | None = None
    attempts: int | None = None
    wait_s: float | None = None
    duration_s: float | None = None
    time_to_first_chunk_s: float | None = None
    input_tokens: int | None = None
    output_tokens: int | None = None
    parameters: Mapping[str, object] = MappingProxyType({})
    messages: tuple[tuple[str, str], ...] = ()
    text: str | None = None
