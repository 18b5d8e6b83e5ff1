"""Answers in progress, as cards and as small changes."""

from __future__ import annotations

from dataclasses import replace

import pytest

from llmkit.secret import Secret
from llmkit.types import Status, TextDelta
from llmkit.views.answers.card import card_of
from llmkit.views.answers.layout import comparison_html
from llmkit.views.answers.place import Place
from llmkit.views.answers.streaming import FEWEST_DONE, LEAST, MOST_CHANGES, LiveAnswers
from llmkit.views.answers.terminal import comparison_text
from tests.unit.rows import plain


def waiting(number=0):
    """The place of an answer without any text so far."""
    return Place(number, f"prompt {number}", "openai:gpt-6-luna", {}, 0)


def final(number=0, text="Entropy counts the ways.", **changes):
    return plain(number, text=text, reasoning="", **changes)


def told(growing):
    """Returns the only change."""
    (change,) = growing.changes()
    return change


def said(change):
    """Returns the text that a change adds to the page."""
    return change["card"]["text"] if "card" in change else change.get("add", "")


def test_a_lane_waits_writes_and_ends():
    """The card shows which of the three states an answer has, by sign and by word."""
    growing = LiveAnswers([waiting()])
    states = [growing.card(0).state]
    growing.grew(0, TextDelta("one "), 0.5)
    states.append(growing.card(0).state)
    growing.finished(final())
    states.append(growing.card(0).state)

    assert states == ["waiting", "writing", "complete"]
    assert growing.left == 0


def test_a_page_learns_how_long_each_answer_has_been_silent():
    """It gets the time of the last piece, and the time since the start of the run."""
    growing = LiveAnswers([waiting(), waiting(1)])
    growing.grew(0, TextDelta("one "), 0.5)
    first = told(growing)
    growing.grew(0, TextDelta("two "), 0.75)

    assert first["card"]["last_s"] == 0.5
    assert told(growing)["last_s"] == 0.75
    assert growing.progress(12.5)["elapsed_s"] == 12.5


def test_only_what_is_new_is_sent():
    """A change holds the added text, and nothing if there is none."""
    growing = LiveAnswers([waiting()])
    growing.grew(0, TextDelta("one "), 0.5)
    growing.grew(0, TextDelta("two "), 0.6)
    first = told(growing)
    growing.grew(0, TextDelta("three "), 0.7)

    assert first["card"]["text"] == "one two "
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
        sent.append(said(told(growing)))

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
        sent.append(said(told(growing)))

    assert "".join(sent) == "your key ends in *** then "


def test_a_word_without_an_end_flows_too():
    """Text longer than any key is sent as it comes."""
    growing = LiveAnswers([waiting()])
    growing.grew(0, TextDelta("x" * 1000), 0.5)

    assert said(told(growing)) == "x" * 1000


def test_text_without_blanks_flows_too():
    """A language without spaces between words is not held back to the end."""
    growing = LiveAnswers([waiting()])
    growing.grew(0, TextDelta("熵是混乱"), 0.5)

    assert said(told(growing)) == "熵是混乱"


def test_what_acts_on_a_page_or_a_terminal_is_shown_as_its_code():
    """A right-to-left override and an escape arrive as their codes."""
    growing = LiveAnswers([waiting()])
    growing.grew(0, TextDelta("a\u202eb \x1b[31m "), 0.5)

    assert said(told(growing)) == "a\\u202eb \\x1b[31m "


def test_a_page_that_comes_late_gets_everything_once():
    """All text sent before comes again as a whole; the next change continues from there."""
    growing = LiveAnswers([waiting(), waiting(1)], notes=["one machine"])
    growing.grew(0, TextDelta("one tw"), 0.5)
    growing.changes()
    growing.resend()
    again = told(growing)
    growing.grew(0, TextDelta("o "), 0.6)

    assert again["card"]["text"] == "one "
    assert growing.outline()["notes"] == ["one machine"]
    assert told(growing)["add"] == "two "


def test_a_message_has_a_bounded_number_of_answers():
    """The others follow in the next ones, each once."""
    growing = LiveAnswers([waiting(number) for number in range(MOST_CHANGES + 2)])
    for number in range(MOST_CHANGES + 2):
        growing.finished(final(number))
    first, has_more, second = growing.changes(), growing.has_changes, growing.changes()

    assert (len(first), has_more, len(second)) == (MOST_CHANGES, True, 2)
    assert not growing.has_changes


def test_a_page_gets_the_beginning_of_a_huge_answer_and_the_rest_on_request():
    """The number of further characters is in the card, and half a word never."""
    growing = LiveAnswers([waiting(number) for number in range(10_001)])
    growing.finished(final(text="entropy " * 1_000))
    card = told(growing)["card"]
    growing.whole(0)
    whole = told(growing)["card"]

    assert card["text"] == ("entropy " * (LEAST // 8)).rstrip()
    assert card["cut"] == 8_000 - len(card["text"])
    assert (len(whole["text"]), whole["cut"]) == (8_000, 0)


def test_further_answers_join_a_view():
    """The asks of one cell are the answers of one view."""
    growing = LiveAnswers([waiting()])
    growing.finished(final())
    growing.extend([waiting(1)])

    assert (len(growing), growing.left) == (2, 1)
    assert growing.outline()["rows"] == [(0, 0, 0), (1, 0, 0)]


def test_the_head_tells_how_far_a_run_is_and_what_it_has_cost():
    """It names failures and the time that is left, and at the end the whole time."""
    growing = LiveAnswers([waiting(number) for number in range(4)])
    for number in range(FEWEST_DONE - 1):
        growing.finished(final(number))
    failed = replace(final(FEWEST_DONE - 1, status=Status.ERROR, cost_usd=None),
                     error_type="ServerError", error="busy")  # fmt: skip
    growing.finished(failed)
    during = growing.head(30.0)
    growing.finished(final(3))

    assert during == "3 of 4 answers · 2 ok · 1 failed · $0.0025 (2 of 3 known) · about 10 s left"
    assert growing.head(200.0) == (
        "4 answers · 3 ok · 1 failed · $0.0037 (3 of 4 known) · 3 min 20 s"
    )


def test_a_stop_is_the_head_of_the_view():
    """What was kept is the first that is said."""
    growing = LiveAnswers([waiting(), waiting(1)])
    growing.finished(final())
    growing.stopped = "Stopped: 1 of 2 answers are kept in llmkit.last"

    assert growing.head(1.0).startswith("Stopped: 1 of 2 answers are kept in llmkit.last · 1 ok")


def test_a_missing_key_is_a_note_and_not_a_failure():
    """Its card says calmly what to do; the row keeps its status and its error's type."""
    error = "mistral needs an API key: set MISTRAL_API_KEY"
    row = replace(final(status=Status.ERROR, text=""), error=error, provider="mistral",
                  error_type="MissingApiKeyError")  # fmt: skip

    card = card_of(row)
    html, text = comparison_html([row]), comparison_text([row])

    assert (card.mark, card.word, card.tone, card.error) == ("–", "no key", "soft", error)
    assert card.key == "mistral"
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

    assert told(growing)["card"]["facts"][0] == f"first {kind} ≈ 0.50 s"
    assert card_of(plain(**times)).facts[0] == f"first {kind} 0.50 s"


def test_counts_before_the_end_are_marked_as_estimates():
    """A guess must not be read as a count."""
    growing = LiveAnswers([waiting()])
    growing.grew(0, TextDelta("word " * 40), 0.5)
    growing.grew(0, TextDelta("word " * 40), 2.5)

    assert told(growing)["card"]["facts"] == ["first text ≈ 0.50 s", "≈ 100 tokens at ≈ 50/s"]
