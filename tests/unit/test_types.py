"""Properties of values: the parameters of a prompt, the speed of an answer."""

from __future__ import annotations

import pytest

from llmkit.types import Completion, Message, Prompt, Status, Usage
from tests.unit.rows import answer, row


def test_speed_counts_from_the_first_chunk():
    """17 tokens in the second after the first chunk are 17 tokens a second."""
    assert answer().output_tokens_per_s == 17.0


def test_without_a_stream_the_whole_duration_counts():
    """The time of the first token is unknown, so the whole time counts for all tokens."""
    assert answer(time_to_first_chunk_s=None).output_tokens_per_s == 17 / 1.5


def test_reasoning_that_is_not_shown_was_over_before_the_first_chunk():
    """Its tokens would make the time after it look faster."""
    assert answer(reasoning="").output_tokens_per_s == 8.0


@pytest.mark.parametrize(
    "unknown",
    [{"usage": Usage()}, {"duration_s": None}, {"duration_s": 0.51}, {"pieces": 1}],
    ids=["no count", "no time", "all at once", "all in one piece"],
)
def test_a_speed_that_cannot_be_told_is_none(unknown):
    """A rate of the network does not count as one of the model."""
    assert answer(**unknown).output_tokens_per_s is None


@pytest.mark.parametrize("changes", [{"text": ""}, {"status": Status.INCOMPLETE}])
def test_a_cell_that_ends_in_an_odd_answer_shows_the_warning(changes):
    """An empty answer would show nothing, and an incomplete one would look whole."""
    assert "! why\n" in repr(answer(warnings=("why",), **changes))


def test_a_prompt_shows_the_answer_and_who_gave_it():
    """A plain Python prompt prints the text, and the facts below it; str() is the text alone."""
    shown = repr(answer(fallback=(), reasoning=""))

    assert shown.splitlines() == [
        "Entropy counts the ways.", "",
        "(openai:gpt-6-luna-2026-09-01 · complete · 17 tokens · 1.5 s · $0.0012)",
    ]  # fmt: skip
    assert str(answer()) == "Entropy counts the ways."


def test_a_prompt_shows_no_escape_sequences_of_an_answer():
    """They would act in the terminal."""
    assert "\x1b" not in repr(answer(text="a\x1b[2Jb")) + repr(row(prompt="a\x1b[2Jb"))


def test_a_row_at_a_prompt_says_what_was_asked():
    """The model, the grid point, the repeat, the prompt and the error are above the answer."""
    shown = repr(row(completion=Completion(provider="openai", request_model="x")))

    assert shown.splitlines()[:4] == [
        r"row 0: gpt-3.5-turbo, temperature=0.5, stop=('\n', 'END'), repeat=1",
        "> What is entropy?", "", "ServerError: busy",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("stop", "sent"), [([], {}), ((), {}), ("END", {"stop": ("END",)}), (["a"], {"stop": ("a",)})]
)
def test_the_stop_sequences_of_a_prompt_may_be_a_list_or_one_text(stop, sent):
    """One text is not split into letters, and an empty list is not sent."""
    assert Prompt((Message("user", "hi"),), stop=stop).parameters == sent


def test_a_parameter_of_a_prompt_is_named():
    """By position it would become another one when a row is added."""
    with pytest.raises(TypeError):
        Prompt((Message("user", "hi"),), "Be brief", 256)
