"""Describes what happened to a session, a connection or a request, as a frozen value."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import NamedTuple


class EventKind(StrEnum):
    """The kinds of events, and what each is about."""

    OPENING = "opening"  # a session
    REUSE = "reuse"  # an open session served another call
    CLOSE = "close"  # a session
    LEAK = "leak"  # a session was lost without being closed
    CONNECTION = "connection"  # one was made, including its TLS handshake
    RETRY = "retry"  # a request is about to be sent again
    REQUEST = "request"  # one has ended, with or without success, including its retries


class Event(NamedTuple):
    """One event. A tuple, because every call makes several.

    Attributes:
        at: Time in UTC; for a request, its end.
        session: Its id in the session table, None if it is not in the table.
        operation: Of a request or a retry: chat, models or sign_in.
        status: Of a request, with the values of an answer's status.
        attempts: Of a request, the total; of a retry, the number of the next attempt.
        wait_s: Seconds before a retry.
        duration_s: Seconds of a request, or until a connection was made.
        parameters: The request parameters that were sent, by name; texts only if asked for.
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
