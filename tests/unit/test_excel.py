"""A workbook holds texts as texts, times without a zone, and says what it cut."""

from __future__ import annotations

import copy
import io
import pickle
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import openpyxl
import pandas as pd
import pytest
from hypothesis import given

from llmkit.comparison.result import Comparison
from llmkit.errors import ConfigError
from llmkit.reports import Sessions
from llmkit.secret import Secret
from llmkit.views.exports import excel_file
from llmkit.views.exports.excel_values import excel_text
from llmkit.views.frames import comparison_frame
from tests.unit.exported import EACH, TEXTS, comparisons
from tests.unit.rows import answer, plain, row

SHOWN = {"\0": "\\x00", "a\0b": "a\\x00b", "\x1b[31m": "\\x1b[31m", "_x000D_": "_x005F_x000D_",
         "so good \ud83d": "so good \ufffd"}  # fmt: skip
ENGINES = pytest.mark.parametrize("engine", ["openpyxl", "xlsxwriter"])


def in_excel(text):
    """Returns what openpyxl reads for *text*; Excel itself decodes _x005F_."""
    return SHOWN.get(text, text).replace("\r\n", "\n").replace("\r", "\n")


def read(path, sheet="answers"):
    """Returns a sheet with each cell as it is; an empty one is an empty text."""
    return pd.read_excel(path, sheet_name=sheet, dtype=object, keep_default_na=False)


def test_each_text_is_a_text_in_excel(tmp_path):
    """Formulas, numbers, words for missing values, blanks and quotes stay what they are."""
    rows = [replace(plain(i, text=t), extra={"=1": t}) for i, t in enumerate(TEXTS)]

    path = Comparison(rows, {}).to_excel(tmp_path / "run.xlsx")

    again = read(path)
    assert again["text"].tolist() == again["=1"].tolist() == list(map(in_excel, TEXTS))
    cells = [cell for line in openpyxl.load_workbook(path)["answers"] for cell in line]
    assert {cell.data_type for cell in cells} <= {"s", "inlineStr", "n", "b", "d"}


@EACH
@given(run=comparisons())
def test_any_frame_is_written_to_excel(tmp_path, run):
    """By the comparison, and by its frame; texts and numbers come back."""
    frame = run.frame()
    again = read(run.to_excel(tmp_path / "run.xlsx"))
    frame.to_excel(tmp_path / "frame.xlsx", engine="openpyxl")

    assert len(read(tmp_path / "frame.xlsx", "Sheet1")) == len(frame)
    seconds = pd.to_numeric(again["duration_s"], errors="coerce").astype(float)
    pd.testing.assert_series_equal(seconds, frame["duration_s"], rtol=1e-15)  # Excel has 15 digits
    assert again["text"].tolist() == [excel_text(text) for text in frame["text"]]


def test_values_are_of_excels_kinds(tmp_path):
    """Times are UTC without a zone; a number with too many digits is a text."""
    rome = timezone(timedelta(hours=1))
    extra = {
        "at": datetime(2026, 1, 1, 12, tzinfo=rome), "old": datetime(1066, 1, 1, tzinfo=UTC),
        "big": 2**60 + 1, "inf": float("inf"), "list": ["=1", 2], "flag": True,
    }  # fmt: skip

    path = Comparison([row(extra=extra)], {}).to_excel(tmp_path / "run.xlsx")

    sheet = openpyxl.load_workbook(path)["answers"]
    names = [cell.value for cell in sheet[1]]
    values = dict(zip(names, (cell.value for cell in sheet[2]), strict=True))
    started = answer().started_at.replace(tzinfo=None)
    assert abs(values["started_at"] - started) < timedelta(milliseconds=1)
    assert {name: values[name] for name in extra} == {
        "at": datetime.fromisoformat("2026-01-01 11:00"), "old": "1066-01-01T00:00:00+00:00",
        "big": "1152921504606846977", "inf": "inf", "list": '["=1", 2]', "flag": True,
    }  # fmt: skip
    assert (values["output_tokens"], values["shared_with"]) == (17, None)
    assert sheet.freeze_panes == "A2"


def test_a_text_that_is_too_long_is_cut_and_the_workbook_says_where(tmp_path):
    """Excel counts characters outside of the basic plane twice."""
    rows = [plain(0, text="x" * 32_767), plain(1, text="🏞" * 20_000)]

    path = Comparison(rows, {"run_id": "r1"}, ["a note"]).to_excel(tmp_path / "run.xlsx")

    assert read(path)["text"].tolist() == ["x" * 32_767, "🏞" * 16_383]
    about = dict(openpyxl.load_workbook(path)["about"].values)
    assert about == {
        "run_id": "r1", "notes": '["a note"]', "cut": '["row 1, text: 40,000 characters"]',
    }  # fmt: skip


def test_more_rows_than_a_sheet_has_are_refused(tmp_path, monkeypatch):
    """The message names the limit and another format."""
    monkeypatch.setattr(excel_file, "MOST_ROWS", 2)

    with pytest.raises(ConfigError, match="at most 1 answers, got 2; use to_parquet or to_csv"):
        Comparison([plain(), plain(1)], {}).to_excel(tmp_path / "run.xlsx")


def test_no_key_is_in_a_workbook(tmp_path):
    """In a name, a value, an id and a note."""
    key = str(Secret("sk-canary-9876543210").reveal())
    said = row(prompt=key, prompt_id=key, extra={key: [key]})

    path = Comparison([said], {"run_id": key}, [key]).to_excel(tmp_path / "run.xlsx")

    book = openpyxl.load_workbook(path)
    shown = str([list(sheet.values) for sheet in book])
    assert "***" in shown
    assert "canary" not in shown


@ENGINES
def test_to_excel_of_a_frame_works(tmp_path, engine):
    """Also of a part of it and of other reports; formulas stay texts."""
    texts = ["=1+1", "#N/A", "a\x0bb", "https://x.example/" + "y" * 3000]
    rows = [plain(i, text=t) for i, t in enumerate(texts)]
    frame = comparison_frame(rows)
    part = frame[frame["row"] > 0][["started_at", "text"]].set_index("started_at", append=True)

    frame.to_excel(tmp_path / "a.xlsx", index=False, engine=engine)
    part.reset_index().to_excel(tmp_path / "b.xlsx", engine=engine)
    Sessions([]).frame().to_excel(tmp_path / "c.xlsx", engine=engine)

    again = read(tmp_path / "a.xlsx", "Sheet1")
    assert again["text"].tolist() == ["=1+1", "#N/A", "a\\x0bb", texts[3]]
    assert again["started_at"][0].tzinfo is None
    assert read(tmp_path / "b.xlsx", "Sheet1")["text"].tolist() == ["#N/A", "a\\x0bb", texts[3]]


@ENGINES
def test_a_frame_joins_a_workbook_that_the_user_writes(engine):
    """Formulas that the user wrote stay formulas."""
    file = io.BytesIO()
    frame = comparison_frame([plain(text="=2+2")])[["started_at", "text"]]
    with pd.ExcelWriter(file, engine=engine) as writer:
        pd.DataFrame({"a": ["=1+1"]}).to_excel(writer, sheet_name="mine")
        frame.set_index("started_at").to_excel(writer, sheet_name="mine", startrow=5)
        frame.to_excel(writer, sheet_name="ours", index=False)

    book = openpyxl.load_workbook(file)
    assert book["mine"]["B2"].data_type == "f"
    assert [book[name].cell(*at).data_type for name, at in (("ours", (2, 2)),)] == ["s"]
    assert book["mine"]["B7"].value == "=2+2"


def test_a_frame_stays_a_data_frame():
    """It can be copied, pickled, joined, grouped and compared with one of pandas."""
    frame = comparison_frame([plain(), plain(1)])
    same = pd.DataFrame(frame)

    pd.testing.assert_frame_equal(same, frame)
    pd.testing.assert_frame_equal(frame, same)
    made = [
        frame.copy(), frame[frame["row"] == 0], frame[["text"]], frame.merge(same, on="row"),
        pd.concat([frame, frame]), frame.T, copy.copy(frame), copy.deepcopy(frame),
    ]  # fmt: skip
    assert {type(other) for other in made} == {type(frame)}
    assert type(frame).__name__ == "DataFrame"
    assert type(pickle.loads(pickle.dumps(frame))) is pd.DataFrame
    pd.testing.assert_frame_equal(pickle.loads(pickle.dumps(frame)), frame)
    assert isinstance(frame, pd.DataFrame)
    assert isinstance(frame["text"], pd.Series)
    assert frame.groupby("provider")["output_tokens"].sum().tolist() == [34]
    assert frame._repr_html_() == same._repr_html_()
    assert frame["started_at"].dt.tz is UTC or str(frame["started_at"].dt.tz) == "UTC"


def test_an_integer_beyond_the_floats_is_a_text_in_excel(tmp_path):
    """It keeps its digits, in a column of the user and on the sheet of what made the run."""
    run = Comparison([replace(plain(0), extra={"mine": 10**400})], {"run_id": 10**400})
    book = openpyxl.load_workbook(run.to_excel(tmp_path / "run.xlsx"))

    assert [cell.value for cell in book["answers"][2]][-1] == str(10**400)
    assert str(10**400) in [row[1].value for row in book["about"]]


@pytest.mark.parametrize("index", ["started_at", ["asked", "started_at"]])
def test_times_in_the_index_are_written_to_excel(tmp_path, index):
    """As in a column: in UTC, without a zone."""
    path = tmp_path / "a.xlsx"
    comparison_frame([row()]).set_index(index).to_excel(path)

    times = pd.read_excel(path)["started_at"]
    assert abs(times[0] - answer().started_at.replace(tzinfo=None)) < timedelta(milliseconds=1)


@pytest.mark.parametrize("engine", ["openpyxl", "xlsxwriter"])
def test_prompts_in_the_index_are_written_to_excel(tmp_path, engine):
    """A page of a PDF ends with a form feed, which XML lacks."""
    rows = [replace(plain(n, model=f"m{n % 2}"), prompt=f"page {n // 2}\f") for n in range(4)]
    texts = Comparison(rows, {}).texts()
    texts.to_excel(tmp_path / "a.xlsx", engine=engine)

    first = [line[0].value for line in openpyxl.load_workbook(tmp_path / "a.xlsx")["Sheet1"]]
    assert first == [texts.index.name, "page 0\\x0c", "page 1\\x0c"]


def test_a_large_float_is_a_number_in_excel(tmp_path):
    """Only integers lose digits that they had."""
    rows = [replace(plain(n), extra={"mine": value}) for n, value in enumerate((6.022e23, 1.5))]
    book = openpyxl.load_workbook(Comparison(rows, {}).to_excel(tmp_path / "run.xlsx"))

    assert [line[-1].value for line in book["answers"]][1:] == [6.022e23, 1.5]


@pytest.mark.parametrize("large", [-1.7976931348623157e308, float("-inf")])
def test_a_float_beyond_those_of_excel_is_a_text(tmp_path, large):
    """With 15 digits the largest one would be infinite."""
    frame = Comparison([row(extra={"mine": large}), row(extra={"mine": 1.5})], {}).frame()
    frame.to_excel(tmp_path / "a.xlsx", index=False, engine="openpyxl")

    sheet = openpyxl.load_workbook(tmp_path / "a.xlsx")["Sheet1"]
    assert [line[-1].value for line in sheet][1:] == [str(large), 1.5]
