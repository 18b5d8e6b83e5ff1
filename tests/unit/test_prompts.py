"""The accepted forms of prompts."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from llmkit.chat.requests import prompt_inputs, row_parameter_names
from llmkit.errors import ConfigError
from llmkit.types import Message, Prompt


def test_a_string_is_one_question():
    """Plain text becomes one user message."""
    (question,) = prompt_inputs("Why?")

    assert question.messages == (Message("user", "Why?"),)
    assert question.id == 0


def test_a_list_of_strings_is_many_questions():
    """A list of texts is many prompts, numbered from 0."""
    found = prompt_inputs(["a", "b"])

    assert [(q.id, q.text) for q in found] == [(0, "a"), (1, "b")]


def test_a_list_of_messages_is_one_conversation():
    """A list of Messages is one conversation, whose system message is its system prompt."""
    (question,) = prompt_inputs(
        [Message("system", "Be brief."), Message("user", "Hi"), Message("assistant", "Hello")]
    )

    assert question.system == "Be brief."
    assert question.messages == (Message("user", "Hi"), Message("assistant", "Hello"))


def test_messages_may_be_dicts_as_the_sdks_have_them():
    """`messages=` accepts the dicts that are usual in notebooks."""
    (question,) = prompt_inputs(None, [{"role": "user", "content": "Hi"}])

    assert question.messages == (Message("user", "Hi"),)


def test_a_series_keeps_its_index():
    """A Series of prompts is many prompts with its own index."""
    found = prompt_inputs(pd.Series({"x": "a", "y": "b"}))

    assert [(q.id, q.text) for q in found] == [("x", "a"), ("y", "b")]


def test_a_frame_carries_its_other_columns():
    """A DataFrame's index and columns are kept in the table."""
    frame = pd.DataFrame({"prompt": ["a"], "topic": ["physics"]}, index=["q1"])

    (question,) = prompt_inputs(frame)

    assert (question.id, question.text) == ("q1", "a")
    assert dict(question.extra) == {"topic": "physics"}


def test_a_prompt_object_keeps_its_own_parameters():
    """A Prompt keeps its parameters."""
    prompt = Prompt((Message("user", "a"),), system="s", temperature=0.5)

    (question,) = prompt_inputs(prompt)

    assert question.prompt == prompt
    assert question.system == "s"


@pytest.mark.parametrize(
    "prompts",
    [
        pd.Index(["a", "b"]),
        pd.Series(["a", "b", "a"]).unique(),
        pd.Series(["a", "b"]).to_numpy(),
        pd.Categorical(["a", "b"]),
        np.array(["a", "b"], dtype=object),
        np.array(["a", "b"]),
        pa.array(["a", "b"]),
        (text for text in "ab"),
        {"x": "a", "y": "b"}.values(),
        {"a": 1, "b": 2}.keys(),
        filter(None, ["a", "", "b"]),
    ],
)
def test_a_list_of_any_kind_is_many_questions(prompts):
    """Arrays, indexes, generators and views are numbered from 0; the texts are Python's."""
    found = prompt_inputs(prompts)

    assert [(q.id, q.text, type(q.text)) for q in found] == [(0, "a", str), (1, "b", str)]


def test_the_keys_of_a_dict_are_ids():
    """A dict of prompts is like a Series; one with a role and a content is a message."""
    found = prompt_inputs({"x": "a", "y": "b"})
    (message,) = prompt_inputs({"role": "user", "content": "Hi"})

    assert [(q.id, q.text) for q in found] == [("x", "a"), ("y", "b")]
    assert message.messages == (Message("user", "Hi"),)


def test_a_table_of_another_library_is_a_frame():
    """pyarrow's table is converted; polars and datasets have the same method."""
    (question,) = prompt_inputs(pa.table({"prompt": ["a"], "topic": ["physics"]}))

    assert (question.text, dict(question.extra)) == ("a", {"topic": "physics"})


def test_each_column_has_a_name_of_its_own():
    """Labels that are equal as texts, a tuple of a MultiIndex, and half a character."""
    labels = ["prompt", 1, "1", "a", "a", ("p", ""), ("p", "q"), "n\ud83d", None]
    frame = pd.DataFrame([["text", *range(8)]], dtype=object)
    frame.columns = pd.Index(labels, dtype=object, tupleize_cols=False)

    (question,) = prompt_inputs(frame)

    assert dict(question.extra) == {
        "prompt_1": 0, "1": 1, "a": 2, "prompt_a": 3, "p": 4, "p_q": 5, "n\ufffd": 6, "None": 7,
    }  # fmt: skip
    assert dict(question.labels) == {
        "prompt_1": 1, "prompt_a": "a", "p": ("p", ""), "p_q": ("p", "q"), "n\ufffd": "n\ud83d",
        "None": None,
    }  # fmt: skip


def test_the_columns_of_a_multiindex_are_joined():
    """The column of the prompts is ("prompt", "")."""
    labels = pd.MultiIndex.from_tuples([("prompt", ""), ("score", "mean")])

    (question,) = prompt_inputs(pd.DataFrame([["a", 1]], columns=labels))

    assert (question.text, dict(question.extra)) == ("a", {"score_mean": 1})


def test_row_parameters_are_those_of_their_row():
    """An empty cell sets nothing; the columns are no longer the user's own."""
    frame = pd.DataFrame({
        "prompt": ["a", Prompt((Message("user", "b"),), system="own", seed=3)],
        "system": ["s", None], "temperature": [0.5, 1.0], "max_tokens": [5, np.nan],
        "stop": [["x", "y"], "z"], "topic": ["t", "u"],
    })  # fmt: skip

    first, second = prompt_inputs(frame, None, ("system", "temperature", "max_tokens", "stop"))

    assert first.prompt == Prompt(
        (Message("user", "a"),), "s", temperature=0.5, max_tokens=5, stop=("x", "y")
    )
    assert second.prompt == Prompt(
        (Message("user", "b"),), "own", temperature=1.0, seed=3, stop=("z",)
    )
    assert [dict(one.extra) for one in (first, second)] == [{"topic": "t"}, {"topic": "u"}]


def test_a_column_named_like_a_parameter_stays_a_column():
    """Nothing is sent that was not asked for."""
    (question,) = prompt_inputs(pd.DataFrame({"prompt": ["a"], "system": ["s"]}))

    assert (question.prompt, question.system, question.extra) == (None, None, {"system": "s"})


@pytest.mark.parametrize(
    ("prompts", "names", "words"),
    [
        ("a", ("seed",), "row_parameters names columns .* prompts is str"),
        (["a"], ("seed",), "row_parameters names columns .* prompts is list"),
        (pd.DataFrame({"prompt": ["a"]}), ("seed",), "names seed, and the DataFrame has no such"),
        (pd.DataFrame({"prompt": ["a", "b"], "seed": [1, "x"]}, index=["p", "q"]), ("seed",),
         r"seed must be an integer, got 'x', at position 1 \('q'\) of the DataFrame"),
    ],
)  # fmt: skip
def test_wrong_row_parameters_are_refused(prompts, names, words):
    """The message names the column, and the row of a wrong cell."""
    with pytest.raises(ConfigError, match=words):
        prompt_inputs(prompts, None, names)


@pytest.mark.parametrize(
    ("names", "words"),
    [
        (["sytem"], "row_parameters names 'sytem'; it may name system, temperature,"),
        (["top_k"], "row_parameters names 'top_k'"),
        ([7], "row_parameter must be a name .* got 7"),
        ("seed", "seed is an argument and in row_parameters; pass it in only one"),
    ],
)
def test_names_that_cannot_be_row_parameters_are_refused(names, words):
    """The message lists those that can."""
    with pytest.raises(ConfigError, match=words):
        row_parameter_names(names, {"seed": 1})


def test_row_parameters_come_in_any_list():
    """A single name, a list, an Index; none is no error."""
    names = [row_parameter_names(one, {}) for one in ("seed", ["seed"] * 2, pd.Index(["seed"]))]

    assert names == [("seed",)] * 3
    assert row_parameter_names([], {}) == ()


@pytest.mark.parametrize(
    "prompts",
    [
        "x\ud83d",
        {"k\ud83d": "x"},
        pd.DataFrame({"prompt": ["x"], "n": ["\ud83d"]}, dtype=object),
        [{"role": "user", "content": "x\ud83d"}],
        [Prompt((Message("user", "x"),), system="\ud83d")],
    ],
)
def test_half_a_character_in_a_prompt_is_noted(prompts):
    """Also in its id, its columns and its parts."""
    (question,) = prompt_inputs(prompts)

    assert question.repaired
    assert "\\ud83d" not in ascii(question)


@pytest.mark.parametrize(
    ("prompts", "messages", "words"),
    [
        ("", None, "prompt is empty"),
        ("  \n", None, "prompt is empty"),
        ([], None, "list of prompts is empty"),
        (None, None, "prompt must be a string, .* got NoneType"),
        (7, None, "prompt must be a string, .* got int"),
        (["a", None], None, "prompt at position 1 is empty; fill it in, or leave it out"),
        (["a", float("nan")], None, "prompt at position 1 is empty"),
        (
            pd.Series(["a", pd.NA, "c"], index=["x", pd.NA, "z"]),
            None,
            r"position 1 \((nan|<NA>)\) is",
        ),
        (pd.Series(["a", pd.NA, "c"], index=["x", "y", "z"]), None, r"position 1 \('y'\) is empty"),
        ({"first": "a", "second": " "}, None, r"prompt at position 1 \('second'\) is empty"),
        (pd.DataFrame({"prompt": ["a", "\n"]}, index=[7, 9]), None, r"position 1 \(9\) is empty"),
        (["a", Prompt((Message("user", ""),))], None, "prompt at position 1 is empty"),
        (["a", 7], None, "prompt at position 1 must be text, got 7; write it as text"),
        (["a", b"b"], None, "prompt at position 1 must be text, got b'b'; decode it"),
        (b"a", None, "got bytes"),
        (np.array([["a", "b"]]), None, r"ndarray of shape \(1, 2\); pass one column"),
        ({"a", "b"}, None, "prompts is a set, which has no order"),
        (iter([]), None, "list of prompts is empty"),
        (pd.DataFrame([["a", "b"]], columns=["prompt", "prompt"]), None, "2 columns named prompt"),
        (pd.DataFrame({"question": ["a"]}), None, "no column named prompt"),
        ("a", [Message("user", "b")], "not both"),
        (None, [], "oldest message first"),
        (None, [Message("system", "s")], "messages has only a system prompt"),
        (None, [{"role": "tool", "content": "x"}], "role system, user or assistant"),
    ],
)
def test_an_invalid_prompt_is_refused_in_a_sentence(prompts, messages, words):
    """Each kind of invalid prompt gets one clear message."""
    with pytest.raises(ConfigError, match=words):
        prompt_inputs(prompts, messages)


def test_row_parameters_that_are_none_are_none():
    """Programs pass None for what they do not set."""
    assert row_parameter_names(None, {}) == ()
