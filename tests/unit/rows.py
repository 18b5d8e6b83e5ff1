"""Provides rows for tests, with every field filled."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from llmkit.types import Completion, FallbackStep, How, Lifecycle, Status, ToolCall, Usage
from llmkit.views.rows import Row

STEP = FallbackStep(
    "openai:gpt-3.5-turbo", "openai:gpt-5.6-terra", "official-successor", "it is retired",
    lost=("tools",), price_ratio=8.0, class_change=1,
)  # fmt: skip


def answer(**changes: Any) -> Completion:
    whole = Completion(
        text="Entropy counts the ways.", reasoning="Short.", status=Status.COMPLETE,
        tool_calls=(ToolCall("look_up", '{"word": "entropy"}', "call_1"),),
        finish_reason="stop", native_finish_reason="end", usage=Usage(21, 17, 8, 9, 0),
        provider="openai", request_model="gpt-6-luna", response_model="gpt-6-luna-2026-09-01",
        request_id="req_1", upstream_provider="FxHost",
        started_at=datetime(2026, 11, 24, 12, 0, 0, 123456, tzinfo=UTC),
        time_to_first_chunk_s=0.5, time_to_first_text_s=0.5, duration_s=1.5, attempts=2,
        cost_usd=0.00123, cost_source="genai-prices", rerouted=False, ignored_parameters=("seed",),
        fallback=(STEP,), warnings=("seed was not sent",), possibly_billed=True,
    )  # fmt: skip
    return replace(whole, **changes)


def row(number: int = 0, **changes: Any) -> Row:
    whole = Row(
        run_id="r1", row=number, prompt_id="q1", prompt="What is entropy?", system="Be brief.",
        repeat=1, parameters={"temperature": 0.5, "stop": ("\n", "END")}, asked="gpt-3.5-turbo",
        provider="openai", request_model="gpt-6-luna", how=How.EXACT, lifecycle=Lifecycle.ACTIVE,
        substituted=True, completion=answer(), error_type="ServerError", error="busy",
        shared_with=None, cell="cell-1", extra={"topic": "physics"},
        messages=({"role": "system", "content": "Be brief."},
                  {"role": "user", "content": "What is entropy?"}),
        options={"top_k": 5}, sent={"temperature": 0.5, "max_tokens": 8192, "top_k": 5},
        base_url="https://api.example.org/v1",
    )  # fmt: skip
    return replace(whole, **changes)


def plain(number: int = 0, model: str = "gpt-6-luna", **changes: Any) -> Row:
    """Returns the row of an ordinary answer."""
    came = answer(fallback=(), warnings=(), ignored_parameters=(), possibly_billed=False, **changes)
    return row(
        number, parameters={}, repeat=0, substituted=False, error=None, error_type=None,
        asked=model, request_model=model,
        completion=replace(came, request_model=model, response_model=model),
    )  # fmt: skip
