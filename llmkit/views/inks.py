"""The colours of figures, light and dark, which all kinds of colour vision tell apart."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

# Okabe and Ito's palette (2008). A shape goes with each, so that a print in grey reads as well.
SHAPES = {
    "openai": "o",
    "anthropic": "s",
    "google": "^",
    "mistral": "D",
    "openrouter": "v",
    "ollama": "P",
    "local": "X",
}
OTHER_SHAPE = "h"


@dataclass(frozen=True, slots=True)
class Inks:
    """What a figure is drawn with.

    Attributes:
        second: For models that stood in for another.
        providers: By provider; others have `other`.
    """

    back: str
    text: str
    soft: str
    line: str
    dot: str
    second: str
    other: str
    providers: Mapping[str, str]

    def of(self, provider: str) -> str:
        """A provider's colour."""
        return self.providers.get(provider, self.other)


LIGHT = Inks(
    back="#ffffff", text="#1d2126", soft="#5b6570", line="#dfe3e8",
    dot="#0072B2", second="#D55E00", other="#4d4d4d",
    providers={
        "openai": "#0072B2", "anthropic": "#D55E00", "google": "#009E73", "mistral": "#B87700",
        "openrouter": "#AA4A85", "ollama": "#3A94CB", "local": "#4d4d4d",
    },
)  # fmt: skip
DARK = Inks(
    back="#15171a", text="#e7e9ec", soft="#a3adb8", line="#33393f",
    dot="#56B4E9", second="#F0A03C", other="#c7ccd1",
    providers={
        "openai": "#56B4E9", "anthropic": "#FF8A4C", "google": "#2FC79A", "mistral": "#F0C24B",
        "openrouter": "#E09BC4", "ollama": "#A5D3F2", "local": "#c7ccd1",
    },
)  # fmt: skip


def shape(provider: str) -> str:
    """A provider's marker."""
    return SHAPES.get(provider, OTHER_SHAPE)
