"""Defines `Comparison`: the rows of a run as a view, a DataFrame, a figure and a file."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from .. import _version
from ..catalogue import loader, prices
from ..catalogue.rerouting import is_rerouted
from ..cell import InterruptGuard
from ..configuration.files import replace_file
from ..errors import ConfigError
from ..providers.builtin import provider_table, shipped
from ..types import Lifecycle
from ..views import records
from ..views.answers.card import card_of
from ..views.answers.diff import Differences
from ..views.answers.layout import comparison_html, comparison_text
from ..views.markup import folded, page
from ..views.rows import Row
from ..views.tables.report import View
from ..wire.messages import write_json
from ..wire.typed_values import parse_file
from .asked import masked
from .plan import open_ended_notes

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

    from .plan import PlannedRow


class Comparison:
    """The answers of one run, including failures: one row each, in the order of the request.

    Attributes:
        rows: The answers.
        about: Versions, date of the catalogue, parameters, retries, timeouts and start time.
            Contains no API key.
        notes: Caveats for the reader, such as local calls that waited for each other.
    """

    def __init__(
        self, rows: Sequence[Row], about: Mapping[str, object], notes: Sequence[str] = ()
    ) -> None:
        self.rows = tuple(rows)
        self.about = dict(about)
        self.notes = tuple(notes)

    @InterruptGuard()
    def show(self, *, markdown: bool = False) -> View:
        """Returns the side-by-side view; *markdown* renders the Markdown of the answers.

        Rendered Markdown is sanitised: no HTML, no images, links to http and https only.

        Raises:
            ConfigError: The extra `markdown` is not installed; the message says how to install it.
        """
        if not markdown:
            return View(self._repr_html_(), str(self))
        from ..views.answers.markdown import markdown_html

        html = comparison_html(self.rows, notes=self.notes, written=markdown_html)
        return View(html, str(self))

    @InterruptGuard()
    def frame(self) -> pd.DataFrame:
        """Returns one row per answer; columns and dtypes are the same even if it is empty.

        `duration_s` and `time_to_first_chunk_s` are float64 seconds, NaN if no text arrived. Token
        counts are Int64, <NA> if the provider did not report them. `cost_usd` is NaN if the price
        is unknown.
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
        """Returns a figure of time, tokens and cost per model; a terminal prints it as a table.

        Args:
            kind: "models" plots the median and the range of time to first chunk, duration, output
                tokens and cost. "cost" plots cost against duration. "grid" plots *measure* in one
                panel for each point of the grid.
            measure: time_to_first_chunk_s, duration_s, output_tokens or cost_usd.
            substituted: True includes substituted and rerouted answers, under the model that
                answered and in a second colour. The figure notes how many answers were left out
                and why. An answer that is not ok is never plotted, and a shared one only once.

        Raises:
            ConfigError: *kind* or *measure* is unknown.
        """
        from ..views.plots.figure import comparison_figure

        styles = {name: (row.color, row.marker) for name, row in provider_table().items()}
        return comparison_figure(
            self.rows, kind, measure=measure, substituted=substituted, dark=dark, styles=styles
        )

    @InterruptGuard()
    def differences(self, first: int, second: int) -> Differences:
        """Returns a word-by-word diff of the answers of two rows, which displays itself.

        Raises:
            ConfigError: A row does not exist.
        """
        rows = {row.row: row for row in self.rows}
        for number in (first, second):
            if number not in rows:
                raise ConfigError(f"row {number!r} does not exist; rows are 0 to {len(rows) - 1}")
        a, b = rows[first], rows[second]
        return Differences((card_of(a).name, card_of(b).name), a.completion.text, b.completion.text)

    @InterruptGuard()
    def to_csv(self, path: str | Path) -> Path:
        """Writes the frame as CSV; cells that a spreadsheet would run as formulas are quoted."""
        from ..views.frames import csv_text

        return replace_file(path, csv_text(self.rows, self.about).encode())

    @InterruptGuard()
    def to_parquet(self, path: str | Path) -> Path:
        """Writes the frame as Parquet, with `about` as metadata; needs `llmkit[export]`."""
        from ..views.frames import parquet_bytes

        return replace_file(path, parquet_bytes(self.rows, self.about))

    @InterruptGuard()
    def to_json(self, path: str | Path) -> Path:
        """Writes the whole comparison as JSON, which `llmkit.load` reads."""
        document = records.document(self.rows, about={**self.about, "notes": list(self.notes)})
        return replace_file(path, msgspec.json.format(write_json(document), indent=1))

    @InterruptGuard()
    def to_html(self, path: str | Path) -> Path:
        """Writes a self-contained HTML page that loads nothing from the network."""
        document = records.document(self.rows, about=self.about)
        requests = [{name: row[name] for name in records.ASKED} for row in document["rows"]]
        asked = write_json({"about": document["about"], "rows": requests})
        body = self._repr_html_() + folded("what was asked", msgspec.json.format(asked).decode())
        return replace_file(path, page(body, title="llmkit comparison").encode())

    def __len__(self) -> int:
        return len(self.rows)

    def __iter__(self) -> Iterator[Row]:
        return iter(self.rows)

    def __repr__(self) -> str:
        return f"<Comparison {self.about.get('run_id', '')} rows={len(self.rows)}>"

    @InterruptGuard()
    def __str__(self) -> str:
        return comparison_text(self.rows, notes=self.notes)

    @InterruptGuard()
    def _repr_html_(self) -> str:
        return comparison_html(self.rows, notes=self.notes)

    @InterruptGuard()
    def _repr_pretty_(self, printer: object, cycle: bool) -> None:
        printer.text(str(self))  # type: ignore[attr-defined]  # IPython's printer is untyped


@InterruptGuard()
def load(path: str | Path) -> Comparison:
    """Reads a comparison from a file that `Comparison.to_json` wrote.

    Raises:
        ConfigError: The file does not exist, or is not a comparison.
    """
    try:
        data = parse_file(Path(os.path.expanduser(path)).read_bytes())
    except FileNotFoundError:
        raise ConfigError(f"{path} does not exist; write it with to_json()") from None
    except (OSError, ValueError) as error:
        raise ConfigError(f"{path} is not a comparison written by to_json(): {error}") from None
    try:
        rows, about = records.rows_from(data), records.about_from(data)
    except ConfigError as error:
        raise ConfigError(f"{path}: {error}") from None
    if data["version"] == 1:
        rows = tuple(map(_judged, rows))
    return Comparison(rows, about, about.pop("notes"))


def _judged(row: Row) -> Row:
    """Returns *row* of a file that does not tell if it was rerouted, with the answer to that."""
    answer = row.completion
    if not answer.response_model:
        return row
    names = answer.request_model, answer.response_model
    is_other = row.lifecycle is Lifecycle.REROUTED or (
        names[0] != names[1] and is_rerouted(shipped(), answer.provider, *names)
    )
    return replace(row, completion=replace(answer, rerouted=is_other))


def comparison_of(
    run_id: str, rows: Mapping[int, Row], start: datetime, plan: Sequence[PlannedRow]
) -> Comparison:
    """Returns the comparison of *rows*, with its `about` and notes."""
    parameters: dict[str, list[object]] = {}
    for row in plan:
        for name, value in {**row.request.parameters, **row.request.prompt.parameters}.items():
            values = parameters.setdefault(name, [])
            if value not in values:
                values.append(value)
    call = next((row.call for row in plan if row.call is not None), None)  # alike in all calls
    about = {
        "run_id": run_id,
        "llmkit": _version.__version__,
        "python": platform.python_version(),
        "catalogue": loader.as_of(),
        "prices": prices.version(),
        "started_at": start.isoformat(timespec="seconds"),
        "models": sorted({row.request.asked for row in plan}),
        "parameters": masked(parameters),
        "retries": None if call is None else call.policy.attempts - 1,
        "timeouts": None if call is None else asdict(call.timeouts),
    }
    return Comparison([rows[i] for i in sorted(rows)], about, notes(plan))


def notes(plan: Sequence[PlannedRow]) -> tuple[str, ...]:
    """Returns the caveats for a reader of the answers of *plan*."""
    providers = [row.call.provider.name for row in plan if row.call]
    texts = []
    if providers.count("local") > 1:
        texts.append(
            "The local model answers one request after another on one machine; "
            "waiting for each other is in waited_s, not in the durations."
        )
    if "scripted" in providers:
        texts.append("Answers marked [scripted] come from a script, not from a model.")
    return (*texts, *open_ended_notes((row.call, row.highest_usd) for row in plan))
