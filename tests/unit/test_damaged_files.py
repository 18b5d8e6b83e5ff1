"""Damaged files are refused at the door, with the field named, or can be shown."""

from __future__ import annotations

import pytest

from llmkit.comparison.result import Comparison, load
from llmkit.configuration.model_list_cache import ModelListCache
from llmkit.errors import ConfigError
from llmkit.views.records import document, rows_from
from tests.mutations import DEEP, HOME, LIST, changed, comparison, damage, files, json_text
from tests.unit.rows import answer, row

# The step of each kind: tests/faults/test_damaged_files.py tries every damage.
STEPS = {"comparison": 197, "settings": 41, "catalogue": 131, "list": 191}


@pytest.mark.parametrize("kind", STEPS)
def test_a_damaged_file_can_be_shown_or_is_refused_with_its_field(tmp_path, kind):
    """A sample of all damages: types, ranges, words, times, nesting and missing fields."""
    outcome = damage(files(tmp_path)[kind], tmp_path, STEPS[kind])

    assert outcome.failures == []


@pytest.mark.parametrize(
    ("place", "value", "message"),
    [
        (("rows", 3, "completion", "usage", "input_tokens"), "12",
         'rows[3].completion.usage.input_tokens must be an integer >= 0 and < 2**63, got "12"'),
        (("rows", 0, "how"), "guessed",
         'rows[0].how must be one of exact, alias, mapped, equivalent, verbatim, got "guessed"'),
        (("rows", 0, "extra", "topic"), DEEP,
         "rows[0].extra.topic must have at most 50 levels of lists and objects, got more"),
        (("rows", 2, "row"), 1, "rows[2].row must be different in each row, got 1 again"),
        (("about", "notes"), None, "about.notes must be a list, got null"),
        (("rows", 0, "parameters", "stop"), "END",
         'rows[0].parameters.stop must be a list, got "END"'),
    ],
)  # fmt: skip
def test_the_message_names_the_file_the_field_and_the_value(tmp_path, place, value, message):
    """The user finds the place without a debugger."""
    path = tmp_path / "run.json"
    path.write_text(json_text(changed(comparison(tmp_path), place, value)))

    with pytest.raises(ConfigError) as caught:
        load(path)
    assert str(caught.value) == (
        f"{path}: {message}; correct the file, or save the comparison again with to_json()"
    )
    assert caught.value.__cause__ is None


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-32"])
def test_a_file_that_an_editor_wrote_in_another_encoding_is_loaded(tmp_path, encoding):
    """Some editors and shells on Windows add a byte order mark or write UTF-16."""
    made = Comparison([row(prompt="Qu'est-ce que l'entropie à Genève ?")], {}, [])
    path = made.to_json(tmp_path / "run.json")
    path.write_text(path.read_text("utf-8"), encoding)

    assert load(path).rows == made.rows


@pytest.mark.parametrize(
    "data",
    [b"", b" \n", b"\0" * 9, b"\xef\xbb", bytes(range(256)), b"[" * 100_000, b'{"a":' * 100_000,
     b"[" * 10_000 + b"]" * 10_000, b"1" * 10_000, b'{"schema": "llmkit.comparison"', b"1e999"],
)  # fmt: skip
def test_a_file_that_is_no_comparison_is_refused_in_a_sentence(tmp_path, data):
    """Empty, cut, binary and deeply nested files end in the same error."""
    (tmp_path / "x.json").write_bytes(data)

    with pytest.raises(ConfigError, match="is not a comparison written by to_json"):
        load(tmp_path / "x.json")


def test_a_list_within_itself_is_saved(tmp_path):
    """The answers are paid: a value without an end becomes text."""
    endless: list[object] = [1]
    endless.append(endless)
    made = Comparison([row(extra={"topic": endless})], {"models": endless})

    again = load(made.to_json(tmp_path / "run.json"))

    assert again.rows[0].completion == made.rows[0].completion
    assert "..." in str(again.rows[0].extra)


def test_half_an_emoji_of_a_file_becomes_a_replacement_character():
    """The text can be shown and written again."""
    (again,) = rows_from(document([row(completion=answer(text="so good \ud83d"))], about={}))

    assert again.completion.text == "so good \ufffd"


def test_a_list_that_is_nested_too_deeply_is_ignored(tmp_path):
    """A broken cache is never the user's error."""
    cache = ModelListCache(lambda: tmp_path)
    cache.write(LIST)
    (path,) = (tmp_path / "models").iterdir()
    path.write_text("[" * 10_000)

    assert cache.read("openai", HOME) is None
    cache.write(LIST)
    assert cache.read("openai", HOME) == LIST
