"""The report for a date, and the names that a release must not show."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from llmkit.providers.builtin import shipped
from tools.catalogue.release import pages, short_lived
from tools.catalogue.report import report

TOP = Path(__file__).parents[2]
DAY = date(2026, 11, 25)


def test_the_report_lists_retired_deprecated_and_unverified_models():
    """With the date, the successor, and the rule or the source."""
    said = report(shipped(), DAY).splitlines()

    assert said[0] == "The catalogue of 2026-11-22, on 2026-11-25."
    assert (
        "  google:gemini-pro retired since 2025-02-18 -> gemini-3.5-flash-lite (official-successor)"
        in said
    )
    assert "  openai:gpt-4o on 2027-01-14 -> gpt-6-luna" in said
    assert any(line.startswith("  openrouter:openai/gpt-3.5-turbo: listed on") for line in said)
    assert any(line.startswith("  openai:gpt-5.6 -> gpt-5.6-sol: ") for line in said)


def test_the_report_depends_on_the_day():
    """A model to be retired is retired after its date."""
    said = report(shipped(), date(2027, 1, 14))

    assert "  openai:gpt-4o retired since 2027-01-14 -> gpt-6-luna" in said


def test_the_readme_the_notebooks_and_the_classes_name_models_that_last():
    """On the day of the catalogue; `make release-check` asks for today."""
    assert short_lived(shipped(), pages(TOP), shipped().as_of) == []


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("%%compare gpt-4o local:smollm2",
         "a page: gpt-4o is openai:gpt-4o, which ends on 2027-01-14"),
        ('ask("hi", "anthropic:claude-sonnet-4-5").',
         "a page: anthropic:claude-sonnet-4-5 is anthropic:claude-sonnet-4-5, "
         "which ends on 2026-11-30"),
        ("`gpt-4-turbo`", "a page: gpt-4-turbo is openai:gpt-4-turbo, which ended on 2026-10-23"),
        ("gemini-3.7-flash:",
         "a page: gemini-3.7-flash is google:gemini-3.7-flash, which ended on 2026-10-08"),
        ("%%compare gpt-6-luna claude-haiku-5-5", None),
        ("what gpt-3.5-turbo meant", None),  # a page may name retired models as history
        ("python-3.11, version 2.0, a ratio of 1.5 and ada", None),
    ],
)  # fmt: skip
def test_a_page_that_names_a_model_that_ends_is_found(text, said):
    """Within 180 days, or already; not later dates, not history, not other words with a digit."""
    found = [line for line in short_lived(shipped(), {"a page": text}, DAY) if "a page" in line]

    assert found == ([said] if said else [])


def test_a_pick_that_ends_is_found():
    """180 days before the end of a default the check fails."""
    picks = replace(shipped(), classes={"code": {"openai": ("gpt-5.3-codex", "gpt-6.1-sol")}})

    assert short_lived(picks, {}, DAY) == [
        "classes.json: code picks openai:gpt-5.3-codex, which ends on 2027-04-01"
    ]


def test_the_pages_are_the_readme_and_every_notebooks_cells(tmp_path):
    """The source of cells counts, not their outputs."""
    (tmp_path / "README.md").write_text("read me", encoding="utf-8")
    (tmp_path / "notebooks").mkdir()
    cells = [{"source": ["one\n", "two"], "outputs": [{"text": "gpt-4o"}]}, {"source": ["three"]}]
    (tmp_path / "notebooks" / "a.ipynb").write_text(json.dumps({"cells": cells}), encoding="utf-8")

    assert pages(tmp_path) == {"README.md": "read me", "notebooks/a.ipynb": "one\ntwo\nthree"}
