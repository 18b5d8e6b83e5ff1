"""Figures fit to print."""

from __future__ import annotations

from dataclasses import replace

import pytest

from llmkit.types import Completion, Status
from llmkit.views.figures import comparison_figure
from tests.unit.rows import plain

TITLES = ["time to first chunk (s)", "duration (s)", "output tokens", "cost (US$)"]


def test_a_figure_has_four_panels_with_units():
    """One panel for each measure, all over the same models."""
    figure = comparison_figure([plain(0, "a"), plain(1, "b")])

    assert [axis.get_title(loc="left") for axis in figure.axes] == TITLES
    assert [label.get_text() for label in figure.axes[0].get_yticklabels()] == [
        "openai: a",
        "openai: b",
    ]


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("count", [1, 2, 12])
def test_a_figure_is_a_picture(count, dark):
    """With one, two and twelve models it can be drawn, light and dark, without a window."""
    rows = [plain(i, f"model-{i % count}", duration_s=1.0 + i) for i in range(count * 3)]

    assert comparison_figure(rows, dark=dark)._repr_png_().startswith(b"\x89PNG")


def test_what_is_unknown_is_written_so():
    """A model without a known price has n/a in that panel, and no dot at zero."""
    figure = comparison_figure([plain(0, "a", cost_usd=None)])

    assert [text.get_text() for text in figure.axes[3].texts] == ["n/a"]
    assert figure.axes[3].lines == [] or len(figure.axes[3].lines) == 0


def test_failures_count_in_the_label_and_nowhere_else():
    """An error is no fast answer."""
    failed = replace(plain(1, "a"), completion=Completion(status=Status.ERROR, duration_s=0.01))
    figure = comparison_figure([plain(0, "a"), failed])

    assert figure.axes[0].get_yticklabels()[0].get_text() == "openai: a\n1 of 2 failed"
    assert figure.axes[1].lines[-1].get_xdata() == [1.5]


def test_an_empty_comparison_can_be_plotted():
    """Nothing is drawn, and nothing fails."""
    assert comparison_figure([])._repr_png_().startswith(b"\x89PNG")
