"""Defines the colours and markers of figures, safe for colour vision deficiencies."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import cycle

# Eight shapes and seven colours distinguish 8 models in greyscale and 56 in colour.
SHAPES = "os^DvPX*"
COLORS = 7
Style = tuple[int, str]  # index of a colour in `PlotColors.models`, and a marker


@dataclass(frozen=True, slots=True)
class PlotColors:
    """The colours of a figure.

    Attributes:
        second: The colour of substitute models.
        models: The colours of models; the facts of a provider hold its index.
    """

    back: str
    text: str
    soft: str
    line: str
    dot: str
    second: str
    models: tuple[str, ...]


# The palette of Okabe and Ito (2008), with darker yellow and sky blue on white.
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


def styles_of(providers: Sequence[str], own: Mapping[str, Style]) -> list[Style]:
    """Returns the style of each model of a figure, given its provider.

    The first model of a provider gets the provider's style from *own*, the same in every figure.
    Each further one gets the next free pair of colour and marker, until all 56 are used.
    """
    taken = {own[name] for name in set(providers) & own.keys()}
    markers = {marker for _, marker in taken}
    pairs = [(i % COLORS, SHAPES[i % len(SHAPES)]) for i in range(COLORS * len(SHAPES))]
    pairs.sort(key=lambda pair: pair[1] in markers)  # unused markers first, for greyscale
    spare = cycle([pair for pair in pairs if pair not in taken])
    return [
        own[name] if name in own and name not in providers[:place] else next(spare)
        for place, name in enumerate(providers)
    ]
