"""Declares a dataclass field as the column of a table or as a request parameter.

Read by `views.columns` and by all that offers request parameters: arguments, magics, panels.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, TypeVar, get_args

T = TypeVar("T")
Source = Literal["", "you", "provider", "measured", "computed"]
# The groups of columns, in the order of a table: first what a reader looks for, ids at the end.
ColumnGroup = Literal[
    "", "question", "parameters", "result", "answer", "tokens", "money", "time", "request",
    "provenance", "ids",
]  # fmt: skip
GROUPS: tuple[ColumnGroup, ...] = get_args(ColumnGroup)
# Keys of a field's metadata.
COLUMN, COLUMNS, PARAMETER = "column", "columns", "parameter"
LARGEST = 2**63 - 1  # of an Int64 column
SIGNED = "signed"  # True for an integer that may be negative; all others are counts
WHEN = "datetime64[us, UTC]"


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a table, declared on a field or, as a decorator, on the getter of a property.

    Attributes:
        dtype: The dtype of the column in a DataFrame.
        group: The group that it stands in, one of `GROUPS`; "" in tables that have none.
        joined: The separator between the parts of a tuple.
        json: True for a value that the table shows as JSON; an empty one is missing.
        source: Where the value comes from: you, the provider, or llmkit, which measured or
            computed it; "" in tables that do not tell.
        missing: When the value is missing; "" for never.
    """

    dtype: str
    meaning: str
    group: ColumnGroup = ""
    joined: str | None = None
    json: bool = False
    source: Source = ""
    missing: str = ""

    def __call__(self, getter: T) -> T:
        setattr(getter, COLUMN, self)
        return getter


def column(
    dtype: str,
    meaning: str,
    *,
    default: T,
    group: ColumnGroup = "",
    joined: str | None = None,
    json: bool = False,
    source: Source = "",
    missing: str = "",
) -> T:
    """Returns a dataclass field with a default that is a column of a table.

    A field without a default is `field(metadata={COLUMN: Column(...)})`: type checkers read every
    other call as a default.
    """
    declared = Column(dtype, meaning, group, joined, json, source, missing)
    return field(default=default, metadata={COLUMN: declared})


@dataclass(frozen=True, slots=True)
class Parameter:
    """One request parameter, declared on the field of `Prompt` that holds it.

    The arguments of `ask` and `compare`, the magics' options, the Compare panel's fields, the
    frames' columns and the OpenTelemetry attributes are derived from it.

    Attributes:
        dtype: The dtype of its column: Float64, Int64 or string; "object" for several texts,
            which are a column only in a grid.
        low: The lowest value, None for no bound.
        high: The highest value, None for no bound.
        otel: Its attribute in OpenTelemetry's conventions, None if there is none.
        help: Its effect in one line.
    """

    dtype: str
    help: str
    low: float | None = None
    high: float | None = None
    otel: str | None = None

    @property
    def kind(self) -> type[float | int | str]:
        """The type of one value; calling it parses text."""
        return {"Float64": float, "Int64": int}.get(self.dtype, str)


def parameter(
    dtype: str,
    help: str,
    *,
    default: T,
    low: float | None = None,
    high: float | None = None,
    otel: str | None = None,
) -> T:
    """Returns a field of `Prompt` that is a request parameter; see `Parameter`."""
    return field(default=default, metadata={PARAMETER: Parameter(dtype, help, low, high, otel)})
