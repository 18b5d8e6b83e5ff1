"""Defines measured figures with their goals, and measures CPU time."""

from __future__ import annotations

import compileall
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

PACKAGE = Path(__file__).parents[1] / "llmkit"


@dataclass(frozen=True, slots=True)
class Figure:
    """One line of the table.

    Attributes:
        goal: The maximum of *measured*, None if it is only reported.
        unit: The suffix of the number: "x" for a ratio, " s", " µs", " MB", "" for a count.
    """

    what: str
    goal: float | None
    measured: float
    unit: str = "x"

    @property
    def missed(self) -> bool:
        """True if there is a goal and it was missed."""
        return self.goal is not None and not self.measured <= self.goal

    def line(self) -> str:
        """Returns the figure as a line of the Markdown table."""
        goal = "" if self.goal is None else f"<= {_plain(self.goal)}{self.unit}"
        verdict = "" if self.goal is None else "missed" if self.missed else "met"
        return f"| {self.what} | {goal} | {_plain(self.measured)}{self.unit} | {verdict} |"


def table(figures: Sequence[Figure]) -> str:
    """Returns *figures* as a Markdown table."""
    head = ["| what | goal | measured | verdict |", "|---|---|---|---|"]
    return "\n".join([*head, *(figure.line() for figure in figures)])


def child(code: str, *, options: Sequence[str] = ()) -> list[float]:
    """Runs *code* in a separate interpreter without user settings; returns the printed numbers."""
    compiled()
    with tempfile.TemporaryDirectory() as home:
        done = subprocess.run(
            [sys.executable, *options, "-c", code], capture_output=True, text=True, check=True,
            env={**os.environ, "IPYTHONDIR": home, "LLMKIT_CONFIG": os.devnull},
        )  # fmt: skip
    return [float(part) for part in done.stdout.split()]


@cache
def compiled() -> None:
    """Compiles llmkit's modules, as an installer does with all packages."""
    compileall.compile_dir(PACKAGE, quiet=2)


def median_ratio(rounds: Sequence[tuple[float, float]]) -> float:
    """Returns the median of the ratios of llmkit to the other, each within one round."""
    return statistics.median(ours / theirs for ours, theirs in rounds)


def _plain(number: float) -> str:
    return f"{number:,.0f}" if abs(number) >= 100 else f"{number:.3g}"
