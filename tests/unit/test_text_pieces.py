"""Text in pieces: no character stays split."""

from __future__ import annotations

from llmkit.providers.stream_parser import TextPieces


def test_an_emoji_in_two_halves_is_one_again():
    """The first half waits for the second, also over two reads."""
    pieces = TextPieces()
    first = pieces.add(["a", "\ud83e"])
    second = pieces.add(["\udd86", "b"])

    assert (first, second, pieces.text) == ("a", "🦆b", "a🦆b")


def test_a_lone_half_becomes_a_mark():
    """Text that is not valid UTF-8 is never passed on."""
    pieces = TextPieces()
    added = [pieces.add(["\udd86x\ud83e", "y"]), pieces.add(["\ud83e"])]

    assert added == ["\ufffdx\ufffdy", ""]
    assert pieces.text == "\ufffdx\ufffdy\ufffd"


def test_the_text_is_all_pieces_in_order():
    """Empty pieces have no effect."""
    pieces = TextPieces()
    added = [pieces.add(["A ", "river"]), pieces.add([]), pieces.add([""]), pieces.add([" é."])]

    assert (added, pieces.text) == (["A river", "", "", " é."], "A river é.")
