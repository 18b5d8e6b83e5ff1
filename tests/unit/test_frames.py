"""Rows as DataFrames and files."""

from __future__ import annotations

import io
import json
from dataclasses import replace

import pandas as pd
import pyarrow.parquet as pq
import pytest

from llmkit.comparison.result import Comparison, load
from llmkit.reports import AuthReport, Leaks, Models, Sessions
from llmkit.secret import Secret
from llmkit.types import Completion
from llmkit.views.frames import (
    AFTER_GRID,
    BEFORE_GRID,
    comparison_frame,
    csv_text,
    table_frame,
)
from tests.unit.rows import answer, plain, row

COLUMNS = [*BEFORE_GRID, *AFTER_GRID]


def test_the_columns_are_always_the_same():
    """An empty table has the columns and dtypes of a full one."""
    empty, full = comparison_frame([]), comparison_frame([plain()])

    assert list(empty.columns) == COLUMNS
    assert list(full.columns) == [*COLUMNS, "topic"]
    assert empty.dtypes.astype(str).to_dict() == full[COLUMNS].dtypes.astype(str).to_dict()


def test_values_are_of_their_columns_kinds():
    """Counts are integers, times are floats and points in UTC, flags are booleans."""
    frame = comparison_frame([row()])

    kinds = frame.dtypes.astype(str)
    assert (kinds["output_tokens"], kinds["duration_s"], kinds["substituted"]) == (
        "Int64",
        "float64",
        "boolean",
    )
    assert str(kinds["started_at"]).endswith("UTC]")
    line = frame.iloc[0]
    assert (line["temperature"], line["status"], line["fallback"]) == (
        0.5,
        "complete",
        "openai:gpt-3.5-turbo → openai:gpt-5.6-terra (official-successor): it is retired; "
        "without tools; 1 class larger; 8 times the price",
    )


def test_a_further_grid_parameter_is_a_column_after_the_seed():
    """A grid over stop sequences has its own column."""
    columns = list(comparison_frame([row()]).columns)

    assert columns[columns.index("seed") + 1] == "stop"


def test_the_persons_own_columns_come_last_and_never_hide_ours():
    """A column of the user called text gets another name."""
    frame = comparison_frame([plain(), replace(plain(1), extra={"topic": "x", "text": "mine"})])

    assert list(frame.columns[-2:]) == ["topic", "prompt_text"]
    assert frame["prompt_text"].tolist()[1] == "mine"
    assert frame["text"].tolist()[1] == "Entropy counts the ways."


def test_two_columns_of_the_user_never_become_one():
    """A column that is free keeps its name; one that is not gets a name that is."""
    extra = {"text": "gold", "prompt_text": "source", "\ud83d": 1} | {"\ufffd": 2}

    line = comparison_frame([replace(plain(), extra=extra)]).iloc[0, -4:]

    assert line.to_dict() == {
        "prompt_prompt_text": "gold", "prompt_text": "source", "prompt_\ufffd": 1, "\ufffd": 2,
    }  # fmt: skip


def test_structured_values_are_json_in_one_cell():
    """The conversation, tool calls, options and what was sent; an empty one is missing."""
    full, empty = row(), replace(plain(1), completion=Completion(), options={}, sent=None)
    names = ["messages", "tool_calls", "options", "sent"]

    frame = comparison_frame([full, empty])[names]

    assert frame.dtypes.astype(str).unique().tolist() == ["string"]
    assert [json.loads(text) for text in frame.iloc[0]] == [
        [{"role": "system", "content": "Be brief."},
         {"role": "user", "content": "What is entropy?"}],
        [{"name": "look_up", "arguments": '{"word": "entropy"}', "id": "call_1"}],
        {"top_k": 5},
        {"temperature": 0.5, "max_tokens": 8192, "top_k": 5},
    ]  # fmt: skip
    assert frame.iloc[1].isna().tolist() == [False, True, True, True]


def test_what_is_unknown_is_missing_and_never_zero():
    """An unknown price, count or time is NA."""
    frame = comparison_frame([replace(plain(), completion=Completion())])

    missing = ["cost_usd", "output_tokens", "duration_s", "time_to_first_chunk_s", "reasoning"]
    assert frame[missing].isna().all(axis=None)


def test_no_cell_of_a_csv_can_act():
    """Formulas are quoted and escapes are shown; numbers stay numbers."""
    odd = [plain(i, text=t) for i, t in enumerate(["=1+1", "@x", "-2", "\x1b[31mred", "a\rb"])]

    text = csv_text(odd, {"run_id": "r1"})
    again = pd.read_csv(io.StringIO(text), skiprows=1)

    assert again["text"].tolist() == ["'=1+1", "'@x", "'-2", "\\x1b[31mred", "a\\x0db"]
    assert again["output_tokens"].tolist() == [17] * 5
    assert json.loads(text.splitlines()[0].removeprefix("# ")) == {"run_id": "r1"}


class Formula:
    """Any text of a user's column that a spreadsheet would execute."""

    def __str__(self):
        return "=1+1"


def test_a_persons_own_columns_cannot_act_either():
    """Neither the name of a column, its content, nor the notes of a run."""
    odd = replace(plain(), prompt_id=Formula(), extra={"=cmd()": "=2+2", "n": -3})

    text = csv_text([odd], {"run_id": "\u202e\x9b"})
    again = pd.read_csv(io.StringIO(text), skiprows=1)

    assert again[["prompt_id", "'=cmd()", "n"]].to_numpy().tolist() == [["'=1+1", "'=2+2", -3]]
    assert text.splitlines()[0].isascii()


def test_no_key_is_in_an_export(tmp_path):
    """A key that a provider echoed or a user pasted is in no file and on no page."""
    key = Secret("sk-canary-9876543210").reveal()
    said = row(prompt=key, error=key, extra={"note": key}, completion=answer(text=key))
    made = Comparison([said], {"run_id": key}, [key])

    written = [
        made.to_csv(tmp_path / "run.csv"), made.to_json(tmp_path / "run.json"),
        made.to_html(tmp_path / "run.html"), made.to_parquet(tmp_path / "run.parquet"),
    ]  # fmt: skip

    assert [path.name for path in written if b"canary" in path.read_bytes()] == []
    assert "canary" not in str(made)


def test_a_parquet_file_carries_what_made_it(tmp_path):
    """Columns are read back with their dtypes; `about` is in the metadata."""
    made = Comparison([row(), plain(1)], {"run_id": "r1"})

    path = made.to_parquet(tmp_path / "run.parquet")

    assert json.loads(pq.read_schema(path).metadata[b"llmkit"]) == {"run_id": "r1"}
    assert pd.read_parquet(path)["output_tokens"].tolist() == [17, 17]


def test_every_report_has_a_frame_even_when_it_is_empty():
    """auth, models, sessions and leaks have fixed columns."""
    for kind in (AuthReport, Models, Sessions, Leaks):
        frame = kind([]).frame()

        assert list(frame.columns) == list(kind.columns)
        assert len(frame) == 0


def test_a_table_keeps_only_its_columns():
    """A parameter that was not set is omitted, a missing value is NA."""
    frame = table_frame([{"a": 1, "x": 2}], {"a": "Int64", "b": "string"})

    assert list(frame.columns) == ["a", "b"]
    assert frame["b"].isna().all()


def test_a_comparison_is_written_as_a_page(tmp_path):
    """to_html and to_csv write files that other programs open."""
    made = Comparison([plain()], {"run_id": "r1"})

    assert "Entropy counts the ways." in made.to_html(tmp_path / "run.html").read_text()
    assert made.to_csv(tmp_path / "run.csv").read_text().startswith('# {"run_id": "r1"}')


HALF = "so good \ud83d"


@pytest.mark.parametrize(
    "odd",
    [
        row(prompt=HALF, system=HALF, error=HALF, cell=HALF, asked=HALF),
        row(completion=answer(text=HALF, reasoning=HALF, warnings=(HALF,), request_id=HALF)),
        row(extra={"topic": HALF, HALF: [HALF, {HALF: HALF}]}, prompt_id=(HALF, 1)),
        row(parameters={"stop": (HALF,), "system": HALF}, prompt_id=HALF),
    ],
)
def test_half_an_emoji_costs_no_answer(tmp_path, odd):
    """It becomes U+FFFD in every table and file."""
    made = Comparison([odd, plain(1)], {"run_id": HALF, HALF: 1}, [HALF])

    frame = made.frame()
    paths = [
        made.to_csv(tmp_path / "a.csv"), made.to_html(tmp_path / "a.html"),
        made.to_json(tmp_path / "a.json"), made.to_parquet(tmp_path / "a.parquet"),
    ]  # fmt: skip
    texts = [path.read_text("utf-8") for path in paths[:3]]

    assert "so good \ufffd" in frame.to_csv()
    assert "so good \ufffd" in pd.read_parquet(paths[3]).to_csv()
    assert all("so good" in text for text in texts)
    assert load(paths[2]).rows[1] == made.rows[1]


def test_a_key_in_the_name_of_a_column_is_in_no_parquet_file(tmp_path):
    """The names of the user's columns are masked like their content."""
    key = Secret("sk-canary-9876543210").reveal()

    extra = {str(key): 1, f"{key}{key}": 2}
    path = Comparison([row(extra=extra)], {}).to_parquet(tmp_path / "run.parquet")

    assert b"canary" not in path.read_bytes()
    assert pd.read_parquet(path).iloc[0, -2:].tolist() == [1, 2]


def test_a_parameter_with_the_name_of_a_column_does_not_hide_it():
    """The column keeps the value of the answer."""
    frame = comparison_frame([row(parameters={"text": 5, "seed": 7})])

    assert frame["text"].tolist() == ["Entropy counts the ways."]
    assert frame["seed"].tolist() == [7]
