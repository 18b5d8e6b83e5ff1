"""Tests that the reference names everything that exists, and nothing else."""

from __future__ import annotations

import inspect
import re
from pathlib import Path

import llmkit
from llmkit import errors
from llmkit.notebook.commands import COMMANDS, HELP
from llmkit.notebook.magics import LlmkitMagics
from llmkit.reports import AuthReport, Leaks, LiveModels, Models
from llmkit.views.frames import comparison_frame, summary_frame
from tools import columns

REFERENCE = Path(__file__).parents[2] / "docs" / "reference"


def text_of(name: str) -> str:
    return (REFERENCE / f"{name}.md").read_text("utf-8")


def test_every_error_has_its_cause_and_cure():
    """The page has a heading for each class of the tree, in the tree's order."""
    sections = re.split(r"^## ", text_of("errors"), flags=re.MULTILINE)[1:]
    found = [section.split("\n", 1)[0] for section in sections]
    tree = [
        name
        for name, value in vars(errors).items()
        if inspect.isclass(value) and issubclass(value, errors.LlmkitError)
    ]

    assert found == tree
    assert [name for name, text in zip(found, sections, strict=True)
            if "\nCause: " not in text or "\nCure: " not in text] == []  # fmt: skip


def test_the_page_of_the_columns_is_what_their_declarations_say():
    """`make columns` writes every declared column to the page."""
    assert text_of("columns") == columns.page(), "write the page again: make columns"


def test_the_page_has_the_columns_and_dtypes_of_every_frame():
    """Each section's rows are the columns of an empty frame, in their order."""
    sections = re.split(r"^## ", text_of("columns"), flags=re.MULTILINE)[1:]
    rows = [re.findall(r"^\| `(\w+)` \| ([^|]+) \|", text, re.MULTILINE) for text in sections]
    frames = [
        comparison_frame([]),
        summary_frame([]),
        *(kind([]).frame() for kind in (Leaks, AuthReport, Models, LiveModels)),
    ]

    assert rows == [
        [(name, str(dtype)) for name, dtype in frame.dtypes.items()] for frame in frames
    ]


def test_every_option_of_the_magics_is_explained():
    """No option is missing from the page, and none is invented."""
    options = {
        option
        for magic in (LlmkitMagics.ask, LlmkitMagics.compare)
        for action in magic.parser._actions
        for option in action.option_strings
    }
    said = set(re.findall(r"`(--?[a-z][a-z-]*)`", text_of("magics")))

    assert said == options


def test_every_word_of_the_magic_is_in_its_help():
    """`%llmkit help` lists every subcommand."""
    assert [word for word in COMMANDS if f"%llmkit {word}" not in HELP and word != "help"] == []


def test_every_public_name_is_in_the_reference():
    """Every public name is documented."""
    said = text_of("api")
    skipped = {"__version__", "errors"}  # the errors have a page of their own

    assert [name for name in llmkit.__all__ if name not in skipped and name not in said] == []
