"""The actions on the answers of a run, and the fields of a form, without widget and kernel."""

from __future__ import annotations

import asyncio

import pytest

from llmkit.errors import ConfigError
from llmkit.notebook.live.answers import AnswersModel
from llmkit.notebook.panels.compare import CompareForm
from llmkit.views.answers.streaming import LiveAnswers
from tests.unit.rows import plain


def answers_model(*texts):
    """The answers of a completed run, and the rows that were stopped; None is the run."""
    rows = [plain(number, text=text, reasoning="") for number, text in enumerate(texts)]
    growing, stops = LiveAnswers(rows), []
    for row in rows:
        growing.finished(row)
    return AnswersModel(growing, stops.append), stops


def asked(of, verb, **words):
    """Runs the action of a click on *verb*."""
    asyncio.run(of.actions()[verb](**words))


def test_stop_is_handed_on_and_told():
    """One answer or the run is stopped, and the page shows that the run is stopping."""
    answers, stops = answers_model("one")
    asked(answers, "stop", row=0)
    is_stopping = answers.state()["stopping"]
    asked(answers, "stop")

    assert stops == [0, None]
    assert (is_stopping, answers.state()["stopping"]) == (False, True)


def test_markdown_is_markup_only_on_request():
    """The page gets sanitised markup on request, and the static view is rendered, too."""
    answers, _ = answers_model("**bold** <b>raw</b>")
    before = answers.state()["cards"][0]
    asked(answers, "markdown", on=True)
    after = answers.state()["cards"][0]

    assert "markup" not in before
    assert "<strong>bold</strong>" in after["markup"]
    assert "<b>" not in after["markup"]
    assert "<strong>bold</strong>" in answers.html()


def test_two_answers_are_laid_side_by_side_and_put_away_again():
    """Differences are in the state and in the static view, until they are hidden."""
    answers, _ = answers_model("one two", "one three")
    asked(answers, "differ", first=0, second=1)
    shown = answers.state()["differences"]
    html = answers.html()
    asked(answers, "differ")

    assert shown["pieces"] == [["same", "one "], ["gone", "two"], ["new", "three"]]
    assert "<del" in html
    assert answers.state()["differences"] is None


def test_an_answer_does_not_differ_from_itself():
    """Choosing the same answer twice asks for another one."""
    answers, _ = answers_model("one", "two")

    with pytest.raises(ConfigError, match="two different answers"):
        asked(answers, "differ", first=1, second=1)


def test_a_form_asks_for_a_grid():
    """Several numbers with commas between them span one, blanks leave the default."""
    numbers = (("temperature", "0, 1"), ("max_tokens", "20"), ("seed", " "))
    compared = CompareForm("hi", models=("scripted:echo",), numbers=numbers, repeats=2).compared()

    assert len(compared.requests) == 4
    assert [request.prompt.temperature for request in compared.requests] == [0.0, 0.0, 1.0, 1.0]
    assert compared.requests[0].prompt.max_tokens == 20
    assert compared.requests[0].prompt.seed is None


@pytest.mark.parametrize(
    ("wish", "words"),
    [
        (CompareForm("hi"), "name at least one model"),
        (CompareForm("hi", models=("a",), variable="my run"), "is not a valid variable name"),
        (CompareForm("hi", models=("a",), variable="class"), "is not a valid variable name"),
        (
            CompareForm("hi", models=("a",), numbers=(("seed", "x"),)),
            "seed must be an integer or a comma-separated list",
        ),
        (CompareForm("", models=("a",)), "prompt is empty"),
    ],
)
def test_what_is_missing_in_a_form_is_told(wish, words):
    """One message says what to do, and nothing is sent."""
    with pytest.raises(ConfigError, match=words):
        wish.compared()


def test_a_pause_is_in_every_form_of_the_page():
    """Its text is in the messages, in HTML and in text, until it ends."""
    model, _ = answers_model("one", "two")
    model.answers.pause = "openai asks for 90 s, until 14:07"
    during = (model.progress()["pause"], model.html(), model.text())
    model.answers.pause = ""
    after = (model.progress()["pause"], model.html(), model.text())

    assert all("openai asks for 90 s, until 14:07" in text for text in during)
    assert not any("asks for" in text for text in after)
