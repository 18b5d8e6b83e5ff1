"""The colours and markers of figures."""

from __future__ import annotations

from llmkit.providers.builtin import provider_table
from llmkit.views.plots.colors import COLORS, DARK, LIGHT, SHAPES, styles_of

OWN = {name: (row.color, row.marker) for name, row in provider_table().items()}


def test_every_provider_has_a_style_of_its_own_from_the_palette():
    """Two built-in providers never look alike, and each style can be drawn."""
    assert len(set(OWN.values())) == len(OWN)
    assert {marker for _, marker in OWN.values()} == set(SHAPES)
    assert all(color < COLORS for color, _ in OWN.values())
    assert len(LIGHT.models) == len(DARK.models) == COLORS


def test_a_provider_looks_the_same_in_every_figure():
    """Whoever else is in the figure, its first model has the provider's colour and marker."""
    first = styles_of(["google", "mistral"], OWN)
    second = styles_of(["anthropic", "lab", "mistral", "openai"], OWN)

    assert first[1] == second[2] == OWN["mistral"]


def test_no_two_models_of_a_figure_look_alike():
    """Further models of a provider, and providers without a style, take what is free."""
    styles = styles_of(["openai"] * 9 + ["lab", "google", "lab", "google"], OWN)

    assert len(set(styles)) == len(styles)
    assert len({marker for _, marker in styles[:7]}) == 7  # apart in grey too


def test_more_models_than_styles_are_still_drawn():
    """With every provider in the figure the markers are used a second time."""
    assert len(styles_of([*OWN, *OWN], OWN)) == 2 * len(OWN)
