"""What a field of a value declares of itself: its column of a table, its request parameter.

Read by `views.columns` and by whatever offers the request parameters: arguments, magics, panels.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeVar

T = TypeVar("T")
COLUMN, COLUMNS = "column", "columns"  # in a field's metadata: its column, or a class's columns
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
