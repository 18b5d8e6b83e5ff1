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
        parameters: What was asked for, by parameter name: the grid point in the order of the grid,
            then the prompt's own parameters.
        extra: Further columns of the user's DataFrame of prompts.
    """

    run_id: str = field(metadata={COLUMN: Column("string", "the run, the same in all its rows",
        source="computed")})  # fmt: skip
    row: int = field(metadata={COLUMN: Column("Int64", "position in the order asked, from 0",
        source="computed")})  # fmt: skip
    prompt_id: object = field(metadata={COLUMN: Column("object",
        "the index of your DataFrame, else the prompt's number", source="you")})  # fmt: skip
    prompt: str = field(metadata={COLUMN: Column("string", "the last message of the prompt",
        source="you")})  # fmt: skip
    system: str | None = field(metadata={COLUMN: Column("string", "the system prompt",
        source="you", missing="there is none")})  # fmt: skip
    repeat: int = field(metadata={COLUMN: Column("Int64", "number of the repeat, from 0",
        source="you")})  # fmt: skip
    parameters: Mapping[str, object]
    asked: str = field(metadata={COLUMN: Column("string", "the name as you wrote it",
        source="you")})  # fmt: skip
    provider: str | None = field(metadata={COLUMN: Column("string", "the provider that was asked",
        source="computed", missing="the name leads to none")})  # fmt: skip
    request_model: str | None = field(metadata={COLUMN: Column("string", "the id that was sent",
        source="computed", missing="the name leads to none")})  # fmt: skip
    how: How | None = field(metadata={COLUMN: Column("string", HOWS,
        source="computed", missing="the name leads to none")})  # fmt: skip
    lifecycle: Lifecycle | None = field(metadata={COLUMN: Column("string", LIFECYCLES,
        source="computed", missing="the name leads to none")})  # fmt: skip
    substituted: bool = field(metadata={COLUMN: Column("boolean",
        "a substitute for the named model was asked", source="computed")})  # fmt: skip
    completion: Completion = field(metadata={COLUMNS: Completion})
    error_type: str | None = column("string", "the class of the error", default=None,
        source="computed", missing="the call did not fail")  # fmt: skip
    error: str | None = column("string", "the message of the error", default=None,
        source="computed", missing="the call did not fail")  # fmt: skip
    shared_with: int | None = column("Int64", "the row whose request was sent once for both",
        default=None, after="substituted", source="computed", missing="the request was sent for it",
    )  # fmt: skip
    messages: tuple[Mapping[str, object], ...] = column("string",
        "the whole conversation, as JSON: role and content", default=(), after="system", json=True,
        source="you", missing="the file is of version 1")  # fmt: skip
    options: Mapping[str, object] = field(default_factory=dict, metadata={COLUMN: Column(
        "string", "provider options, as JSON; secrets are masked", after="repeat", json=True,
        source="you", missing="there are none")})  # fmt: skip
    sent: Mapping[str, object] | None = column("string",
        "parameters and options of the request that was sent, as JSON, with the defaults that"
        " llmkit fills in; secrets are masked", default=None, after="ignored_parameters", json=True,
        source="computed", missing="nothing was sent")  # fmt: skip
    base_url: str | None = column("string", "address of the provider, without credentials",
        default=None, after="provider", source="computed", missing="no request could be planned",
    )  # fmt: skip
    cell: str | None = column("string", "the cell that asked", default=None,
        source="computed", missing="no notebook runs")  # fmt: skip
    extra: Mapping[str, object] = field(default_factory=dict)
