"""The accepted forms of prompts."""

from __future__ import annotations

import pandas as pd
import pytest

from llmkit.chat.requests import prompt_inputs
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
    ("prompts", "messages", "words"),
    [
        ("", None, "prompt is empty"),
        ("  \n", None, "prompt is empty"),
        ([], None, "list of prompts is empty"),
        (None, None, "prompt must be a string, .* got NoneType"),
        (7, None, "prompt must be a string, .* got int"),
        (["a", None], None, "prompt 1 must be text, got NoneType"),
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
