"""Answers in progress, as cards and as small changes."""

from __future__ import annotations

from dataclasses import replace

import pytest

from llmkit.secret import Secret
from llmkit.types import Completion, Status, TextDelta
from llmkit.views.answers.card import card_of
from llmkit.views.answers.layout import cards_html, cards_text
from llmkit.views.answers.streaming import LiveAnswers
from tests.unit.rows import plain


def waiting(number=0):
    """A row without any text so far."""
    row = plain(number)
    return replace(row, completion=Completion(provider="openai", request_model="gpt-6-luna"))


def final(number=0, text="Entropy counts the ways.", **changes):
    return plain(number, text=text, reasoning="", **changes)


def told(growing):
    """Returns all text that was sent for row 0, as a page joins it."""
    (change,) = growing.changes()
    return change


def test_a_lane_waits_writes_and_ends():
    """The card shows which of the three states an answer has, by sign and by word."""
    growing = LiveAnswers([waiting()])
    states = [growing.cards()[0].state]
    growing.grew(0, TextDelta("one "), 0.5)
    states.append(growing.cards()[0].state)
    growing.finished(final())
    states.append(growing.cards()[0].state)

    assert states == ["waiting", "writing", "complete"]
    assert growing.left == 0


def test_a_page_learns_how_long_each_answer_has_been_silent():
    """It gets the time of the last piece, and the time since the start of a run that goes on."""
    growing = LiveAnswers([waiting(), waiting(1)])
    growing.grew(0, TextDelta("one "), 0.5)
    change = told(growing)
    begun = growing.state(12.5)
    growing.finished(final())
    growing.finished(final(1))

    assert change["last_s"] == 0.5
    assert [card["last_s"] for card in begun["cards"]] == [0.5, 0.0]
    assert (begun["elapsed_s"], growing.state(40.0)["elapsed_s"]) == (12.5, 0.0)


def test_only_what_is_new_is_sent():
    """A change holds the added text, and nothing if there is none."""
    growing = LiveAnswers([waiting()])
    growing.grew(0, TextDelta("one "), 0.5)
    growing.grew(0, TextDelta("two "), 0.6)
    first = told(growing)
    growing.grew(0, TextDelta("three "), 0.7)

    assert first["add"] == "one two "
    assert told(growing)["add"] == "three "
    assert growing.changes() == []


def test_an_end_sends_no_text_a_second_time():
    """The final card adds the rest of the last word, not the whole answer."""
    growing = LiveAnswers([waiting()])
    growing.grew(0, TextDelta("Entropy counts the "), 0.5)
    growing.changes()
    growing.grew(0, TextDelta("ways."), 0.6)
    growing.finished(final())
    card = told(growing)["card"]

    assert card["text_end"] == "ways."
    assert "text" not in card
    assert card["facts"][0] == "first text 0.50 s"


def test_an_end_that_tells_another_text_replaces_what_was_sent():
    """If another model completes an answer, the page shows that one."""
    growing = LiveAnswers([waiting()])
    growing.grew(0, TextDelta("from the first "), 0.5)
    growing.changes()
    growing.finished(final(text="from the second"))

    assert told(growing)["card"]["text"] == "from the second"


@pytest.mark.parametrize("cut", range(1, 30))
def test_a_key_that_comes_in_pieces_is_never_sent(cut):
    """For any cut of an echoed key, no piece of it is sent to the page."""
    key = Secret("sk-ant-q9Zp4Lm7Xc2Vb8Nk3Hj6")
    growing = LiveAnswers([waiting()])
    text = f"your key {key.reveal()} is fine "
    sent = []
    for start in range(0, len(text), cut):
        growing.grew(0, TextDelta(text[start : start + cut]), 0.5)
        sent.append(told(growing).get("add", ""))

    assert "".join(sent) == "your key *** is fine "


@pytest.mark.parametrize("cut", range(1, 16))
def test_a_part_of_a_key_that_comes_in_pieces_is_never_sent(cut):
    """The reader of a stream masks whole keys; partial echoes are masked here."""
    key = Secret("sk-ant-q9Zp4Lm7Xc2Vb8Nk3Hj6")
    growing = LiveAnswers([waiting()])
    text = f"your key ends in {key.reveal()[-12:]} then "
    sent = []
    for start in range(0, len(text), cut):
        growing.grew(0, TextDelta(text[start : start + cut]), 0.5)
        sent.append(told(growing).get("add", ""))

    assert "".join(sent) == "your key ends in *** then "


def test_a_word_without_an_end_flows_too():
    """Text longer than any key is sent as it comes."""
    growing = LiveAnswers([waiting()])
    growing.grew(0, TextDelta("x" * 1000), 0.5)

    assert told(growing)["add"] == "x" * 1000


def test_text_without_blanks_flows_too():
    """A language without spaces between words is not held back to the end."""
    growing = LiveAnswers([waiting()])
    growing.grew(0, TextDelta("熵是混乱"), 0.5)

    assert told(growing)["add"] == "熵是混乱"


def test_what_acts_on_a_page_or_a_terminal_is_shown_as_its_code():
    """A right-to-left override and an escape arrive as their codes."""
    growing = LiveAnswers([waiting()])
    growing.grew(0, TextDelta("a\u202eb \x1b[31m "), 0.5)

    assert told(growing)["add"] == "a\\u202eb \\x1b[31m "


def test_a_page_that_comes_late_gets_everything_once():
    """The whole state has the text sent before; the next change continues from there."""
    growing = LiveAnswers([waiting(), waiting(1)], notes=["one machine"])
    growing.grew(0, TextDelta("one tw"), 0.5)
    state = growing.state()
    growing.grew(0, TextDelta("o "), 0.6)

    assert [card["text"] for card in state["cards"]] == ["one ", ""]
    assert state["notes"] == ["one machine"]
    assert told(growing)["add"] == "two "


def test_an_error_that_is_known_before_sending_is_there_at_once():
    """An unknown model is an error from the first picture on, and is not waited for."""
    row = replace(waiting(), error="unknown", error_type="UnknownModelError",
                  completion=Completion(status=Status.ERROR))  # fmt: skip

    (card,) = LiveAnswers([row]).cards()

    assert (card.state, card.error) == ("error", "UnknownModelError: unknown")


def test_a_missing_key_is_a_note_and_not_a_failure():
    """Its card says calmly what to do; the row keeps its status and its error's type."""
    error = "mistral needs an API key: set MISTRAL_API_KEY"
    row = replace(waiting(), error=error, error_type="MissingApiKeyError",
                  completion=Completion(status=Status.ERROR))  # fmt: skip

    (card,) = LiveAnswers([row]).cards()
    html, text = cards_html([card]), cards_text([card])

    assert (card.mark, card.word, card.tone, card.error) == ("–", "no key", "soft", error)
    assert f'<p class="lk-note">{error}</p>' in html
    assert '<p class="lk-bad">' not in html
    assert error in text
    assert "Missing" not in html + text


@pytest.mark.parametrize(
    ("delta", "kind"),
    [
        (TextDelta(reasoning="Hm. "), "reasoning"),
        (TextDelta("Hi "), "text"),
        (TextDelta(), "chunk"),
    ],
)
def test_a_time_says_what_came_first(delta, kind):
    """Reasoning is not text, neither while an answer is written nor at its end."""
    growing = LiveAnswers([waiting()])
    growing.grew(0, delta, 0.5)
    times = dict.fromkeys(("time_to_first_reasoning_s", "time_to_first_text_s"))
    times["time_to_first_chunk_s"] = times[f"time_to_first_{kind}_s"] = 0.5

    assert told(growing)["facts"][0] == f"first {kind} ≈ 0.50 s"
    assert card_of(plain(**times)).facts[0] == f"first {kind} 0.50 s"


def test_counts_before_the_end_are_marked_as_estimates():
    """A guess must not be read as a count."""
    growing = LiveAnswers([waiting()])
    growing.grew(0, TextDelta("word " * 40), 0.5)
    growing.grew(0, TextDelta("word " * 40), 2.5)

    assert told(growing)["facts"] == ["first text ≈ 0.50 s", "≈ 100 tokens at ≈ 50/s"]
