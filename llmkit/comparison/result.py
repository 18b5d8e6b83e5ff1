"""Defines `Comparison`: the rows of a run as a view, a DataFrame, a figure and a file."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, SupportsIndex, overload

import msgspec

from .. import _version
from ..catalogue import loader, prices
from ..catalogue.rerouting import is_rerouted
from ..cell import InterruptGuard
from ..configuration.files import BESIDE, replace_file
from ..errors import AnswerNotFoundError, ConfigError
from ..providers.builtin import provider_table, shipped
from ..types import Lifecycle
from ..views import records
from ..views.answers.about import about_html
from ..views.answers.diff import Differences
from ..views.answers.layout import comparison_html
from ..views.answers.matrix import matrix_of
from ..views.answers.place import place_of
from ..views.answers.terminal import comparison_text
from ..views.markup import folded, page
from ..views.rows import Row
from ..views.tables.report import View
from ..wire.messages import write_json
from ..wire.typed_values import parse_file
from .asked import masked
from .input_notes import input_notes
from .plan import open_ended_notes

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

    from .plan import PlannedRow

HERE = "the Comparison"  # how its view names it
# Suffixes by which pandas decompresses a file (its page on read_csv, 3.1, read 2026-11-30).
COMPRESSED = {".bz2", ".gz", ".tar", ".tgz", ".xz", ".zip", ".zst"}
OTHER_FORMATS = (".json", ".html", ".parquet")
OTHER_WORKBOOKS = {".ods", ".xls", ".xlsb", ".xlsm"}  # Excel refuses a file of another format
TABLES = {
    ".csv": f"pandas.read_csv and the options in its {BESIDE} file",
    ".parquet": "pandas.read_parquet", ".xlsx": "pandas.read_excel",
}  # fmt: skip


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
    def show(self, *, markdown: bool = True) -> View:
        """Returns the view of all answers; *markdown* False shows their text as written.

        Rendered Markdown is sanitised: no HTML, no images, links to http and https only.
        """
        return View(
            comparison_html(self.rows, notes=self.notes, markdown=markdown, where=HERE), str(self)
        )

    @InterruptGuard()
    def frame(self) -> pd.DataFrame:
        """Returns one row per answer; columns and dtypes are the same even if it is empty.

        `duration_s` and `time_to_first_chunk_s` are float64 seconds, NaN if no text arrived. Token
        counts are Int64, <NA> if the provider did not report them. `cost_usd` is NaN if the price
        is unknown. `prompt_id` has the dtype of the prompts' index if that has numbers or dates.
        """
        from ..views.frames import comparison_frame

        return comparison_frame(self.rows)

    @InterruptGuard()
    def summary(self) -> pd.DataFrame:
        """Returns one row per model as asked; columns and dtypes are the same even if it is empty.

        It has the number of answers by their end, the median times of the ok answers in seconds,
        output tokens, and cost. `cost_usd` is NaN if the cost of one answer is unknown; then
        `known_cost_usd` is the sum of the `cost_known` other ones.
        """
        from ..views.frames import summary_frame

        return summary_frame(self.rows)

    @InterruptGuard()
    def texts(self) -> pd.DataFrame:
        """Returns the texts of the answers, with a column for each model.

        The index has the prompt, each parameter that varies, and `repeat` if there are repeats. A
        text is <NA> if the model has no such answer, or if the call failed before any text came.
        """
        from ..views.frames import texts_frame

        return texts_frame(self.rows)

    @InterruptGuard()
    def plot(
        self,
        kind: str = "auto",
        *,
        measure: str = "duration_s",
        substituted: bool = False,
        dark: bool = False,
    ) -> Figure:
        """Returns a figure of time, tokens and cost; a terminal prints it as a table.

        It has a light ground, and is inverted in the dark theme of a notebook. A measure that is 0
        or unknown in all answers is left out, and the note below the figure says so.

        Args:
            kind: "models", "points" and "prompts" plot the median and the range of time to first
                chunk, duration, output tokens and cost: a line is a model, a point of the grid of
                a model, or a prompt of a model. "auto" plots the models, or of one model what
                varies. "cost" plots cost against duration. "grid" plots *measure* in one panel for
                each point of the grid.
            measure: time_to_first_chunk_s, duration_s, output_tokens or cost_usd.
            substituted: True includes substituted and rerouted answers, under the model that
                answered and in a second colour. The figure notes how many answers were left out
                and why. An answer that is not ok is never plotted, and a shared one only once.
            dark: True for a dark ground everywhere, also in a file.

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

        Answers of one model are named by their grid points and repeats too, or by their prompts.

        Raises:
            ConfigError: A row does not exist.
        """
        rows = {row.row: n for n, row in enumerate(self.rows)}
        for number in (first, second):
            if number not in rows:
                raise ConfigError(f"row {number!r} does not exist; rows are 0 to {len(rows) - 1}")
        matrix = matrix_of([place_of(row) for row in self.rows])
        a, b = rows[first], rows[second]
        return Differences(
            matrix.names_of(a, b), self.rows[a].completion.text, self.rows[b].completion.text
        )

    @InterruptGuard()
    def to_csv(self, path: str | Path, *, safe: bool = False) -> Path:
        """Writes the frame as CSV with every value as it is, and its description to *path*.json.

        The description holds what made the file, and the options with which pandas reads the frame
        back: `pandas.read_csv(path, **description["read_csv"])`.

        Args:
            safe: True for a file that a spreadsheet opens: a text that it would run as a formula
                begins with an apostrophe, and characters that act or hide are shown as codes.

        Raises:
            ConfigError: *path* names another format, or *path*.json is a file of another kind.
        """
        from ..views.exports.csv_file import HEAD, csv_files

        if Path(path).suffix.lower() in (*OTHER_FORMATS, *OTHER_WORKBOOKS, ".xlsx"):
            raise ConfigError(f"to_csv writes .csv only; name a file run.csv, got {path}")
        if Path(path).suffix.lower() in COMPRESSED:
            raise ConfigError(f"to_csv does not compress; name a file such as run.csv, got {path}")
        beside = Path(os.path.expanduser(f"{path}{BESIDE}"))
        if beside.is_file() and not beside.read_bytes().startswith(HEAD):
            raise ConfigError(
                f"{beside} would be replaced, and to_csv did not write it; move it, or choose "
                "another path"
            )
        table, description = csv_files(self.rows, self._described(), safe=safe)
        return replace_file(path, table, description=description)

    @InterruptGuard()
    def to_excel(self, path: str | Path) -> Path:
        """Writes the frame as an Excel workbook, with `about` in a sheet; needs `llmkit[excel]`.

        Texts are never formulas, and times are in UTC, without a zone. Excel has no characters that
        XML lacks: they are shown as codes. Line ends become line feeds. Integers of more than 15
        digits are texts. A text of more than 32,767 characters is cut, and the sheet `about` says
        where. Missing and empty cells are alike.

        Raises:
            ConfigError: The extra is not installed, *path* names another format, or there are more
                rows or columns than a sheet has.
        """
        from ..views.exports.excel_file import excel_bytes

        if Path(path).suffix.lower() in (*OTHER_FORMATS, *OTHER_WORKBOOKS, ".csv"):
            raise ConfigError(f"to_excel writes .xlsx only; name a file run.xlsx, got {path}")
        try:
            content = excel_bytes(self.rows, self._described())
        except OSError as error:  # openpyxl writes into the folder of temporary files first
            error.filename = str(path)
            error.add_note("the file was not changed; free space in the folder of temporary files")
            raise
        return replace_file(path, content)

    @InterruptGuard()
    def to_parquet(self, path: str | Path) -> Path:
        """Writes the frame as Parquet, with `about` as metadata; needs `llmkit[export]`.

        Numbers, booleans and dates stay what they are; a column of mixed values becomes texts.
        """
        from ..views.exports.parquet_file import parquet_bytes

        return replace_file(path, parquet_bytes(self.rows, self.about))

    @InterruptGuard()
    def to_json(self, path: str | Path) -> Path:
        """Writes the whole comparison as JSON, which `llmkit.load` reads."""
        document = records.document(self.rows, about=self._described())
        return replace_file(path, msgspec.json.format(write_json(document), indent=1))

    @InterruptGuard()
    def to_html(self, path: str | Path) -> Path:
        """Writes a self-contained HTML page that loads nothing from the network.

        Its head has the date, the versions, the models and the parameters.
        """
        document = records.document(self.rows, about=self.about)
        requests = [{name: row[name] for name in records.ASKED} for row in document["rows"]]
        asked = write_json({"about": document["about"], "rows": requests})
        answers = comparison_html(self.rows, notes=self.notes, is_whole=True)
        body = about_html(self.about) + answers
        body += folded("what was asked", msgspec.json.format(asked).decode())
        return replace_file(path, page(body, title="llmkit comparison").encode())

    def _described(self) -> dict[str, object]:
        return {**self.about, "notes": list(self.notes)}

    def __len__(self) -> int:
        return len(self.rows)

    def __iter__(self) -> Iterator[Row]:
        return iter(self.rows)

    @overload
    def __getitem__(self, place: SupportsIndex) -> Row: ...

    @overload
    def __getitem__(self, place: slice) -> tuple[Row, ...]: ...

    def __getitem__(self, place: SupportsIndex | slice) -> Row | tuple[Row, ...]:
        """Returns the answer at *place*, counted from 0, or a tuple of answers for a slice.

        Raises:
            ConfigError: *place* is not an integer or a slice.
            AnswerNotFoundError: No answer has that place.
        """
        if not isinstance(place, slice | SupportsIndex):
            raise ConfigError(
                f"run[{place!r}] is not an answer: use run[0] for the first one, or "
                f"run.frame()[{place!r}] for a column"
            )
        try:
            return self.rows[place]
        except IndexError:
            raise AnswerNotFoundError(
                f"run[{place}] does not exist: the run has {len(self.rows)} answers, counted from 0"
            ) from None

    @InterruptGuard()
    def __repr__(self) -> str:
        return str(self)

    @InterruptGuard()
    def __str__(self) -> str:
        return comparison_text(self.rows, notes=self.notes)

    @InterruptGuard()
    def _repr_html_(self) -> str:
        return comparison_html(self.rows, notes=self.notes, where=HERE)

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
        way = TABLES.get(Path(path).suffix.lower())
        reason = f"read this table with {way}" if way else error
        raise ConfigError(f"{path} is not a comparison written by to_json(): {reason}") from None
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
    parameters: dict[str, dict[str, object]] = {}
    for row in plan:
        for name, value in {**row.request.parameters, **row.request.prompt.parameters}.items():
            parameters.setdefault(name, {})[repr(value)] = value
    call = next((row.call for row in plan if row.call is not None), None)  # alike in all calls
    about = {
        "run_id": run_id,
        "llmkit": _version.__version__,
        "python": platform.python_version(),
        "catalogue": loader.as_of(),
        "prices": prices.version(),
        "started_at": start.isoformat(timespec="seconds"),
        "models": sorted({row.request.asked for row in plan}),
        "parameters": masked({name: list(values.values()) for name, values in parameters.items()}),
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
            "The local model gets one request at a time, or as many as limit_per_provider allows, "
            "of which it answers two side by side. Waiting for a turn is in waited_s."
        )
    if "scripted" in providers:
        texts.append("Answers marked [scripted] come from a script, not from a model.")
    texts += input_notes([row.request for row in plan])
    return (*texts, *open_ended_notes((row.call, row.highest_usd) for row in plan))
