"""CSV, Parquet and JSON give back the frame that was written."""

from __future__ import annotations

import hashlib
import json
import os
import re
from dataclasses import replace
from datetime import date
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given
from pandas.testing import assert_frame_equal

import llmkit
from llmkit.comparison.result import Comparison, load
from llmkit.errors import ConfigError
from llmkit.secret import Secret
from llmkit.views.frames import pandas_version
from tests.unit.exported import EACH, TEXTS, comparisons, read_back
from tests.unit.rows import answer, plain, row

OF_TEXTS = Comparison(
    [
        replace(plain(i, text=text, reasoning=text), prompt=text, extra={"mine": text})
        for i, text in enumerate(TEXTS)
    ],
    {"run_id": "r1"},
    ["a note"],
)


def description_of(path):
    """Returns the file beside a CSV."""
    return json.loads(Path(f"{path}.json").read_bytes())


@EACH
@given(run=comparisons())
def test_a_csv_gives_back_the_frame(tmp_path, run):
    """Any texts, names, numbers and times, if pandas reads it with the options beside it."""
    assert_frame_equal(read_back(run.to_csv(tmp_path / "run.csv")), run.frame())


@EACH
@given(run=comparisons())
def test_a_parquet_file_gives_back_the_frame(tmp_path, run):
    """Ids of prompts and columns of the user keep their dtypes; texts become the dtype string."""
    again = pd.read_parquet(run.to_parquet(tmp_path / "run.parquet"))

    frame = run.frame()
    objects = [name for name in frame.columns if frame[name].dtype == object]
    assert_frame_equal(again, frame.astype(dict.fromkeys(objects, "string")))


@EACH
@given(run=comparisons())
def test_json_gives_back_the_frame(tmp_path, run):
    """Except for what JSON lacks: times of the user and infinite numbers become texts for good."""
    again = load(run.to_json(tmp_path / "run.json")).frame()

    frame = run.frame()
    own = ["prompt_id", *list(frame.columns)[len(frame.columns) - len(run.rows[0].extra) :]]
    lost = [name for name in own if not is_in_json(frame[name])]
    assert_frame_equal(again.drop(columns=lost), frame.drop(columns=lost))


def is_in_json(values):
    """Returns True if JSON has the *values* of a column, and one of them shows its dtype."""
    has_none = values.dtype == object and values.isna().any()
    is_known = values.dtype.kind != "M" and values.notna().any() and not has_none
    return is_known and not values.isin([float("inf"), float("-inf")]).any()


def test_each_text_is_exact_in_a_csv_that_any_program_reads(tmp_path):
    """The header is the first line, and no text is changed, quoted or escaped."""
    path = OF_TEXTS.to_csv(tmp_path / "run.csv")

    plainly = pd.read_csv(path, dtype=str, keep_default_na=False, engine="python")
    wanted = OF_TEXTS.frame()["text"].tolist()
    assert path.read_bytes().startswith(b'"prompt","asked","temperature"')
    assert plainly["text"].tolist() == plainly["mine"].tolist() == wanted
    assert_frame_equal(read_back(path), OF_TEXTS.frame())


def test_the_options_of_read_csv_are_enough_from_pandas_3_on(tmp_path):
    """An older one reads times and empty columns in another way, which astype corrects."""
    path = OF_TEXTS.to_csv(tmp_path / "run.csv")

    description = description_of(path)
    again = pd.read_csv(path, **description["read_csv"])
    assert description["texts"] == []
    assert description["astype"] == {} or pandas_version() < (3,)
    assert_frame_equal(again.astype(description["astype"]), OF_TEXTS.frame())


def test_a_run_without_rows_or_times_is_read_back(tmp_path):
    """Missing times have no zone in a CSV; astype gives it back."""
    unsent = replace(plain(), completion=answer(started_at=None))

    for run in (Comparison([], {}), Comparison([unsent], {})):
        path = run.to_csv(tmp_path / "run.csv")
        assert_frame_equal(read_back(path), run.frame())
        assert description_of(path)["astype"] == {"started_at": "datetime64[us, UTC]"}


def test_times_with_zones_are_read_back(tmp_path):
    """Summer time changes the offset within a column."""
    times = [pd.Timestamp(f"2026-{day} 12:00:00.5", tz="Europe/Rome") for day in ("01-01", "07-01")]
    rows = [replace(plain(i), extra={"at": time}) for i, time in enumerate(times)]

    run = Comparison(rows, {})

    assert run.frame()["at"].tolist() == times
    assert_frame_equal(read_back(run.to_csv(tmp_path / "run.csv")), run.frame())


def test_values_that_a_csv_has_not_become_texts_and_the_description_says_so(tmp_path):
    """Lists are JSON, and so are mixed values."""
    odd = [[1, {"a": (2.5, None)}], 7, "=x", True, date(2026, 1, 2)]
    rows = [replace(plain(i), extra={"odd": value}) for i, value in enumerate(odd)]

    path = Comparison(rows, {}).to_csv(tmp_path / "run.csv")

    assert description_of(path)["texts"] == ["odd"]
    assert read_back(path)["odd"].tolist() == [
        '[1, {"a": [2.5, null]}]', "7", "=x", "true", "2026-01-02",
    ]  # fmt: skip


def test_what_made_a_csv_is_beside_it(tmp_path):
    """Versions and notes, and the checksum of the CSV that is described."""
    path = OF_TEXTS.to_csv(str(tmp_path / "run.csv"))

    description = description_of(path)
    assert description["about"] == {"run_id": "r1", "notes": ["a note"]}
    assert description["sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()
    assert sorted(os.listdir(tmp_path)) == ["run.csv", "run.csv.json"]


def test_a_key_is_in_neither_file_of_a_csv(tmp_path):
    """In a name, a value, an id and a note."""
    key = str(Secret("sk-canary-9876543210").reveal())
    rows = [row(prompt=key, prompt_id=key, extra={key: key, f"{key}{key}": [key]})]

    path = Comparison(rows, {"run_id": key}, [key]).to_csv(tmp_path / "run.csv")

    content = path.read_bytes() + Path(f"{path}.json").read_bytes()
    assert b"canary" not in content
    assert content.count(b"***") > 6


def test_no_cell_of_a_safe_csv_can_act(tmp_path):
    """Formulas get an apostrophe, escapes are shown, and numbers stay numbers."""
    texts = ["=1+1", "@x", "-2", "- item", "\x1b[31mred", "a\rb"]
    rows = [replace(plain(i, text=t), extra={"=cmd()": t, "n": -3}) for i, t in enumerate(texts)]

    path = Comparison(rows, {}).to_csv(tmp_path / "run.csv", safe=True)
    again = read_back(path)

    guarded = ["'=1+1", "'@x", "-2", "'- item", "\\x1b[31mred", "a\\x0db"]
    assert again["text"].tolist() == again["'=cmd()"].tolist() == guarded
    assert again["n"].tolist() == [-3] * 6
    assert description_of(path)["safe"] is True


def test_a_file_of_another_kind_is_not_replaced_by_a_description(tmp_path):
    """It may be the only copy of another run."""
    other = OF_TEXTS.to_json(tmp_path / "run.csv.json")
    earlier = other.read_bytes()

    with pytest.raises(ConfigError, match="to_csv did not write it; move it"):
        OF_TEXTS.to_csv(tmp_path / "run.csv")

    assert other.read_bytes() == earlier
    assert os.listdir(tmp_path) == ["run.csv.json"]


def test_a_name_that_promises_another_format_is_refused(tmp_path):
    """pandas would decompress the file, Excel would refuse it, or a saved run would be lost."""
    for write, name in (
        (OF_TEXTS.to_csv, "run.csv.gz"), (OF_TEXTS.to_csv, "run.ZIP"), (OF_TEXTS.to_excel, "a.xls"),
        (OF_TEXTS.to_csv, "run.json"), (OF_TEXTS.to_csv, "a.xlsx"), (OF_TEXTS.to_excel, "a.csv"),
    ):  # fmt: skip
        with pytest.raises(ConfigError, match=f"name a file .*, got .*{re.escape(name)}"):
            write(tmp_path / name)

    assert os.listdir(tmp_path) == []


def test_a_table_is_no_comparison_and_the_message_says_what_reads_it(tmp_path):
    """load reads files of to_json only."""
    run = Comparison([plain()], {})
    for path, way in (
        (run.to_csv(tmp_path / "run.csv"), "pandas.read_csv and the options in its .json file"),
        (run.to_parquet(tmp_path / "run.parquet"), "pandas.read_parquet"),
        (run.to_excel(tmp_path / "run.xlsx"), "pandas.read_excel"),
    ):
        with pytest.raises(ConfigError, match=f"written by to_json.*: read this table with {way}"):
            load(path)


def test_a_data_frame_of_prompts_is_in_the_csv_as_it_was(tmp_path):
    """The whole way, from a DataFrame over the answers to the file and back."""
    prompts = pd.DataFrame(
        {"prompt": ["-5", "=1+1", "007"], "gold": ["NA", "", "null"], "n": [1, 2, 3]},
        index=[7, 8, 9],
    )

    run = llmkit.compare(prompts, "scripted:echo")
    again = read_back(run.to_csv(tmp_path / "run.csv"))

    assert again[["prompt_id", "prompt", "gold", "n"]].to_numpy().tolist() == [
        [7, "-5", "NA", 1], [8, "=1+1", "", 2], [9, "007", "null", 3],
    ]  # fmt: skip
    assert_frame_equal(again, run.frame())


def test_a_page_says_when_and_how_it_was_made(tmp_path):
    """Date, versions, models and parameters can be read without a click."""
    run = llmkit.compare("hi", "scripted:echo", temperature=[0, 0.5])
    page = run.to_html(tmp_path / "run.html").read_text("utf-8")

    shown = page.split("<details>")[0]
    start = run.about["started_at"].removesuffix("+00:00").replace("T", " ")
    terms = {"date": f"{start} UTC", "models": "scripted:echo", "parameters": "temperature 0, 0.5",
             "llmkit": llmkit.__version__, "Python": run.about["python"]}  # fmt: skip
    assert {t: f"<dt>{t}</dt><dd>{v}</dd>" in shown for t, v in terms.items()} == dict.fromkeys(
        terms, True
    )


def test_a_page_of_a_damaged_or_older_file_has_a_head_too(tmp_path):
    """Values of any kind are shown as text, and none is required."""
    about = {"models": 3, "parameters": {}, "python": ["<b>"], "prices": {"a": [1, None]}}

    page = Comparison([plain()], about).to_html(tmp_path / "run.html").read_text("utf-8")

    for words in ("<dd>3</dd>", "<dd>none set</dd>", "<dd>&lt;b&gt;</dd>", "<dd>a 1, None</dd>"):
        assert words in page
    assert "<dl" in Comparison([], {}).to_html(tmp_path / "run.html").read_text("utf-8")
