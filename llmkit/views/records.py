"""Converts rows to versioned JSON data, and reads them back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields
from datetime import datetime
from math import isfinite
from typing import Any

from ..errors import ConfigError, shorten
from ..secret import redact
from ..types import Completion, FallbackStep, How, Lifecycle, Row, Status, ToolCall, Usage

SCHEMA = "llmkit.comparison"
VERSION = 1


def document(rows: Sequence[Row], *, about: Mapping[str, object]) -> dict[str, Any]:
    """Returns *rows* and *about* as JSON values, with API keys redacted.

    A value without a JSON form, such as a date in an index of prompts, becomes text for good.
    """
    records = [_plain(row) for row in rows]
    return {"schema": SCHEMA, "version": VERSION, "about": _plain(about), "rows": records}


def about_from(data: object) -> Mapping[str, object]:
    """Returns the `about` of the comparison in *data*.

    Raises:
        ConfigError: *data* is not a comparison, or is one of another format version.
    """
    about = _checked(data).get("about")
    return about if isinstance(about, dict) else {}


def rows_from(data: object) -> tuple[Row, ...]:
    """Returns the rows of a document that `document` made.

    Raises:
        ConfigError: *data* is not a comparison, or is one of another format version.
    """
    try:
        return tuple(_row(record) for record in _checked(data)["rows"])
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise ConfigError(
            f"the comparison is damaged ({shorten(repr(error), 120)}); save it again with to_json()"
        ) from error


def _checked(data: object) -> dict[str, Any]:
    if not isinstance(data, dict) or data.get("schema") != SCHEMA:
        raise ConfigError("the file is not a comparison written by to_json()")
    if data.get("version") != VERSION:
        raise ConfigError(
            f"the comparison has format version {data.get('version')}, but this llmkit reads "
            f"version {VERSION}; update llmkit"
        )
    return data


def _plain(value: object) -> Any:
    if isinstance(value, Mapping):
        return {redact(str(key)): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, Row | Completion | Usage | FallbackStep | ToolCall):
        return {f.name: _plain(getattr(value, f.name)) for f in fields(value)}
    if hasattr(value, "tolist"):  # a NumPy scalar or array
        return _plain(value.tolist())
    return _scalar(value)


def _scalar(value: object) -> Any:
    try:
        is_missing = value is None or bool(value != value)  # NaN and NaT equal nothing
    except (TypeError, ValueError):  # the truth value of pandas.NA is ambiguous
        is_missing = type(value).__name__ == "NAType"
    if is_missing:
        return None
    if isinstance(value, bool | int) or (isinstance(value, float) and isfinite(value)):
        return value
    return redact(value.isoformat() if isinstance(value, datetime) else str(value))


def _row(record: Mapping[str, Any]) -> Row:
    values = _field_values(Row, record)
    values |= {
        "prompt_id": _frozen(record["prompt_id"]),
        "completion": _completion(record["completion"]),
        "how": How(record["how"]) if record["how"] else None,
        "lifecycle": Lifecycle(record["lifecycle"]) if record["lifecycle"] else None,
        "parameters": {name: _frozen(value) for name, value in record["parameters"].items()},
    }
    return Row(**values)


def _completion(record: Mapping[str, Any]) -> Completion:
    start = record["started_at"]
    values = _field_values(Completion, record)
    steps = [  # earlier versions wrote no `lost`
        {**_field_values(FallbackStep, step), "lost": tuple(step.get("lost", ()))}
        for step in record["fallback"]
    ]
    values |= {
        "status": Status(record["status"]),
        "usage": Usage(**_field_values(Usage, record["usage"])),
        "tool_calls": tuple(
            ToolCall(**_field_values(ToolCall, call)) for call in record.get("tool_calls", ())
        ),
        "fallback": tuple(FallbackStep(**step) for step in steps),
        "warnings": tuple(record["warnings"]),
        "ignored_parameters": tuple(record["ignored_parameters"]),
        "started_at": datetime.fromisoformat(start) if start else None,
    }
    return Completion(**values)


def _field_values(
    kind: type[Row | Completion | Usage | FallbackStep | ToolCall], record: Mapping[str, Any]
) -> Any:
    names = {f.name for f in fields(kind)}
    return {name: value for name, value in record.items() if name in names}


def _frozen(value: object) -> object:
    # JSON has no tuples: stop sequences were one, as was a prompt id from a MultiIndex.
    return tuple(_frozen(item) for item in value) if isinstance(value, list) else value
