"""Writes docs/reference/columns.md from the declarations of the columns: `make columns`."""

from __future__ import annotations

from collections.abc import Mapping

from llmkit.authentication.status import AuthStatus
from llmkit.catalogue import listing
from llmkit.catalogue.entry import Model
from llmkit.fields import Column
from llmkit.runtime.session import SessionRow
from llmkit.views.columns import columns_of
from llmkit.views.frames import AFTER_GRID, BEFORE_GRID

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
        " says how an answer ends. A further parameter of the grid gets a column after `seed`;"
        " the columns of your own DataFrame of prompts come last.",
        {**BEFORE_GRID, **AFTER_GRID},
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
        " Limits, modalities, capabilities, prices and `facts` are those of `live`;"
        " `source` and `read` belong to the lifecycle.",
        listing.COLUMNS,
    ),
    (
        "A provider's own list",
        "`refresh(provider).frame()` has one row for each model that the provider lists.",
        columns_of(Model),
    ),
)


def page() -> str:
    """Returns the text of the page."""
    parts = [HEAD]
    for title, introduction, columns in SECTIONS:
        rows = [f"| `{name}` | {c.dtype} | {c.meaning} |" for name, c in columns.items()]
        table = "\n".join(["| column | dtype | meaning |", "|---|---|---|", *rows])
        parts.append(f"## {title}\n\n{introduction}\n\n{table}\n")
    return "\n".join(parts)


if __name__ == "__main__":
    PAGE.write_text(page(), "utf-8")
    print(f"written: {PAGE}")
