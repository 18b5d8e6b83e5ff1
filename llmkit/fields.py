"""What a field of a value declares of itself: its column of a table, its request parameter.

Read by `views.columns` and by whatever offers the request parameters: arguments, magics, panels.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeVar

T = TypeVar("T")
# In a field's metadata: its column, a class's columns, its request parameter.
COLUMN, COLUMNS, PARAMETER = "column", "columns", "parameter"
WHEN = "datetime64[us, UTC]"


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a table, declared on a field or, as a decorator, on the getter of a property.

    Attributes:
        dtype: Of the column in a DataFrame.
        after: The column that it follows; None for the place of its field.
        joined: What stands between the parts of a tuple.
    """

    dtype: str
    meaning: str
    after: str | None = None
    joined: str | None = None

    def __call__(self, getter: T) -> T:
        setattr(getter, COLUMN, self)
        return getter


def column(
    dtype: str, meaning: str, *, default: T, after: str | None = None, joined: str | None = None
) -> T:
    """Returns a dataclass field with a default that is a column of a table.

    A field without a default is `field(metadata={COLUMN: Column(...)})`: a type checker takes
    every other call for a default.
    """
    return field(default=default, metadata={COLUMN: Column(dtype, meaning, after, joined)})


@dataclass(frozen=True, slots=True)
class Parameter:
    """One request parameter, declared on the field of `Prompt` that holds it.

    From it follow the arguments of `ask` and `compare`, the options of the magics, the fields of
    the Compare panel, the columns of the frames and the attributes of OpenTelemetry.

    Attributes:
        dtype: Of its column: Float64, Int64 or string; "object" for several texts, which are a
            column only in a grid.
        low: The least value, None for no bound.
        high: The greatest value, None for no bound.
        otel: Its attribute in OpenTelemetry's conventions, None if they have none.
        help: What it does, in one line.
    """

    dtype: str
    help: str
    low: float | None = None
    high: float | None = None
    otel: str | None = None

    @property
    def kind(self) -> type[float | int | str]:
        """The type of one value, which also reads it from a text."""
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
    row = Parameter(dtype, help, low, high, otel)
    return field(default=default, metadata={PARAMETER: row})
