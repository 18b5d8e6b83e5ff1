"""The differences between two answers."""

from __future__ import annotations

from dataclasses import replace

import pytest

from llmkit.comparison.result import Comparison
from llmkit.errors import ConfigError
from llmkit.views.answers.diff import CUT, LONGEST, Differences, Piece, differences
from tests.unit.rows import plain


def test_words_are_compared_not_letters():
    """Removed words come before those that replace them; equal text is shown once."""
    found = differences("The cat sat.", "The dog sat!")

    assert found == (
        Piece("same", "The "), Piece("gone", "cat"), Piece("new", "dog"), Piece("same", " sat"),
        Piece("gone", "."), Piece("new", "!"),
    )  # fmt: skip


def test_both_answers_can_be_read_out_of_the_pieces():
    """Without the added words it is the first text, without the removed words the second."""
    first, second = "one two\nthree  four", "zero two three four\n"
    found = differences(first, second)

    assert "".join(p.text for p in found if p.kind != "new") == first
    assert "".join(p.text for p in found if p.kind != "gone") == second


def test_a_changed_word_in_repeated_lines_is_the_only_difference():
    """Lines that occur often are aligned by their number."""
    first = ["x = x + 1"] * 60
    second = [*first[:10], "x = x + 2", *first[11:50], "x = y + 1", *first[51:]]
    found = differences("\n".join(first), "\n".join(second))

    assert [(p.kind, p.text) for p in found if p.kind != "same"] == [
        ("gone", "1"), ("new", "2"), ("gone", "x"), ("new", "y"),
    ]  # fmt: skip


def test_a_word_that_moved_does_not_hide_what_stayed():
    """The longest common series of words stays; the word that moved is removed and added."""
    found = differences("one two three four five", "five one two three four")

    assert "".join(p.text for p in found if p.kind == "same").split() == [
        "one", "two", "three", "four",
    ]  # fmt: skip


def test_answers_without_a_common_word_are_compared_at_once():
    """Ten thousand words on each side take a fraction of a second, not hours."""
    first, second = (" ".join(f"{letter}{n}" for n in range(10_000)) for letter in "ab")

    assert differences(first, second) == (Piece("gone", first), Piece("new", second))


@pytest.mark.parametrize("text", ["w " * LONGEST, "x" * 1_000_000, "," * 1_000_000])
def test_a_long_answer_is_cut_and_says_so(text):
    """The last piece says how much is compared and where the rest is, in each view."""
    found = Differences(("a", "b"), text, "w w")

    assert found.pieces[-1] == Piece("cut", CUT)
    assert sum(len(p.text.split()) for p in found.pieces[:-1]) <= 2 * LONGEST
    assert CUT.strip() in str(found)
    assert ".completion.text" in found._repr_html_()


def test_markup_in_an_answer_stays_text():
    """A tag in a model's answer is shown as text, in the html, too."""
    html = Differences(("a", "<b>"), "x", "<img src=x onerror=alert(1)>")._repr_html_()

    assert "<img" not in html
    assert "&lt;img" in html
    assert "only in &lt;b&gt;" in html


def test_two_answers_of_one_model_have_different_names():
    """The first and the second, if nothing else distinguishes them."""
    found = Differences(("a:b", "a:b"), "one", "two")

    assert str(found).splitlines()[0] == "[-only in a:b, first-] {+only in a:b, second+}"
    assert "<del>only in a:b, first</del>" in found._repr_html_()


def test_equal_answers_are_said_to_be_equal():
    """A text without marks would leave the reader in doubt."""
    equal = Differences(("a", "b"), "one", "one")

    assert "are the same" in str(equal)
    assert "are the same" in equal._repr_html_()
    assert "are the same" not in str(Differences(("a", "b"), "one", "one "))


def test_answers_that_differ_beyond_what_is_compared_are_not_equal():
    """Only the first part of a very long text is compared."""
    same = "w " * 40_000
    found = Differences(("a", "b"), f"{same}yes", f"{same}no")

    assert "are the same" not in str(found)
    assert "are the same" in str(Differences(("a", "b"), same, same))


def test_differences_wrap_and_have_the_direction_of_their_text():
    """Also without the style sheet, which a notebook opened elsewhere may lack."""
    html = Differences(("a", "b"), "x" * 5_000, "שלום")._repr_html_().split("</style>")[1]

    assert '<pre class="lk-differ" dir="auto" style="white-space:pre-wrap;' in html
    assert "overflow-wrap:anywhere" in html


def test_a_terminal_reads_it_by_its_brackets():
    """Signs tell them apart as well as colours."""
    assert str(Differences(("a", "b"), "one two", "one three")).splitlines()[-1] == (
        "one [-two-]{+three+}"
    )


def test_a_comparison_tells_where_two_of_its_rows_differ():
    """Rows are named by their numbers; an invalid number is an error."""
    run = Comparison([plain(0, text="one two"), plain(1, "gpt-6-sol", text="one three")], {})

    assert run.differences(0, 1).names == ("openai:gpt-6-luna", "openai:gpt-6-sol")
    with pytest.raises(ConfigError, match="rows are 0 to 1"):
        run.differences(0, 2)


def test_two_answers_of_one_model_are_named_by_what_distinguishes_them():
    """By grid point and repeat, or by the prompts if those are the same."""
    rows = [
        replace(plain(0), parameters={"temperature": 0}),
        replace(plain(1), parameters={"temperature": 1}),
        replace(plain(2), parameters={"temperature": 1}, repeat=1),
        replace(plain(3), parameters={"temperature": 1}, prompt_id=7, prompt="Why not?"),
    ]
    run = Comparison(rows, {})

    assert run.differences(0, 2).names == (
        "openai:gpt-6-luna · temperature 0 · repeat 1 of 2",
        "openai:gpt-6-luna · temperature 1 · repeat 2 of 2",
    )
    assert run.differences(1, 3).names[1].endswith(" · repeat 1 of 2 · Why not?")
