"""Writes docs/reference/columns.md from the declarations of the columns: `make columns`."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import groupby

from llmkit.authentication.status import AuthStatus
from llmkit.catalogue import listing
from llmkit.catalogue.entry import Model
from llmkit.fields import Column, ColumnGroup
from llmkit.runtime.session import SessionRow
from llmkit.views.columns import columns_of
from llmkit.views.frames import AFTER_GRID, BEFORE_GRID, SUMMARY_COLUMNS

from .layout import ROOT

PAGE = ROOT / "docs/reference/columns.md"
HEAD = """\
<!-- Written by `make columns` from the declarations of the columns. Do not edit it by hand. -->

# Columns

Every table has these columns, in this order, with these dtypes, even when it is empty.
An unknown value is missing, never 0: `NaN` or `NaT` if the dtype has it, else `<NA>`.
"""
SECTIONS: tuple[tuple[str, str, Mapping[str, Column]], ...] = (
    (
        "A comparison",
        "`Comparison.frame()` has one row for each answer; [statuses](../concepts/statuses.md)"
        " says how an answer ends. The table is what a row promises: the meaning of each column,"
        " where its value comes from, and when it is missing; CSV, Excel and Parquet have the same"
        " ones. The first groups are what a reader looks for; ids are last."
        " A further parameter that you ask for gets a column after `seed`;"
        " the columns of your own DataFrame of prompts come last, as `prompt_NAME` if the name is"
        " taken.",
        {**BEFORE_GRID, **AFTER_GRID},
    ),
    (
        "The summary of a comparison",
        "`Comparison.summary()` has one row for each model, in the order of the first answers.",
        SUMMARY_COLUMNS,
    ),
    (
        "Sessions",
        "`sessions().frame()` has one row for each session, without `opened_at`;"
        " `leaks().frame()` has those that were never closed, with it.",
        columns_of(SessionRow),
    ),
    ("Keys", "`auth().frame()` has one row for each provider.", columns_of(AuthStatus)),
    (
        "Models",
        "`models().frame()` has one row for each standard name at each provider."
        " Limits, modalities, capabilities, prices and `facts` are those of `id`;"
        " `source` and `read` belong to the lifecycle.",
        listing.COLUMNS,
    ),
    (
        "A provider's own list",
        "`refresh(provider).frame()` has one row for each model that the provider lists.",
        columns_of(Model),
    ),
)

TITLES: Mapping[ColumnGroup, str] = {
    "question": "What was asked", "parameters": "Parameters", "result": "Result",
    "answer": "More about the answer", "tokens": "Tokens", "money": "Money", "time": "Time",
    "request": "What was sent", "provenance": "Who answered", "ids": "Ids",
}  # fmt: skip
# Who or what a value comes from, by `Column.source`.
SOURCES = {
    "you": "you", "provider": "the provider", "measured": "llmkit, measured",
    "computed": "llmkit, computed", "": "",
}  # fmt: skip


def page() -> str:
    """Returns the text of the page."""
    parts = [HEAD]
    for title, introduction, columns in SECTIONS:
        parts.append(f"## {title}\n\n{introduction}\n")
        for group, members in groupby(columns.items(), key=lambda item: item[1].group):
            if group:
                parts.append(f"### {TITLES[group]}\n")
            parts.append(f"{_table(dict(members))}\n")
    return "\n".join(parts)


def _table(columns: Mapping[str, Column]) -> str:
    heads, cells = ["column", "dtype", "meaning"], []
    says_source = any(column.source for column in columns.values())
    if says_source:
        heads += ["from", "missing if"]
    for name, column in columns.items():
        more = [SOURCES[column.source], column.missing or "never"] if says_source else []
        cells.append([f"`{name}`", column.dtype, column.meaning, *more])
    rule = f"|{'---|' * len(heads)}"
    return "\n".join([_line(heads), rule, *map(_line, cells)])


def _line(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    PAGE.write_text(page(), "utf-8")
    print(f"written: {PAGE}")
