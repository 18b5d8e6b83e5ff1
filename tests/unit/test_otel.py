"""Events as OpenTelemetry's spans and metrics, read back from its in-memory exporters."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode

from llmkit.telemetry.event import Event, EventKind
from llmkit.telemetry.opentelemetry import exporter

ROOT = Path(__file__).parents[2]
WHEN = datetime(2026, 11, 25, 12, tzinfo=UTC)
ANSWERED = Event(
    EventKind.REQUEST, WHEN, "mistral", "s1", "cell-1", "https://api.mistral.ai",
    operation="chat", request_model="mistral-small-latest", response_model="mistral-small-2603",
    status="complete", finish_reason="stop", attempts=2, duration_s=2.0,
    time_to_first_chunk_s=0.5, input_tokens=9, output_tokens=40,
    parameters={"max_tokens": 100, "temperature": 0.5, "stop": ("END",)},
)  # fmt: skip


@pytest.fixture
def collected():
    """An exporter whose spans and metrics stay in memory."""
    spans, metrics = InMemorySpanExporter(), InMemoryMetricReader()
    tracers = TracerProvider(shutdown_on_exit=False)
    tracers.add_span_processor(SimpleSpanProcessor(spans))
    meters = MeterProvider([metrics], shutdown_on_exit=False)
    yield exporter(tracers, meters), spans.get_finished_spans, metrics
    tracers.shutdown()
    meters.shutdown()


def points(metrics):
    """Every data point, by the name of its metric."""
    found = {}
    for resource in metrics.get_metrics_data().resource_metrics:
        for scope in resource.scope_metrics:
            for metric in scope.metrics:
                found.setdefault(metric.name, []).extend(metric.data.data_points)
    return found


def test_a_request_is_a_client_span_of_the_conventions(collected):
    """Name, kind, times and attributes are those of the conventions for generative AI."""
    take, spans, _ = collected
    take(ANSWERED)

    (span,) = spans()
    assert (span.name, span.kind) == ("chat mistral-small-latest", SpanKind.CLIENT)
    assert span.end_time - span.start_time == 2_000_000_000
    assert span.end_time == int(WHEN.timestamp()) * 1_000_000_000
    assert dict(span.attributes) == {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "mistral_ai",
        "gen_ai.request.model": "mistral-small-latest",
        "gen_ai.request.stream": True,
        "gen_ai.request.max_tokens": 100,
        "gen_ai.request.temperature": 0.5,
        "gen_ai.request.stop_sequences": ("END",),
        "gen_ai.response.model": "mistral-small-2603",
        "gen_ai.response.finish_reasons": ("stop",),
        "gen_ai.response.time_to_first_chunk": 0.5,
        "gen_ai.usage.input_tokens": 9,
        "gen_ai.usage.output_tokens": 40,
        "server.address": "api.mistral.ai",
        "server.port": 443,
        "llmkit.status": "complete",
        "llmkit.attempts": 2,
        "llmkit.session.id": "s1",
        "llmkit.cell.id": "cell-1",
    }


def test_a_failed_request_is_a_failed_span(collected):
    """The error's class is its type, in the span and in the metrics."""
    take, spans, metrics = collected
    take(ANSWERED._replace(status="error", error_type="ServerError"))

    (span,) = spans()
    assert span.status.status_code is StatusCode.ERROR
    assert span.attributes["error.type"] == "ServerError"
    (point,) = points(metrics)["gen_ai.client.operation.duration"]
    assert point.attributes["error.type"] == "ServerError"


def test_a_request_is_measured(collected):
    """Duration, time to the first chunk and tokens, each with provider and model."""
    take, _, metrics = collected
    take(ANSWERED)

    found = points(metrics)
    (duration,) = found["gen_ai.client.operation.duration"]
    (first,) = found["gen_ai.client.operation.time_to_first_chunk"]
    tokens = {p.attributes["gen_ai.token.type"]: p.sum for p in found["gen_ai.client.token.usage"]}
    assert (duration.sum, first.sum, tokens) == (2.0, 0.5, {"input": 9, "output": 40})
    assert duration.attributes["gen_ai.request.model"] == "mistral-small-latest"


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        (EventKind.OPENING, "llmkit.session.openings"),
        (EventKind.REUSE, "llmkit.session.reuses"),
        (EventKind.CLOSE, "llmkit.session.closes"),
        (EventKind.LEAK, "llmkit.session.leaks"),
        (EventKind.CONNECTION, "llmkit.connections"),
        (EventKind.RETRY, "llmkit.retries"),
    ],
)
def test_every_other_event_is_counted(collected, kind, name):
    """Openings, reuses, closes, leaks, connections and retries are counters, not spans."""
    take, spans, metrics = collected
    take(Event(kind, WHEN, "google"))
    take(Event(kind, WHEN, "google"))

    (point,) = points(metrics)[name]
    assert (point.value, dict(point.attributes)) == (2, {"gen_ai.provider.name": "gcp.gemini"})
    assert spans() == ()


def test_texts_are_in_a_span_only_when_they_are_in_the_event(collected):
    """Prompt and answer in the conventions' form, if the user enabled it."""
    take, spans, _ = collected
    take(ANSWERED)
    take(ANSWERED._replace(messages=(("system", "Be brief."), ("user", "hi")), text="ho"))

    silent, spoken = spans()
    assert not [name for name in silent.attributes if name.endswith(("messages", "instructions"))]
    read = {name: json.loads(spoken.attributes[f"gen_ai.{name}"]) for name in (
        "system_instructions", "input.messages", "output.messages",
    )}  # fmt: skip
    assert read == {
        "system_instructions": [{"type": "text", "content": "Be brief."}],
        "input.messages": [{"role": "user", "parts": [{"type": "text", "content": "hi"}]}],
        "output.messages": [
            {
                "role": "assistant",
                "parts": [{"type": "text", "content": "ho"}],
                "finish_reason": "stop",
            }
        ],
    }


GLOBAL = """
import sys
from llmkit.chat.arguments import chat_arguments
from llmkit.kit import Kit

kit = Kit(environ={})
asked = chat_arguments("hi", "scripted:echo")
kit.manager.run(kit.answer(*asked))
assert "opentelemetry" not in sys.modules

from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

spans = InMemorySpanExporter()
tracers = TracerProvider()
tracers.add_span_processor(SimpleSpanProcessor(spans))
trace.set_tracer_provider(tracers)

with trace.get_tracer("mine").start_as_current_span("experiment") as mine:
    kit.manager.run(kit.answer(*asked))
kit.configure(opentelemetry=False)
kit.manager.run(kit.answer(*asked))
kit.close()
ours = [span for span in spans.get_finished_spans() if span.name != "experiment"]
print([(span.name, span.parent.span_id == mine.context.span_id) for span in ours])
"""


def test_a_program_that_collects_has_our_spans_below_its_own():
    """Nothing is imported before the program does so; the setting `opentelemetry` disables it."""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", GLOBAL], cwd=ROOT, capture_output=True, text=True,
        env={**os.environ, "LLMKIT_CONFIG": os.devnull},
    )  # fmt: skip

    assert (done.stdout.strip(), done.stderr) == ("[('chat echo', True)]", "")
