"""The classes of errors match the tree in the module's docstring."""

from __future__ import annotations

import copy
import inspect
import re

import pytest

from llmkit import errors
from llmkit.errors import LlmkitError, Outcome, error_class, shorten

TREE = [
    thing
    for _, thing in inspect.getmembers(errors, inspect.isclass)
    if issubclass(thing, LlmkitError)
]


def test_the_drawing_at_the_top_is_the_tree():
    """Every class is in the tree once, under its parent."""
    drawn = {}
    parents = {0: None}
    for line in (errors.__doc__ or "").splitlines():
        found = re.match(r"^([│├└─ ]*)([A-Z]\w+Error)", line)
        if found:
            depth = len(found[1]) // 4
            drawn[found[2]] = parents.get(depth)
            parents[depth + 1] = found[2]

    real = {c.__name__: c.__mro__[1].__name__ if c is not LlmkitError else None for c in TREE}
    assert drawn == real


def test_the_status_decides_the_class():
    """Each status of the table has its class, others that of their hundred."""
    found = {status: error_class(status).__name__ for status in (200, 401, 403, 418, 429, 500, 529)}

    assert found == {
        200: "BadResponseError",
        401: "AuthenticationError",
        403: "PermissionDeniedError",
        418: "InvalidRequestError",
        429: "RateLimitError",
        500: "ServerError",
        529: "ServerError",
    }


@pytest.mark.parametrize("kind", TREE, ids=lambda c: c.__name__)
def test_a_notebook_shows_the_sentence_and_not_the_frames(kind):
    """IPython prints the class, the message and its notes."""
    error = kind("mistral refused the key")
    error.add_note("gave up after 3 attempt(s)")

    assert error._render_traceback_() == [
        f"{kind.__name__}: mistral refused the key",
        "gave up after 3 attempt(s)",
    ]


def test_an_error_can_be_copied_with_all_it_knows():
    """Copies keep status, outcome and the rest, so that they can be sent to another process."""
    error = errors.RateLimitError("slow down", provider="openai", status=429, retry_after=2.0)

    twin = copy.copy(error)

    assert vars(twin) == vars(error)
    assert twin.outcome is Outcome.REFUSED


def test_a_providers_words_become_one_short_printable_line():
    """Line ends become blanks, escapes are shown by their codes, and the length is limited."""
    assert shorten("a\n b\x1b[31m\x00c\u2028d") == "a b\\x1b[31m\\x00c d"
    assert len(shorten("x" * 1000)) == 300
