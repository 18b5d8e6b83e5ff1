"""Exports events to OpenTelemetry as metrics and `gen_ai.*` spans; alone imports its API package.

Names: the GenAI semantic conventions 1.41 (https://opentelemetry.io/docs/specs/semconv/gen-ai/,
read 2026-11-25). Without an SDK, every call below is a no-op of the API.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import timedelta
from functools import lru_cache
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from .._version import __version__
from ..providers.builtin import provider_table
from ..types import PARAMETERS
from .event import Event, EventKind

if TYPE_CHECKING:
    from opentelemetry.metrics import MeterProvider
    from opentelemetry.trace import TracerProvider

SCOPE = "llmkit"
# Histogram boundaries of the conventions.
SECONDS = [0.01 * 2**n for n in range(14)]
TOKENS = [4**n for n in range(14)]
COUNTED = {
    EventKind.OPENING: "llmkit.session.openings",
    EventKind.REUSE: "llmkit.session.reuses",
    EventKind.CLOSE: "llmkit.session.closes",
    EventKind.LEAK: "llmkit.session.leaks",
    EventKind.CONNECTION: "llmkit.connections",
    EventKind.RETRY: "llmkit.retries",
}
Attributes = dict[str, "str | bool | int | float | list[str]"]


def exporter(
    tracers: TracerProvider | None = None, meters: MeterProvider | None = None
) -> Callable[[Event], None]:
    """Returns a listener that exports each event, by default to the program's providers."""
    from opentelemetry import metrics, trace

    tracer = trace.get_tracer(SCOPE, __version__, tracers)
    meter = metrics.get_meter(SCOPE, __version__, meters)
    counters = {kind: meter.create_counter(name, "1") for kind, name in COUNTED.items()}
    duration, first_chunk, tokens = (
        meter.create_histogram(
            f"gen_ai.client.{name}", unit, explicit_bucket_boundaries_advisory=limits
        )
        for name, unit, limits in (
            ("operation.duration", "s", SECONDS),
            ("operation.time_to_first_chunk", "s", SECONDS),
            ("token.usage", "{token}", TOKENS),
        )
    )  # fmt: skip

    def measure(event: Event, about: Attributes) -> None:
        duration.record(event.duration_s or 0.0, about)
        if event.time_to_first_chunk_s is not None:
            first_chunk.record(event.time_to_first_chunk_s, about)
        for kind, count in (("input", event.input_tokens), ("output", event.output_tokens)):
            if count is not None:
                tokens.record(count, {**about, "gen_ai.token.type": kind})

    def trace_it(event: Event, about: Attributes) -> None:
        end = event.at
        start = end - timedelta(seconds=event.duration_s or 0.0)
        model = f" {event.request_model}" if event.request_model else ""
        # The other attributes cost time, and are not made if no SDK records the span.
        span = tracer.start_span(
            f"{event.operation or ''}{model}", kind=trace.SpanKind.CLIENT, attributes=about,
            start_time=int(start.timestamp() * 1e9),
        )  # fmt: skip
        if span.is_recording():
            span.set_attributes(_details(event))
            if event.error_type:
                span.set_status(trace.StatusCode.ERROR)
        span.end(int(end.timestamp() * 1e9))

    def take(event: Event) -> None:
        if event.kind is EventKind.REQUEST:
            about = _about(event)
            measure(event, about)
            trace_it(event, about)
        else:
            counters[event.kind].add(1, _what(event))

    return take


def _about(event: Event) -> Attributes:
    """Returns the attributes of every metric and span of a request, each with few values."""
    address, port = _server(event.base_url)
    return _present(
        {
            "gen_ai.operation.name": event.operation,
            "gen_ai.provider.name": _provider_name(event),
            "gen_ai.request.model": event.request_model,
            "gen_ai.response.model": event.response_model,
            "server.address": address,
            "server.port": port,
            "error.type": event.error_type,
        }
    )


def _details(event: Event) -> Attributes:
    reason = event.finish_reason
    return _present(
        {
            "gen_ai.request.stream": True if event.operation == "chat" else None,
            **_parameters(event),
            "gen_ai.response.finish_reasons": [reason] if reason else None,
            "gen_ai.response.time_to_first_chunk": event.time_to_first_chunk_s,
            "gen_ai.usage.input_tokens": event.input_tokens,
            "gen_ai.usage.output_tokens": event.output_tokens,
            "llmkit.status": event.status,
            "llmkit.attempts": event.attempts,
            "llmkit.session.id": event.session,
            "llmkit.cell.id": event.cell,
            **_texts(event),
        }
    )


def _parameters(event: Event) -> Attributes:
    return {
        otel: list(value) if isinstance(value, tuple) else value  # type: ignore[misc]  # a number
        for name, value in event.parameters.items()
        if (otel := PARAMETERS[name].otel)
    }


def _texts(event: Event) -> dict[str, str | None]:
    """Returns prompt and answer, which an event holds only if the user asked for that."""
    conversation = [_message(role, text) for role, text in event.messages if role != "system"]
    system = [
        {"type": "text", "content": text} for role, text in event.messages if role == "system"
    ]
    answer = None if event.text is None else [
        {**_message("assistant", event.text), "finish_reason": event.finish_reason or "error"}
    ]  # fmt: skip
    return {
        "gen_ai.system_instructions": _json(system),
        "gen_ai.input.messages": _json(conversation),
        "gen_ai.output.messages": _json(answer),
    }


def _message(role: str, text: str) -> dict[str, object]:
    return {"role": role, "parts": [{"type": "text", "content": text}]}


def _json(value: object) -> str | None:
    return json.dumps(value, ensure_ascii=False) if value else None


def _provider_name(event: Event) -> str:
    facts = provider_table().get(event.provider)
    return (facts and facts.otel) or event.provider


def _what(event: Event) -> Attributes:
    return _present(
        {
            "gen_ai.provider.name": _provider_name(event),
            "gen_ai.request.model": event.request_model,
            "llmkit.closed_by": event.closed_by,
            "error.type": event.error_type,
        }
    )


def _present(attributes: Mapping[str, str | bool | int | float | list[str] | None]) -> Attributes:
    return {name: value for name, value in attributes.items() if value is not None}


@lru_cache(maxsize=64)
def _server(base_url: str) -> tuple[str | None, int | None]:
    parts = urlsplit(base_url)
    return parts.hostname, parts.port or {"https": 443, "http": 80}.get(parts.scheme)
