"""Rows as data that outlasts a version."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from llmkit.comparison.result import Comparison, load
from llmkit.errors import ConfigError
from llmkit.secret import Secret
from llmkit.types import Completion, ToolCall
from llmkit.views.records import document, rows_from
from llmkit.views.rows import Row
from tests.unit.rows import plain, row

DATA = Path(__file__).parents[1] / "data"


def test_a_row_comes_back_as_it_was():
    """Every field of a row survives JSON, times and closed sets included."""
    rows = (row(), plain(1), row(2, completion=Completion(), how=None, lifecycle=None))

    again = rows_from(json.loads(json.dumps(document(rows, about={}))))

    assert again == rows


def test_odd_prompt_ids_and_columns_are_written():
    """Numbers of numpy become numbers, and other objects their text."""
    odd = row(prompt_id=np.int64(7), extra={"score": np.float64(0.5), "kind": object})

    (again,) = rows_from(json.loads(json.dumps(document([odd], about={}))))

    assert again.prompt_id == 7
    assert again.extra == {"score": 0.5, "kind": "<class 'object'>"}


def test_the_id_of_an_index_of_two_levels_comes_back_as_it_was():
    """A tuple stays one, so that rows can still be grouped by it."""
    asked = row(prompt_id=("physics", 1, ("a", 2)))

    (again,) = rows_from(json.loads(json.dumps(document([asked], about={}))))

    assert again == asked


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (float("nan"), None),
        (pd.NA, None),
        (pd.NaT, None),
        (float("inf"), "inf"),
        (np.array([[1, 2], [3, 4]]), [[1, 2], [3, 4]]),
        (np.bool_(True), True),
        (pd.Timestamp("2026-11-24", tz="UTC"), "2026-11-24T00:00:00+00:00"),
        ({1: ("a", None)}, {"1": ["a", None]}),
    ],
)
def test_what_a_persons_column_holds_is_written_as_json_has_it(value, written):
    """Missing values are null, arrays are lists; the file is JSON to every reader."""
    (record,) = document([row(extra={"x": value})], about={})["rows"]

    assert record["extra"] == {"x": written}
    assert json.dumps(record, allow_nan=False)


@pytest.mark.parametrize(
    "changes",
    [
        {"error": "bad key sk-canary-0123456789"},
        {"completion": Completion(text="sk-canary-0123456789")},
        {"parameters": {"system": "sk-canary-0123456789"}},
        {"extra": {"sk-canary-0123456789": 1}},
        {"prompt_id": ("sk-canary-0123456789",)},
    ],
)
def test_a_key_is_not_written(changes):
    """A key that a provider echoed or a user pasted is masked before anything is on disk."""
    key = Secret("sk-canary-0123456789")

    text = json.dumps(document([row(**changes)], about={"said": key.reveal()}))

    assert "canary" not in text


def test_a_field_of_a_later_minor_version_is_left_out():
    """Unknown fields do not make a file invalid."""
    written = document([row()], about={})
    written["rows"][0]["mood"] = written["rows"][0]["completion"]["mood"] = "good"
    written["rows"][0]["completion"]["usage"]["mood"] = 1

    assert rows_from(written) == (row(),)


def test_a_comparison_is_written_and_loaded(tmp_path):
    """to_json and load are the two directions of one conversion."""
    made = Comparison([row()], {"run_id": "r1"}, ["a note"])

    again = load(made.to_json(tmp_path / "run.json"))

    assert again.rows == made.rows
    assert (again.about, again.notes) == (made.about, made.notes)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ({}, "not a comparison"),
        ([], "not a comparison"),
        ({"schema": "llmkit.comparison", "version": 99}, "update llmkit"),
        (
            {"schema": "llmkit.comparison", "version": 1, "rows": [{}]},
            r"rows\[0\].run_id is missing",
        ),
        (
            {"schema": "llmkit.comparison", "version": 1, "rows": None},
            "rows must be a list, got null",
        ),
        (
            {"schema": "llmkit.comparison", "version": 1, "rows": ["x"]},
            r"rows\[0\] must be an object",
        ),
    ],
)
def test_a_file_without_a_comparison_is_refused(data, words):
    """Other files, newer ones and broken ones have different messages."""
    with pytest.raises(ConfigError, match=words):
        rows_from(data)


def test_a_missing_or_foreign_file_is_a_sentence(tmp_path):
    """The message of load says what to do."""
    (tmp_path / "x.json").write_text("<html>")

    with pytest.raises(ConfigError, match="does not exist; write it with to_json"):
        load(tmp_path / "nothing.json")
    with pytest.raises(ConfigError, match="is not a comparison"):
        load(tmp_path / "x.json")


def test_a_file_of_version_1_is_read():
    """It was written by the llmkit of 2026-11-25 (e332afa), and lacks what was added since."""
    made = load(DATA / "comparison_v1.json")
    tool, slug, other, sent, shared, retired, unknown, fallback = made.rows
    frame = made.frame()

    assert tool.completion.tool_calls == (ToolCall("look_up", '{"word": "Straße"}', "call_1"),)
    assert (slug.completion.text, slug.prompt_id) == ("Grüße 🏞", ("q", 1))
    assert [row.completion.rerouted for row in (tool, slug, other)] == [False, False, True]
    assert (sent.shared_with, shared.shared_with, shared.completion.cost_usd) == (None, 6, 0.0)
    assert (retired.error_type, unknown.error_type) == ("RetiredModelError", "UnknownModelError")
    assert fallback.completion.fallback[0].chosen == "openai:gpt-5.6-terra"
    assert frame[["messages", "options", "sent", "base_url", "waited_s"]].isna().all(axis=None)
    assert frame["topic"].dropna().unique().tolist() == ["физика"]
    assert made.about["catalogue"] == "2026-11-22"


def test_what_is_read_from_version_1_is_written_as_version_2(tmp_path):
    """A second reading gives the same rows."""
    made = load(DATA / "comparison_v1.json")

    again = load(made.to_json(tmp_path / "run.json"))

    assert json.loads((tmp_path / "run.json").read_text())["version"] == 2
    assert again.rows == made.rows


def test_every_field_of_a_row_is_in_the_record():
    """A test fails for a new field without a conversion."""
    (record,) = document([row()], about={})["rows"]

    assert set(record) == set(Row.__dataclass_fields__)
    assert set(record["completion"]) == set(Completion.__dataclass_fields__)
