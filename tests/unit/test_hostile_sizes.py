"""A megabyte from a server is read in a fraction of a second, whatever is in it."""

from __future__ import annotations

import pytest

from benchmarks.hostile import READERS, seconds
from benchmarks.texts import KEY, TEXTS
from llmkit.secret import Secret

SIZE = 1_000_000
LIMIT_S = 3.0  # of CPU; each takes 0.05 to 0.3 s, and took 4 s to hours when it was not linear

Secret(KEY)


@pytest.mark.parametrize(
    ("reader", "kind"),
    [
        ("hints how long to wait", "digits"),
        ("the snippet of a body", "title tags"),
        ("redaction", "pieces of a key"),
        ("redaction of an answer", "keys and blanks"),
        ("escaping", "joined emoji"),
        ("escaping", "tag characters"),
        ("escaping", "stacked marks"),
        ("an error body, google", "open title tags"),
        ("an error body, openai", "streaming and blanks"),
        ("events after a large one, openai", "letters"),
        ("events after a large one, anthropic", "letters"),
        ("events after a large one, google", "letters"),
        ("an answer, openrouter", "pieces of a key"),
        ("a body that may be a document", "blanks"),
        ("members of gzip", "blanks"),
        ("a model's name", "claude"),
        ("differences", "one word"),
        ("differences", "words"),
        ("Markdown, rendered", "lazy quotations"),
        ("Markdown, rendered", "brackets"),
        ("a live answer", "letters"),
    ],
)
def test_a_reader_takes_time_in_proportion_to_the_text(reader, kind):
    """These readers and texts took the square or the cube of the length, or would again."""
    seconds(READERS[reader], "x" * 100)  # imports

    assert seconds(READERS[reader], TEXTS[kind](SIZE)) < LIMIT_S
