"""Defines `Row`, one answer of a comparison as plain data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from ..fields import COLUMN, COLUMNS, Column, column
from ..types import LIFECYCLES, Completion, How, Lifecycle

HOWS = f"how the name was resolved: {', '.join(How)}"


@dataclass(frozen=True, slots=True)
class Row:
    """One answer of a comparison.

    Attributes:
        parameters: The grid point, by parameter name, in the order of the grid.
        shared_with: The row with the same request, which was sent once for both; else None.
        extra: Further columns of the user's DataFrame of prompts.
    """

    run_id: str = field(metadata={COLUMN: Column("string", "the run, the same in all its rows")})
    row: int = field(metadata={COLUMN: Column("Int64", "position in the order asked, from 0")})
    prompt_id: object = field(
        metadata={COLUMN: Column("object", "the index of your DataFrame, else the prompt's number")}
    )
    prompt: str = field(metadata={COLUMN: Column("string", "the last message of the prompt")})
    system: str | None = field(metadata={COLUMN: Column("string", "the system prompt")})
    repeat: int = field(metadata={COLUMN: Column("Int64", "number of the repeat, from 0")})
    parameters: Mapping[str, object]
    asked: str = field(metadata={COLUMN: Column("string", "the name as you wrote it")})
    provider: str | None = field(metadata={COLUMN: Column("string", "the provider that was asked")})
    request_model: str | None = field(metadata={COLUMN: Column("string", "the id that was sent")})
    how: How | None = field(metadata={COLUMN: Column("string", HOWS)})
    lifecycle: Lifecycle | None = field(metadata={COLUMN: Column("string", LIFECYCLES)})
    substituted: bool = field(
        metadata={COLUMN: Column("boolean", "a substitute for the named model was asked")}
    )
    completion: Completion = field(metadata={COLUMNS: Completion})
    error_type: str | None = column("string", "the class of the error", default=None)
    error: str | None = column("string", "the message of the error", default=None)
    shared_with: int | None = None
    cell: str | None = column("string", "the cell that asked", default=None)
    extra: Mapping[str, object] = field(default_factory=dict)
