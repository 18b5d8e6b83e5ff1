"""Defines `Row`, one answer of a comparison as plain data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from ..fields import COLUMN, COLUMNS, Column, column
from ..secret import escape_controls, redact
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
        group="ids", source="computed")})  # fmt: skip
    row: int = field(metadata={COLUMN: Column("Int64", "position in the order asked, from 0",
        group="ids", source="computed")})  # fmt: skip
    prompt_id: object = field(metadata={COLUMN: Column("object",
        "the index of your DataFrame, with its dtype if it has numbers or dates, else the prompt's"
        " number, an int64", group="ids", source="you")})  # fmt: skip
    prompt: str = field(metadata={COLUMN: Column("string", "the last message of the prompt",
        group="question", source="you")})  # fmt: skip
    system: str | None = field(metadata={COLUMN: Column("string", "the system prompt",
        group="request", source="you", missing="there is none")})  # fmt: skip
    repeat: int = field(metadata={COLUMN: Column("Int64", "number of the repeat, from 0",
        group="parameters", source="you")})  # fmt: skip
    parameters: Mapping[str, object]
    asked: str = field(metadata={COLUMN: Column("string", "the name as you wrote it",
        group="question", source="you")})  # fmt: skip
    provider: str | None = field(metadata={COLUMN: Column("string", "the provider that was asked",
        group="provenance", source="computed", missing="the name leads to none")})  # fmt: skip
    request_model: str | None = field(metadata={COLUMN: Column("string", "the id that was sent",
        group="provenance", source="computed", missing="the name leads to none")})  # fmt: skip
    how: How | None = field(metadata={COLUMN: Column("string", HOWS,
        group="provenance", source="computed", missing="the name leads to none")})  # fmt: skip
    lifecycle: Lifecycle | None = field(metadata={COLUMN: Column("string", LIFECYCLES,
        group="provenance", source="computed", missing="the name leads to none")})  # fmt: skip
    substituted: bool = field(metadata={COLUMN: Column("boolean",
        "a substitute for the named model was asked", group="provenance",
        source="computed")})  # fmt: skip
    completion: Completion = field(metadata={COLUMNS: Completion})
    error_type: str | None = column("string", "the class of the error", default=None,
        group="answer", source="computed", missing="the call did not fail")  # fmt: skip
    error: str | None = column("string", "the message of the error", default=None,
        group="result", source="computed", missing="the call did not fail")  # fmt: skip
    shared_with: int | None = column("Int64", "the row whose request was sent once for both",
        default=None, group="ids", source="computed", missing="the request was sent for it",
    )  # fmt: skip
    messages: tuple[Mapping[str, object], ...] = column("string",
        "the whole conversation, as JSON: role and content", default=(), json=True,
        group="request", source="you", missing="the file is of version 1")  # fmt: skip
    options: Mapping[str, object] = field(default_factory=dict, metadata={COLUMN: Column(
        "string", "provider options, as JSON; secrets are masked", json=True,
        group="request", source="you", missing="there are none")})  # fmt: skip
    sent: Mapping[str, object] | None = column("string",
        "parameters and options of the request that was sent, as JSON, with the defaults that"
        " llmkit fills in; secrets are masked", default=None, json=True,
        group="request", source="computed", missing="nothing was sent")  # fmt: skip
    base_url: str | None = column("string", "address of the provider, without credentials",
        default=None, group="provenance", source="computed", missing="no request could be planned",
    )  # fmt: skip
    cell: str | None = column("string", "the cell that asked", default=None,
        group="ids", source="computed", missing="no notebook runs")  # fmt: skip
    extra: Mapping[str, object] = field(default_factory=dict)

    def __repr__(self) -> str:
        """Returns what was asked and the answer, as a plain Python prompt shows it."""
        values = (f"{name}={value!r}" for name, value in self.parameters.items())
        repeat = (f"repeat={self.repeat}",) if self.repeat else ()
        head = f"row {self.row}: {', '.join((self.asked, *values, *repeat))}\n> {self.prompt}"
        error = f"{self.error_type}: {self.error}\n" if self.error else ""
        return escape_controls(redact("\n\n".join((head, error)))) + repr(self.completion)

    def _repr_pretty_(self, printer: object, cycle: bool) -> None:
        printer.text(repr(self))  # type: ignore[attr-defined]  # IPython's printer is untyped


def varied_parameters(rows: Sequence[Row]) -> list[str]:
    """Returns the names of the parameters that are not the same in all *rows*."""
    values: dict[str, set[str]] = {}
    counts: dict[str, int] = {}
    for row in rows:
        for name, value in row.parameters.items():
            values.setdefault(name, set()).add(repr(value))
            counts[name] = counts.get(name, 0) + 1
    return [name for name in values if len(values[name]) > 1 or counts[name] < len(rows)]
