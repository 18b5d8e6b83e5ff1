"""The colours and markers of figures, light and dark, for all kinds of colour vision."""

from __future__ import annotations

from dataclasses import dataclass

# Eight shapes and seven colours: a print in grey tells eight models apart, colours 56.
SHAPES = "os^DvPX*"


@dataclass(frozen=True, slots=True)
class PlotColors:
    """What a figure is drawn with.

    Attributes:
        second: For models that stood in for another.
        models: For the models of a figure, in their order; from the first again after the last.
    """

    back: str
    text: str
    soft: str
    line: str
    dot: str
    second: str
    models: tuple[str, ...]

    def of(self, place: int) -> str:
        """Returns the colour of the model in that place."""
        return self.models[place % len(self.models)]


# Okabe and Ito's palette (2008), its yellow and sky blue darker on white.
LIGHT = PlotColors(
    back="#ffffff", text="#1d2126", soft="#5b6570", line="#dfe3e8",
    dot="#0072B2", second="#D55E00",
    models=("#0072B2", "#D55E00", "#009E73", "#B87700", "#AA4A85", "#3A94CB", "#4d4d4d"),
)  # fmt: skip
DARK = PlotColors(
    back="#15171a", text="#e7e9ec", soft="#a3adb8", line="#33393f",
    dot="#56B4E9", second="#F0A03C",
    models=("#56B4E9", "#FF8A4C", "#2FC79A", "#F0C24B", "#E09BC4", "#A5D3F2", "#c7ccd1"),
)  # fmt: skip


def shape(place: int) -> str:
    """Returns the marker of the model in that place."""
    return SHAPES[place % len(SHAPES)]
