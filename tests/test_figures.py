"""Tests the figures that `make figures` prints: the prose, and the path of an answer."""

from __future__ import annotations

from tools import figures

FUNCTIONS, FILES = 150, 30  # of the package, that a warm and streamed ask runs through


def test_the_prose_names_its_actors():
    """Docstrings, messages, pages and notebooks use plain technical English."""
    assert figures.lines_with_private_words() == []


def test_an_answer_takes_a_short_path():
    """A reader follows a second ask through a few files."""
    path = figures.path_of_an_ask()

    assert len(path) <= FILES, "\n".join(path)
    assert sum(map(len, path.values())) <= FUNCTIONS, path
