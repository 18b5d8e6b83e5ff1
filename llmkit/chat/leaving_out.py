"""Sends a request without parts of llmkit's own that the server refuses; a refusal costs nothing.

Called by `chat.exchange`, only after a refusal and for later calls to the same server. What the
user passed is never left out.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from typing import Protocol

from ..errors import CallError, Outcome, ProviderError
from ..providers.base import Provider
from ..secret import Secret
from ..types import Prompt
from ..wire.messages import HttpRequest

NAMES = {"stream": "streaming", "stream_options": "stream_options", "headers": "an extra header"}


class Asked(Protocol):
    """The part of a `Call` that makes its request."""

    @property
    def provider(self) -> Provider: ...

    @property
    def model(self) -> str: ...

    @property
    def prompt(self) -> Prompt: ...

    @property
    def key(self) -> Secret | None: ...

    @property
    def stream(self) -> bool: ...


def own_parts(call: Asked) -> list[str]:
    """Returns the parts that the request for *call* can do without.

    Streaming is refused for one model, so its part has the model's name.
    """
    provider, parts = call.provider, []
    if call.stream:
        parts.append(f"stream {call.model}")
        if provider.asks_for_usage and "stream_options" not in dict(call.prompt.options):
            parts.append("stream_options")
    if provider.plain_headers:
        parts.append("headers")
    return parts


def refused_part(call: Asked, error: CallError) -> str | None:
    """Returns the part of the request for *call* that *error* refuses, None for no such part."""
    if not isinstance(error, ProviderError) or error.outcome is Outcome.STREAMED:
        return None
    return next((p for p in own_parts(call) if p.partition(" ")[0] == error.unwanted), None)


def name_of(part: str) -> str:
    """Returns the name of *part* in a warning."""
    return NAMES[part.partition(" ")[0]]


def request_without(call: Asked, parts: Collection[str]) -> HttpRequest:
    """Returns the request for *call* without *parts*."""
    provider, prompt = call.provider, call.prompt
    if "stream_options" in parts:
        prompt = replace(prompt, options=(*prompt.options, ("stream_options", None)))
    streams = call.stream and f"stream {call.model}" not in parts
    request = provider.chat_request(prompt, model=call.model, key=call.key, stream=streams)
    if "headers" in parts:
        headers = {**request.headers, **provider.plain_headers}
        request = replace(request, headers={n: v for n, v in headers.items() if v is not None})
    return request
