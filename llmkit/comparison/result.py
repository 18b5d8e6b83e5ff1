"""What a comparison found: its rows, as a view, a table, a figure and a file."""

from __future__ import annotations

import json
import platform
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from .. import _version
from ..catalogue import loader as catalogue_data
from ..cell import InterruptGuard
from ..errors import ConfigError
from ..providers.builtin import provider_table
from ..types import Row
from ..views import records
from ..views.answers.card import card_of
from ..views.answers.diff import Differences
from ..views.answers.layout import comparison_html, comparison_text
from ..views.markup import page
from ..views.tables.report import View
from ..wire.messages import write_json

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

    from .plan import PlannedRow


class Comparison:
    """The answers of one run, one row each, in the order asked; failures included.

    Attributes:
        rows: The answers.
        about: What made them: versions, date of the catalogue, parameters, times. No key.
        notes: What a reader must know before comparing, such as calls that shared one machine.
    """

    def __init__(
        self, rows: Sequence[Row], about: Mapping[str, object], notes: Sequence[str] = ()
    ) -> None:
        self.rows = tuple(rows)
        self.about = dict(about)
        self.notes = tuple(notes)

    @InterruptGuard()
    def show(self, *, markdown: bool = False) -> View:
        """The side-by-side view; *markdown* renders the answers' Markdown, sanitised.

        Rendered are neither HTML nor images, and links lead to http and https alone.

        Raises:
            ConfigError: Rendering needs the extra `markdown`; gives the line that installs it.
        """
        if not markdown:
            return View(self._repr_html_(), str(self))
        from ..views.answers.markdown import markdown_html

        html = comparison_html(self.rows, notes=self.notes, written=markdown_html)
        return View(html, str(self))

    @InterruptGuard()
    def frame(self) -> pd.DataFrame:
        """One row per answer, with fixed columns and dtypes even when it is empty.

        `duration_s` and `time_to_first_chunk_s` are float64 seconds, NaN where nothing came;
        token counts are Int64, <NA> where the provider did not report them; `cost_usd` is NaN
        where no price is known.
        """
        from ..views.frames import comparison_frame

        return comparison_frame(self.rows)

    @InterruptGuard()
    def plot(
        self,
        kind: str = "models",
        *,
        measure: str = "duration_s",
        substituted: bool = False,
        dark: bool = False,
    ) -> Figure:
        """What each model took, as a figure fit to print; in a terminal, a table of its numbers.

        Args:
            kind: "models" has a dot at the median and a line from least to most for time to first
                chunk, duration, output tokens and cost; "cost" sets cost against duration; "grid"
                has one panel of *measure* for each point of the grid.
            measure: time_to_first_chunk_s, duration_s, output_tokens or cost_usd.
            substituted: True draws models that stood in for the one named, in a second colour;
                else their answers are left out, and the figure says so. Failed ones always are.

        Raises:
            ConfigError: There is no such kind or measure.
        """
        from ..views.plots.figure import comparison_figure

        styles = {name: (row.color, row.marker) for name, row in provider_table().items()}
        return comparison_figure(
            self.rows, kind, measure=measure, substituted=substituted, dark=dark, styles=styles
        )

    def differences(self, first: int, second: int) -> Differences:
        """Where the answers of two rows differ, word by word; shown by itself.

        Raises:
            ConfigError: There is no such row.
        """
        names, texts = zip(*map(self._told, (first, second)), strict=True)
        return Differences(names, *texts)

    def _told(self, row: int) -> tuple[str, str]:
        answer_row = next((r for r in self.rows if r.row == row), None)
        if answer_row is None:
            raise ConfigError(f"there is no row {row!r}; rows are 0 to {len(self.rows) - 1}")
        return card_of(answer_row).name, answer_row.completion.text

    @InterruptGuard()
    def to_csv(self, path: str | Path) -> Path:
        """Writes the table as CSV; cells that a spreadsheet would run as formulas are quoted."""
        from ..views.frames import csv_text

        return _written(path, csv_text(self.rows, self.about))

    @InterruptGuard()
    def to_parquet(self, path: str | Path) -> Path:
        """Writes the table as Parquet, with `about` as metadata; needs `llmkit[export]`."""
        from ..views.frames import write_parquet

        write_parquet(self.rows, self.about, Path(path))
        return Path(path)

    def to_json(self, path: str | Path) -> Path:
        """Writes everything as JSON, from which `llmkit.load` makes the same comparison again."""
        document = records.document(self.rows, about={**self.about, "notes": list(self.notes)})
        return _written(path, msgspec.json.format(write_json(document), indent=1).decode())

    def to_html(self, path: str | Path) -> Path:
        """Writes one self-contained page that asks no other server for anything."""
        return _written(path, page(self._repr_html_(), title="llmkit comparison"))

    def __len__(self) -> int:
        return len(self.rows)

    def __iter__(self) -> Iterator[Row]:
        return iter(self.rows)

    def __repr__(self) -> str:
        return f"<Comparison {self.about.get('run_id', '')} rows={len(self.rows)}>"

    def __str__(self) -> str:
        return comparison_text(self.rows, notes=self.notes)

    @InterruptGuard()
    def _repr_html_(self) -> str:
        return comparison_html(self.rows, notes=self.notes)

    def _repr_pretty_(self, printer: object, cycle: bool) -> None:
        printer.text(str(self))  # type: ignore[attr-defined]  # IPython's printer is untyped


def load(path: str | Path) -> Comparison:
    """The comparison that `Comparison.to_json` wrote.

    Raises:
        ConfigError: There is no such file, or it holds something else.
    """
    try:
        document = json.loads(Path(path).read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ConfigError(f"there is no file {path}; to_json() writes one") from None
    except (OSError, ValueError) as error:
        raise ConfigError(f"{path} is not a comparison that to_json() wrote: {error}") from error
    about = dict(records.about_from(document))
    notes = about.pop("notes", None)
    note_texts = [str(note) for note in notes] if isinstance(notes, list) else []
    return Comparison(records.rows_from(document), about, note_texts)


def _written(path: str | Path, text: str) -> Path:
    target = Path(path).expanduser()
    target.write_text(text, encoding="utf-8", newline="\n")
    return target


def comparison_of(
    run_id: str, rows: Mapping[int, Row], start: datetime, plan: Sequence[PlannedRow]
) -> Comparison:
    """The rows of a run, with what made it and what must be known to read it."""
    parameters: dict[str, list[object]] = {}
    for row in plan:
        for name, value in row.request.parameters.items():
            values = parameters.setdefault(name, [])
            if value not in values:
                values.append(value)
    about = {
        "run_id": run_id,
        "llmkit": _version.__version__,
        "python": platform.python_version(),
        "catalogue": catalogue_data.as_of(),
        "started_at": start.isoformat(timespec="seconds"),
        "models": sorted({row.request.asked for row in plan}),
        "parameters": parameters,
    }
    return Comparison([rows[i] for i in sorted(rows)], about, notes(plan))


def notes(plan: Sequence[PlannedRow]) -> tuple[str, ...]:
    """What a reader must know before comparing the answers of *plan*."""
    local_rows = [row for row in plan if row.call and row.call.provider.name == "local"]
    scripted_rows = [row for row in plan if row.call and row.call.provider.name == "scripted"]
    texts = []
    if len(local_rows) > 1:
        texts.append(
            "The answers of the local model were made on one machine, one after another: "
            "their times include waiting for each other."
        )
    if scripted_rows:
        texts.append("Answers marked [scripted] come from a script, not from a model.")
    return tuple(texts)
