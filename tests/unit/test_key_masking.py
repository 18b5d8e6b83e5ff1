"""A key inside a text that arrives in pieces."""

from __future__ import annotations

import pytest

from llmkit.providers.redaction import TextRedactor, redact_whole
from llmkit.secret import Secret, redact

KEY = "sk-mask-Wq3nP8vT1xZk6LrY"
Secret(KEY)


def fed(*pieces):
    masking = TextRedactor()
    return [*(masking.feed(piece) for piece in pieces), masking.end()]


@pytest.mark.parametrize("size", range(1, len(KEY) + 8))
def test_no_way_to_cut_a_key_shows_more_than_its_beginning(size):
    """For any pieces, only the public part and four characters of the rest may show."""
    text = f"it is {KEY}, and again: {KEY}{KEY} end"
    joined = "".join(fed(*(text[i : i + size] for i in range(0, len(text), size))))

    assert joined.replace("sk-mask-Wq3n", "").count("***") == 3
    assert "Wq3nP" not in joined
    assert joined.endswith(" end")


def test_a_text_without_a_key_is_not_held_back():
    """An answer that ends with "s", or with the beginning of every key, is shown at once."""
    pieces = ["A river is", " like s", "k", "-mask-", " and no key"]

    assert fed(*pieces) == [*pieces, ""]


def test_held_back_text_comes_when_it_is_not_a_key():
    """The answer is complete."""
    assert "".join(fed("x sk-mask-Wq3nP8", "-nothing")) == "x sk-mask-Wq3nP8-nothing"


def test_the_larger_part_of_a_key_at_the_end_is_masked():
    """A stream that is cut inside a key shows no half of it."""
    assert "".join(fed("x ", KEY[:18])) == "x ***"
    assert redact_whole(f"x {KEY[:18]}") == "x ***"


def test_a_whole_text_is_masked_or_the_same_object():
    """Nearly every answer has no key, and is not copied."""
    text = "a river carries silt"

    assert redact_whole(text) is text
    assert redact_whole(f"{KEY} and {KEY}") == "*** and ***"


def test_of_two_keys_at_one_place_the_longer_one_is_masked():
    """A key may begin with another one."""
    longer = f"{KEY}-9fJ2"
    Secret(longer)

    assert redact_whole(f"{longer} and {KEY}.") == "*** and ***."


def test_pieces_of_a_key_in_one_long_word_are_masked_one_by_one():
    """Pieces that touch become one mask, and all else stays."""
    word = f"{KEY[8:16]}x{KEY[8:20]}yz{KEY[9:17]}{KEY[12:20]}"

    assert redact(word) == "***x***yz***"


def test_what_was_searched_piece_by_piece_passes_as_a_whole():
    """Not if a key began in it, if more was shown than searched, or for a later key."""
    clean, found, later = TextRedactor(), TextRedactor(), TextRedactor()
    for piece in ("a river carries", " s", "ilt"):
        clean.feed(piece)
        later.feed(piece)
    for piece in ("a ", KEY[:15], KEY[15:]):
        found.feed(piece)

    assert clean.passed("a river carries silt")
    assert not clean.passed("a river carries silt.")
    assert not found.passed(f"a {KEY}")
    Secret("sk-mask-Zt4mB7cW9qR2yD5h")
    assert not later.passed("a river carries silt")
