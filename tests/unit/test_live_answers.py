"""The actions on the answers of a run, and the fields of a form, without widget and kernel."""

from __future__ import annotations

import asyncio
import gc
import weakref
from dataclasses import replace

import pytest

from llmkit.errors import ConfigError
from llmkit.notebook.live.answers import AnswersModel
from llmkit.notebook.live.run_watcher import RunWatcher
from llmkit.notebook.panels.compare_form import CompareForm
from llmkit.views.answers.place import place_of
from llmkit.views.answers.streaming import LiveAnswers
from tests.unit.rows import plain


def answers_model(*texts):
    """The answers of a completed run, and the rows that were stopped; None is the run."""
    rows = [plain(number, text=text, reasoning="") for number, text in enumerate(texts)]
    growing, stops = LiveAnswers(list(map(place_of, rows))), []
    for row in rows:
        growing.finished(row)
    return AnswersModel(growing, stops.append), stops


def every_change(of):
    """Returns the changes of all messages: on a busy machine one message has not all of them."""
    changes = of.changes()
    while of.answers.has_changes:
        changes += of.changes()
    return changes


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


def test_answers_asked_after_a_stop_are_not_stopping():
    """All asks of a cell share a view."""
    answers, _ = answers_model("one")
    asked(answers, "stop")
    answers.answers.extend([place_of(plain(1))])

    assert not answers.state()["stopping"]


def test_a_watcher_of_a_run_that_ended_does_not_hold_it():
    """A page lives for long, and the run has all its requests."""

    class Run:
        def stop(self, row=None):
            pass

    async def watched():
        run, watcher = Run(), RunWatcher()
        watcher.begun([], run.stop)
        watcher.ended()
        return weakref.ref(run), watcher

    run, watcher = asyncio.run(watched())
    gc.collect()

    assert run() is None
    watcher.stop()


def blocks(answers):
    """Returns the HTML of the only change."""
    (change,) = every_change(answers)
    return "".join(change["blocks"])


def test_markdown_is_rendered_for_answers_that_are_shown_whole():
    """The page gets sanitised HTML for the answers that it asks for, until it wants none."""
    answers, _ = answers_model("**bold** <b>raw</b>", "**other**")
    plain_changes = every_change(answers)
    asked(answers, "render", rows=[0])
    html = blocks(answers)
    asked(answers, "markdown", on=False)
    (as_written,) = every_change(answers)

    assert not any("blocks" in change for change in plain_changes)
    assert "<strong>bold</strong>" in html
    assert "<b>" not in html
    assert "blocks" not in as_written
    assert "<strong>" not in answers.html()


def test_the_standing_html_is_rendered():
    """A saved notebook shows headings and code, or the text as written."""
    answers, _ = answers_model("**bold**", "two")

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
    compared = CompareForm(
        "hi", models=("scripted:echo",), numbers=numbers, repeats="2"
    ).arguments()

    assert len(compared.requests) == 4
    assert [request.prompt.temperature for request in compared.requests] == [0.0, 0.0, 1.0, 1.0]
    assert compared.requests[0].prompt.max_tokens == 20
    assert compared.requests[0].prompt.seed is None


@pytest.mark.parametrize(
    ("form", "field", "words"),
    [
        (CompareForm("hi"), "models", "name at least one model"),
        (CompareForm("hi", variable="my run"), "variable", "is not a valid variable name"),
        (CompareForm("hi", variable="class"), "variable", "is not a valid variable name"),
        (CompareForm("hi", numbers=(("seed", "x"),)), "seed", "seed must be an integer"),
        (CompareForm(""), "prompt", "prompt is empty"),
    ],
)
def test_what_is_missing_in_a_form_stands_at_its_field(form, field, words):
    """One message says what to do, and nothing is sent."""
    assert words in form.faults()[field]


def test_a_pause_is_in_every_form_of_the_page():
    """Its text is in the messages, in HTML and in text, until it ends."""
    model, _ = answers_model("one", "two")
    model.answers.pause = "openai asks for 90 s, until 14:07"
    during = (model.progress()["pause"], model.html(), model.text())
    model.answers.pause = ""
    after = (model.progress()["pause"], model.html(), model.text())

    assert all("openai asks for 90 s, until 14:07" in text for text in during)
    assert not any("asks for" in text for text in after)


def test_an_answer_that_cannot_be_rendered_is_sent_as_written(monkeypatch, caplog):
    """The other answers of the message arrive, and so does its text."""
    answers, _ = answers_model("**one**", "two")
    asked(answers, "render", rows=[0])
    monkeypatch.setattr("llmkit.views.answers.markdown_blocks._parser", lambda: 1 / 0)
    changes = every_change(answers)

    assert [change["card"]["text"] for change in changes] == ["**one**", "two"]
    assert not any("blocks" in change for change in changes)
    assert "shown as written" in caplog.text


def test_differences_in_a_page_name_prompts_and_say_that_texts_are_equal():
    """The page has the same names and the same words as the static view."""
    rows = [replace(plain(n, text="same", reasoning=""), prompt_id=n, prompt=f"Prompt {n}?")
            for n in range(2)]  # fmt: skip
    live = LiveAnswers(list(map(place_of, rows)))
    for row in rows:
        live.finished(row)
    answers = AnswersModel(live, lambda row=None: None)
    asked(answers, "differ", first=0, second=1)
    found = answers.state()["differences"]

    assert found["names"] == ["openai:gpt-6-luna · Prompt 0?", "openai:gpt-6-luna · Prompt 1?"]
    assert found["equal"] is True
