"""A comparison as a sequence of answers, and at a prompt."""

from __future__ import annotations

import pytest

from llmkit.comparison.result import Comparison
from llmkit.errors import ConfigError
from tests.unit.rows import plain

ROWS = tuple(plain(i, text=f"answer {i}") for i in range(3))
RUN = Comparison(ROWS, {"run_id": "r1"})


def test_an_answer_is_reached_by_its_place():
    """Places count from 0, or from the end if they are negative; a slice is a tuple."""
    assert (RUN[0], RUN[-1], RUN[1:]) == (ROWS[0], ROWS[2], ROWS[1:])
    assert list(RUN) == list(reversed(RUN))[::-1] == list(ROWS)


@pytest.mark.parametrize("place", [3, -4])
def test_a_place_without_an_answer_is_named(place):
    """The message says how many answers there are."""
    with pytest.raises(ConfigError, match=rf"run\[{place}\] does not exist: the run has 3 answers"):
        RUN[place]


@pytest.mark.parametrize("place", ["text", ["text", "status"], None, 1.0])
def test_a_column_is_not_an_answer(place):
    """A reader who treats a run as a DataFrame is told of frame()."""
    with pytest.raises(ConfigError, match=r"run\.frame\(\)\["):
        RUN[place]


def test_a_plain_python_prompt_prints_the_answers():
    """The text is the same as that of print()."""
    assert repr(RUN) == str(RUN)
    assert all(f"answer {i}" in repr(RUN) for i in range(3))
