"""Rows as DataFrames and files."""

from __future__ import annotations

import json
from dataclasses import replace

import pandas as pd
import pyarrow.parquet as pq
import pytest

from llmkit.comparison.result import Comparison, load
from llmkit.reports import AuthReport, Leaks, Models, Sessions
from llmkit.secret import Secret
from llmkit.types import Completion, Status
from llmkit.views.frames import (
    AFTER_GRID,
    BEFORE_GRID,
    comparison_frame,
    pandas_version,
    summary_frame,
    table_frame,
    texts_frame,
)
from tests.unit.rows import answer, plain, row

COLUMNS = [*BEFORE_GRID, *AFTER_GRID]


def test_the_columns_are_always_the_same():
    """An empty table has the columns and dtypes of a full one."""
    empty, full = comparison_frame([]), comparison_frame([plain()])

    assert list(empty.columns) == COLUMNS
    assert list(full.columns) == [*COLUMNS, "topic"]
    assert empty.dtypes.astype(str).to_dict() == full[COLUMNS].dtypes.astype(str).to_dict()


def test_the_first_columns_are_what_a_reader_looks_for_and_ids_are_last():
    """Prompt, model, grid point, answer, its end and its cost are in the first screen."""
    names = list(comparison_frame([plain()]).columns)

    assert names[:13] == [
        "prompt", "asked", "temperature", "top_p", "max_tokens", "seed", "repeat",
        "text", "status", "cost_usd", "duration_s", "output_tokens", "error",
    ]  # fmt: skip
    assert names[-7:] == [
        "run_id", "row", "prompt_id", "request_id", "shared_with", "cell", "topic",
    ]  # fmt: skip


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

    assert columns[columns.index("seed") :][:3] == ["seed", "stop", "repeat"]


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
    assert b"canary" not in (tmp_path / "run.csv.json").read_bytes()
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


@pytest.mark.parametrize(
    ("ids", "dtype"),
    [([0, 1], "int64"), ([0.5, 1.0], "float64"), (["a", "b"], "object"), ([1, "b"], "object"),
     ([("a", 1), ("b", 2)], "object"), ([True, False], "bool")],
)  # fmt: skip
def test_ids_of_prompts_have_the_dtype_of_their_index(ids, dtype):
    """Numbers are numbers; texts and mixed ids are objects."""
    frame = comparison_frame([replace(plain(i), prompt_id=key) for i, key in enumerate(ids)])

    assert frame["prompt_id"].dtype == dtype
    assert frame["prompt_id"].tolist() == ids


@pytest.mark.parametrize(
    ("values", "dtype"),
    [
        ([2**53 + 1, None], "Int64"), ([1, pd.NA], "Int64"), ([True, None], "boolean"),
        ([1.5, pd.NA], "Float64"), ([1.5, None], "float64"), ([None, None], "float64"),
        ([pd.NA, pd.NA], "float64"), ([2**70, None], "object"), ([1, "a"], "object"),
    ],
)  # fmt: skip
def test_columns_of_the_user_keep_the_kind_of_their_values_beside_missing_ones(values, dtype):
    """An integer is not rounded, and no number becomes a text in a file."""
    rows = [replace(plain(i), extra={"self": value}) for i, value in enumerate(values)]

    column = comparison_frame(rows)["self"]

    is_old = dtype == "Float64" and pandas_version() < (3,)  # it infers no numbers beside pd.NA
    assert column.dtype == ("object" if is_old else dtype)
    assert column.dropna().tolist() == [v for v in values if not pd.isna(v)]


def lacking_key(number, model):
    return row(
        number, asked=model, request_model=model, error_type="MissingApiKeyError",
        completion=Completion(status=Status.ERROR, attempts=0),
    )  # fmt: skip


def test_a_summary_has_one_row_for_each_model_that_was_asked():
    """Counts by end, medians of the ok answers, and a cost only if all costs are known."""
    rows = [
        plain(0, "a", duration_s=1.0), plain(1, "a", duration_s=3.0, status=Status.LENGTH),
        plain(2, "a", duration_s=0.1, status=Status.ERROR, cost_usd=None),
        plain(3, "b", status=Status.TRUNCATED), lacking_key(4, "c"),
    ]  # fmt: skip

    frame = summary_frame([replace(row, provider="openai") for row in rows]).set_index("model")

    assert frame.index.tolist() == ["openai:a", "openai:b", "openai:c"]
    assert frame["answers"].tolist() == [3, 1, 1]
    ends = ["ok", "failed", "no_key", "length", "truncated"]
    assert frame[ends].to_numpy().tolist() == [
        [2, 1, 0, 1, 0], [0, 0, 0, 0, 1], [0, 0, 1, 0, 0],
    ]  # fmt: skip
    assert (frame["duration_s"].iloc[0], frame["output_tokens"].iloc[0]) == (2.0, 51)
    assert frame["cost_usd"].isna().tolist() == [True, False, False]
    assert frame["cost_known"].tolist() == [2, 1, 0]
    assert frame["known_cost_usd"].tolist() == [0.00246, 0.00123, 0.0]


def test_the_columns_of_a_summary_are_always_the_same():
    """An empty one has the dtypes of a full one; a sum of unknown costs is missing, not 0."""
    empty, full = summary_frame([]), summary_frame([plain(cost_usd=None)])

    assert empty.dtypes.to_dict() == full.dtypes.to_dict()
    assert (full["cost_usd"].isna().all(), full["cost_unknown"].tolist()) == (True, [1])


def test_the_texts_stand_in_one_column_for_each_model():
    """A prompt is a line; a model that failed before any text has none."""
    rows = [plain(0, "a", text="one"), plain(1, "b", text="", status=Status.ERROR)]

    frame = texts_frame(rows)

    assert frame.columns.tolist() == ["openai:a", "openai:b"]
    assert frame.loc["What is entropy?", "openai:a"] == "one"
    assert frame["openai:b"].isna().all()
    assert texts_frame([]).shape == (0, 0)


def test_what_varies_and_repeats_are_levels_of_the_index_of_texts():
    """A parameter that all answers share is not among them."""
    points = [(t, stop, n) for t in (0.0, 1.0) for stop in ((), ("END",)) for n in (0, 1)]
    rows = [
        replace(plain(i, text=f"{i}"), repeat=n,
                parameters={"temperature": t, "stop": stop, "seed": 7})
        for i, (t, stop, n) in enumerate(points)
    ]  # fmt: skip

    frame = texts_frame(rows)

    assert frame.index.names == ["prompt", "temperature", "stop", "repeat"]
    assert [key[1:] for key in frame.index] == points
    assert frame["openai:gpt-6-luna"].tolist() == [str(i) for i in range(8)]


def test_no_text_is_lost_where_two_names_are_one_model_or_prompts_are_alike():
    """Each answer has a cell of its own."""
    named = [plain(i, text=f"{i}") for i in range(2)]
    again = [replace(plain(i, text=f"{i}"), prompt_id=f"q{i}") for i in range(2, 4)]

    assert texts_frame([*named, *again])["openai:gpt-6-luna"].tolist() == ["0", "1", "2", "3"]
