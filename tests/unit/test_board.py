"""What can be asked of the lanes of a run, and what a form asks for; no widget and no kernel."""

from __future__ import annotations

import asyncio

import pytest

from llmkit.errors import ConfigError
from llmkit.notebook.live.answers import Board
from llmkit.notebook.panels.compare import Wish
from llmkit.views.answers.streaming import Growing
from tests.unit.rows import plain


def board(*texts):
    """The lanes of a run that has ended, and how often it was stopped."""
    rows = [plain(number, text=text, reasoning="") for number, text in enumerate(texts)]
    growing, stops = Growing(rows), []
    for row in rows:
        growing.finished(row)
    return Board(growing, lambda: stops.append(1)), stops


def asked(of, verb, **words):
    """Does what a click on *verb* does."""
    asyncio.run(of.actions()[verb](**words))


def test_stop_is_handed_on_and_told():
    """The run is stopped, and the page says that it stops."""
    lanes, stops = board("one")
    asked(lanes, "stop")

    assert stops == [1]
    assert lanes.state()["stopping"] is True


def test_markdown_is_markup_only_on_request():
    """The page gets sanitised markup once it is asked for, and the frozen view is rendered too."""
    lanes, _ = board("**bold** <b>raw</b>")
    before = lanes.state()["cards"][0]
    asked(lanes, "markdown", on=True)
    after = lanes.state()["cards"][0]

    assert "markup" not in before
    assert "<strong>bold</strong>" in after["markup"]
    assert "<b>" not in after["markup"]
    assert "<strong>bold</strong>" in lanes.html()


def test_two_answers_are_laid_side_by_side_and_put_away_again():
    """Differences are in the state and in the frozen view, until they are hidden."""
    lanes, _ = board("one two", "one three")
    asked(lanes, "differ", first=0, second=1)
    shown = lanes.state()["differences"]
    html = lanes.html()
    asked(lanes, "differ")

    assert shown["pieces"] == [["same", "one "], ["gone", "two"], ["new", "three"]]
    assert "<del" in html
    assert lanes.state()["differences"] is None


def test_an_answer_does_not_differ_from_itself():
    """Whoever chooses the same answer twice is told to choose another."""
    lanes, _ = board("one", "two")

    with pytest.raises(ConfigError, match="two different answers"):
        asked(lanes, "differ", first=1, second=1)


def test_a_form_asks_for_a_grid():
    """Several numbers with commas between them span one, blanks leave the default."""
    numbers = (("temperature", "0, 1"), ("max_tokens", "20"), ("seed", " "))
    compared = Wish("hi", models=("scripted:echo",), numbers=numbers, repeats=2).compared()

    assert len(compared.requests) == 4
    assert [spot.prompt.temperature for spot in compared.requests] == [0.0, 0.0, 1.0, 1.0]
    assert compared.requests[0].prompt.max_tokens == 20
    assert compared.requests[0].prompt.seed is None


@pytest.mark.parametrize(
    ("wish", "words"),
    [
        (Wish("hi"), "name at least one model"),
        (Wish("hi", models=("a",), variable="my run"), "cannot be a variable's name"),
        (Wish("hi", models=("a",), variable="class"), "cannot be a variable's name"),
        (Wish("hi", models=("a",), numbers=(("seed", "x"),)), "seed is a number"),
        (Wish("", models=("a",)), "prompt is empty"),
    ],
)
def test_what_is_missing_in_a_form_is_told(wish, words):
    """One sentence says what to do, and nothing is sent."""
    with pytest.raises(ConfigError, match=words):
        wish.compared()
