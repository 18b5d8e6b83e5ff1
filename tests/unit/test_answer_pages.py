"""The views of many answers: what they show, what they leave out, and where the rest is."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from llmkit.secret import Secret
from llmkit.types import Completion, Status
from llmkit.views.answers.card import card_of, completion_card
from llmkit.views.answers.layout import (
    LONGEST,
    MOST_BYTES,
    comparison_html,
    completion_html,
    page_html,
)
from llmkit.views.answers.matrix import LONGEST_PROMPT, matrix_of
from llmkit.views.answers.page import page_of
from llmkit.views.answers.place import Place, place_of
from llmkit.views.answers.summary import duration_words, summaries, total
from llmkit.views.answers.terminal import MOST_CHARACTERS, MOST_IN_TEXT, comparison_text
from llmkit.views.plots.aggregates import shared_parameters
from tests.unit.rows import STEP, answer, plain, row


def many(prompts, models=1, repeats=1, **changes):
    """The rows of a run of *prompts*, *models* and *repeats*."""
    places = [(p, m, r) for p in range(prompts) for m in range(models) for r in range(repeats)]
    return [
        replace(plain(n, model=f"model-{m}", **changes), prompt_id=p, prompt=f"Prompt {p}?",
                repeat=r)
        for n, (p, m, r) in enumerate(places)
    ]  # fmt: skip


def failed(number, prompt=0, text=""):
    """A row whose call failed."""
    came = plain(number, text=text, reasoning="", status=Status.ERROR)
    return replace(came, prompt_id=prompt, error="busy", error_type="ServerError")


def words_of(html):
    """Returns what a reader sees who has no styles and no scripts."""
    return re.sub(r"<style>.*?</style>|<[^>]*>", " ", html, flags=re.S)


def test_prompts_are_rows_and_models_are_columns():
    """Each answer has one place, and what distinguishes the answers of a cell is its point."""
    rows = [
        replace(plain(n), prompt_id=p, repeat=r, parameters={"temperature": t, "max_tokens": 24})
        for n, (p, t, r) in enumerate((p, t, r) for p in (0, 1) for t in (0.0, 0.7) for r in (0, 1))
    ]
    matrix = matrix_of(list(map(place_of, rows)))

    assert len(matrix.prompts) == 2
    assert matrix.models == ["openai:gpt-6-luna"]
    assert matrix.shared == "max_tokens 24"
    assert matrix.points == [
        "temperature 0 · repeat 1 of 2", "temperature 0 · repeat 2 of 2",
        "temperature 0.7 · repeat 1 of 2", "temperature 0.7 · repeat 2 of 2",
    ]  # fmt: skip
    assert matrix.cells()[1] == {0: [4, 5, 6, 7]}


def test_a_parameter_that_only_some_answers_have_is_not_shared():
    """The columns of a DataFrame of prompts may set it for one prompt."""
    places = [Place(0, "a", "m", {"seed": 7}, 0), Place(1, "b", "m", {}, 0)]
    matrix = matrix_of(places)

    assert (matrix.shared, matrix.points) == ("", ["seed 7", ""])


def test_a_parameter_reads_alike_in_a_table_and_in_a_figure():
    """As a person types it; one that was not sent leaves no separator."""
    places = [Place(0, "a", "m", {"seed": None, "temperature": 0.0}, 0)]

    assert matrix_of(places).shared == "temperature 0"
    assert shared_parameters([replace(plain(), parameters={"temperature": 0.0})]) == "temperature 0"


def test_equal_prompts_with_different_ids_are_different_rows():
    """The index of a DataFrame distinguishes them."""
    assert len(matrix_of([Place(i, "Why?", "m", {}, 0) for i in (1, 2)]).prompts) == 2


def test_stops_are_shown_as_they_are_typed():
    """A line end is visible."""
    assert matrix_of([Place(0, "a", "m", {"stop": ("\n",)}, 0)]).shared == r"stop '\n'"


def test_a_key_in_a_parameter_is_masked_before_it_is_cut():
    """Half a key would not be recognised."""
    key = Secret("sk-ant-q9Zp4Lm7Xc2Vb8Nk3Hj6")
    shown = matrix_of([Place(0, "a", "m", {"system": "x" * 30 + f" {key.reveal()}"}, 0)]).shared

    assert key.reveal()[:8] not in shown


def test_a_long_prompt_is_cut_and_says_how_much_is_missing():
    """The page of a run must not hold the same book 40 times."""
    html = comparison_html([replace(plain(), prompt="word " * 2_000)])

    assert f"({10_000 - LONGEST_PROMPT:,} more characters)" in html


def test_a_model_is_named_as_it_can_be_asked_for():
    """The label of a substituted answer is the model that was asked; the card names the other."""
    card = card_of(row())

    assert card_of(plain()).name == "openai:gpt-6-luna"
    assert card.name == STEP.asked
    assert "answered by openai:gpt-6-luna" in card.served


def test_the_head_and_the_summary_count_every_answer():
    """Ok, failed and cut off answers, median times, tokens and the cost."""
    rows = [*many(1, repeats=3), failed(3)]
    rows[2] = replace(rows[2], completion=replace(rows[2].completion, status=Status.TRUNCATED))
    words = " ".join(words_of(comparison_html([*rows, *many(1, repeats=6)])).split())

    assert "10 answers · 8 ok · 1 cut off · 1 failed · $0.012" in words
    assert "2 answers are not ok" in words


def test_an_unknown_cost_is_counted_and_never_zero():
    """The sum names for how many answers it is known."""
    rows = [plain(0, cost_usd=0.5), plain(1, cost_usd=None)]
    (found,) = summaries(rows)

    assert (found.cost_usd, found.known_cost_usd, found.cost_unknown) == (None, 0.5, 1)
    assert "$0.50 (1 of 2 known)" in comparison_text(rows)
    assert "cost unknown" in comparison_text(rows[1:])


def test_medians_count_ok_answers_only():
    """A failure after a minute says nothing about the speed of a model."""
    slow = failed(1)
    slow = replace(slow, completion=replace(slow.completion, duration_s=60.0))

    assert total([plain(0, duration_s=1.0), slow]).duration_s == 1.0


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0.5, "0.50 s"), (9.999, "10.0 s"), (59.96, "1 min 0 s"), (200, "3 min 20 s"),
     (7_500, "2 h 5 min")],
)  # fmt: skip
def test_times_are_written_for_a_reader(seconds, words):
    """Seconds have three digits at most, and minutes and hours are named."""
    assert duration_words(seconds) == words


def test_many_answers_are_a_table_of_25_prompts_that_says_where_the_rest_is():
    """A saved notebook stays small, and nothing is left out silently."""
    html = comparison_html(many(300, models=4), where="llmkit.last")

    assert html.count('<tr><th scope="row"') == 25 + 4  # prompts, and models of the summary
    assert "the first 25 of 300 prompts" in html
    assert "All answers are in llmkit.last; its to_html(path) makes a page" in html


def test_a_page_in_a_file_leaves_nothing_out():
    """The exported page has every answer of every prompt and repeat."""
    rows = many(60, models=3, repeats=20, text="whole")
    html = comparison_html(rows, is_whole=True)

    assert html.count('<section class="lk-card">') == len(rows)
    assert "left out" not in html


def test_huge_answers_are_cut_in_an_output_and_whole_in_a_file():
    """The output of a cell has at most a bounded size, and says what it cuts."""
    rows = many(25, models=2, text="entropy " * 125_000)
    html = comparison_html(rows, where="the Comparison")

    assert len(html) < 2 * MOST_BYTES
    assert "more characters: row 0 of the Comparison" in html
    assert "Some answers are cut or left out." in html


def test_repeats_unfold_in_their_cell_which_tells_of_failures():
    """A reader finds a failed repeat without opening each cell."""
    rows = many(1, repeats=10)
    ended = replace(rows[4].completion, status=Status.ERROR, text="")
    rows[4] = replace(rows[4], completion=ended, error="busy", error_type="ServerError")
    html = comparison_html(rows)

    assert "<summary>9 more, 1 not ok</summary>" in html
    assert "✗ openai:model-0 · repeat 5 of 10 · Prompt 0?: ServerError: busy" in words_of(html)


def test_answers_that_were_cancelled_before_any_text_are_one_line():
    """1,341 lines would hide the 99 answers that came."""
    rows = [plain(0), *(plain(n, status=Status.CANCELLED, text="") for n in range(1, 6))]
    for view in (words_of(comparison_html(rows)), comparison_text(rows)):
        assert "■ 5 answers were cancelled before any text came: 5 of openai:gpt-6-luna" in view
        assert view.count("■") == 1


def test_a_terminal_gets_twenty_answers_and_the_way_to_the_others():
    """Thousands of lines in a file or a terminal help no reader."""
    text = comparison_text(many(300))

    assert text.count("✓") == MOST_IN_TEXT
    assert "Only the first answers of 300 are printed; frame() has them all" in text
    assert comparison_text(many(300), most=None).count("✓") == 300


def test_a_terminal_that_printed_all_answers_says_nothing_of_others():
    """Cancelled ones are one line."""
    rows = [plain(0), *(plain(n, status=Status.CANCELLED, text="") for n in range(1, 31))]

    assert "Only the first" not in comparison_text(rows)


def test_a_cut_answer_is_where_the_newest_page_says():
    """The variable of a magic is set at the end of its run, when some cards are kept already."""
    page = page_of([plain(0, text="x" * (LONGEST + 1))], where="llmkit.last")
    early = page_html(page)
    late = page_html(replace(page, where="mine"))

    assert ("llmkit.last" in early, "llmkit.last" in late, "mine" in late) == (True, False, True)


def test_a_long_error_begins_with_its_first_sentence_and_the_rest_unfolds():
    """The card stays calm, and loses no word."""
    long = "the server refused it (403): the key may not use this model; ask its owner; " * 3
    html = comparison_html([replace(failed(0), error=long)])

    assert "<details><summary>why</summary>" in html
    assert " ".join(long.split()[-3:]).rstrip("; ") in html


def test_a_card_without_numbers_has_no_foot_line():
    """An answer that was never sent has none."""
    unsent = Completion(status=Status.ERROR, attempts=0)
    html = comparison_html([row(completion=unsent)])

    assert '<p class="lk-facts">' not in html


def test_an_answer_of_ask_has_the_same_card():
    """It names who answered, its status, tokens and cost."""
    words = words_of(completion_html(answer(text="**bold**", fallback=())))

    assert completion_card(answer(fallback=())).name == "openai:gpt-6-luna"
    for part in ("openai:gpt-6-luna", "complete", "17 tokens", "$0.0012", "bold"):
        assert part in words


def test_sixty_models_are_cells_with_their_names():
    """A table of sixty columns cannot be read, so each cell names its model."""
    html = comparison_html(many(30, models=60))

    assert 'class="lk-matrix lk-many"' in html
    assert html.count('<span class="lk-model">') == 60 * 3  # at most 200 cells
    assert "the first 3 of 30 prompts" in html


def test_every_text_begins_on_the_side_of_its_script():
    """Arabic and Hebrew answers stand beside English ones."""
    html = comparison_html([plain(text="שלום")], markdown=False)

    assert '<pre class="lk-answer" dir="auto"' in html


def test_a_page_in_a_file_cuts_no_answer_reasoning_or_prompt():
    """Eight answers stand side by side, and each is whole to its last word."""
    long = "word " * 8_000 + "LAST"
    rows = [replace(plain(n, text=long, reasoning=long), prompt=long) for n in range(2)]
    html = comparison_html(rows, is_whole=True)

    assert html.count("LAST") == 1 + 2 * 2
    assert "more characters" not in html


def test_a_key_at_the_place_where_reasoning_is_cut_is_masked():
    """Half a key would not be recognised."""
    key = Secret("sk-ant-q9Zp4Lm7Xc2Vb8Nk3Hj6")
    html = comparison_html([plain(reasoning="x " * (LONGEST // 2 - 6) + key.reveal() + " end")])

    assert key.reveal()[:12] not in html


def test_answers_that_no_room_is_left_for_are_not_rendered():
    """A view of hundreds of long answers costs no more than what it shows."""
    rows = many(240, text="entropy " * 2_500)
    page = page_of(rows)
    page_html(page)

    assert len(page.rendered) < 40


def test_repeats_of_many_models_stay_below_a_megabyte():
    """Folded beginnings count, too."""
    rows = many(25, models=8, repeats=12, text="entropy counts the ways " * 40)

    assert len(comparison_html(rows)) < 1_000_000


def test_the_text_of_huge_answers_is_bounded():
    """It is stored in the notebook beside the HTML."""
    text = comparison_text(many(3, text="entropy " * 125_000))

    assert len(text) < 2 * MOST_CHARACTERS
    assert "more characters" in text


def test_answers_to_different_prompts_are_named_by_them():
    """Two answers of one model never have the same name in differences."""
    matrix = matrix_of([place_of(row) for row in many(2)])

    assert matrix.names_of(0, 1) == ("openai:model-0 · Prompt 0?", "openai:model-0 · Prompt 1?")


def test_an_answer_is_shown_as_written_if_a_renderer_fails(monkeypatch, caplog):
    """No answer is lost, whatever a renderer makes of it."""
    monkeypatch.setattr("llmkit.views.answers.markdown_blocks._parser", lambda: 1 / 0)
    html = comparison_html([plain(text="**bold**")])

    assert "**bold**" in html
    assert "shown as written" in caplog.text
