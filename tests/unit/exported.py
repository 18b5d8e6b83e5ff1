"""Random comparisons and texts for the tests of exported files."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime
from typing import Any

import pandas as pd
from hypothesis import HealthCheck, Phase, settings, strategies as st

from llmkit.comparison.result import Comparison
from llmkit.views.rows import Row
from tests.unit.rows import answer, plain

# Files take too long for shrinking: a failure shows the rows that were drawn.
EACH = settings(
    max_examples=20,
    deadline=None,
    phases=(Phase.reuse, Phase.generate),
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
# Texts that programs have taken for missing values, numbers, formulas or the end of a line.
TEXTS = [
    "NA", "None", "null", "nan", "NaT", "<NA>", "<<NA>>", "n/a", "N/A", "#N/A", "", " ", "007",
    "-5", "+49", "1e5", "1_000", "0x1F", "Inf", "True", "2026-11-30", "=1+1", "@x", "- item",
    "\r", "\n", "\r\n", "a\rb", "a\n\rb\n", "\u2028", "\t", '"', '""', "'", ",", ";", "a,\"b\"\r\n",
    "\0", "a\0b", "\x1b[31m", "\ufeff", "\ufeffa", "\\N", "_x000D_", "# a", "so good \ud83d", "🏞",
]  # fmt: skip
NAMES = ["", " ", "Unnamed: 0", "text", "prompt_id", "\r\n", 'a,"b"', "\ufeff", "=1", "a\0", "a.1"]


def texts() -> st.SearchStrategy[str]:
    """Returns any text, with half emoji."""
    return st.sampled_from(TEXTS) | st.text(max_size=8)


def columns(length: int) -> st.SearchStrategy[list[Any]]:
    """Returns the values of one column: texts, numbers, booleans or times, some missing."""
    first, last = map(datetime.fromisoformat, ("1950-01-01", "2100-01-01"))
    times = st.datetimes(first, last)
    integers = st.integers(-(2**63), 2**63 - 1)
    kinds = (
        texts(), integers, st.floats(), st.booleans(), times,
        texts() | st.just(float("nan")), times | st.just(pd.NaT),
        integers | st.none(), st.booleans() | st.just(pd.NA), st.none(),
    )  # fmt: skip
    return st.sampled_from(kinds).flatmap(
        lambda kind: st.lists(kind, min_size=length, max_size=length).filter(_has_value)
    )


def _has_value(values: list[Any]) -> bool:
    return any(value is not pd.NaT for value in values)  # else it is not a column of times


@st.composite
def comparisons(draw: st.DrawFn) -> Comparison:
    """Returns a comparison with columns of the user's under any names."""
    length = draw(st.integers(1, 4))
    names = draw(st.lists(st.sampled_from(NAMES) | st.text(max_size=5), unique=True, max_size=4))
    own = {name: draw(columns(length)) for name in names}
    ids = draw(columns(length))
    return Comparison([_row(draw, i, ids[i], own) for i in range(length)], {"run_id": "r1"})


def _row(draw: st.DrawFn, number: int, key: object, own: dict[str, list[Any]]) -> Row:
    said, asked = draw(texts()), draw(texts())
    seconds = draw(st.none() | st.floats(0, 1e9))
    is_sent = draw(st.booleans())
    completion = answer(
        text=said, reasoning=draw(texts()), duration_s=seconds, cost_usd=seconds,
        started_at=answer().started_at if is_sent else None,
    )  # fmt: skip
    point = {"seed": draw(st.integers(-(2**63 - 1), 2**63 - 1)), "temperature": 0.7}
    return replace(
        plain(number), prompt_id=key, prompt=asked, completion=completion,
        parameters=point if is_sent else {}, error=draw(st.none() | texts()),
        extra={name: values[number] for name, values in own.items()},
    )  # fmt: skip


def read_back(path: Any) -> pd.DataFrame:
    """Returns the frame of a CSV, read as its description says."""
    with open(f"{path}.json", encoding="utf-8") as file:
        description = json.load(file)
    return pd.read_csv(path, **description["read_csv"]).astype(description["astype"])
