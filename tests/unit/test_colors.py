"""The colours and markers of figures."""

from __future__ import annotations

import pytest

from llmkit.providers.builtin import provider_table
from llmkit.views.plots.colors import COLORS, DARK, LIGHT, SHAPES, styles_of

OWN = {name: (row.color, row.marker) for name, row in provider_table().items()}


def test_every_provider_has_a_style_of_its_own_from_the_palette():
    """No two built-in providers look the same, and each style can be drawn."""
    assert len(set(OWN.values())) == len(OWN)
    assert {marker for _, marker in OWN.values()} == set(SHAPES)
    assert all(color < COLORS for color, _ in OWN.values())
    assert len(LIGHT.models) == len(DARK.models) == COLORS


def test_a_provider_looks_the_same_in_every_figure():
    """Its first model has the provider's colour and marker in every figure."""
    first = styles_of(["google", "mistral"], OWN)
    second = styles_of(["anthropic", "lab", "mistral", "openai"], OWN)

    assert first[1] == second[2] == OWN["mistral"]


@pytest.mark.parametrize("providers", [
    ["openai"] * 9 + ["lab", "google", "lab", "google"],
    [*OWN, *OWN, *OWN],
    [*OWN] * 7,
])  # fmt: skip
def test_no_two_models_of_a_figure_look_alike(providers):
    """Further models of a provider, and providers without a style, get free ones."""
    styles = styles_of(providers, OWN)

    assert len(set(styles)) == len(styles)


def test_seven_models_of_one_provider_are_apart_in_grey():
    """Their markers differ too."""
    styles = styles_of(["openai"] * 7, OWN)

    assert len({marker for _, marker in styles}) == 7


def test_more_models_than_styles_are_still_drawn():
    """The pairs are reused."""
    assert len(styles_of([*OWN] * 9, OWN)) == 9 * len(OWN)
