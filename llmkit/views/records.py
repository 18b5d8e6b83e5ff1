"""Rows as plain data that outlives this version, and back again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields
from datetime import datetime
from typing import Any

from ..errors import ConfigError
from ..secret import redact
from ..types import Completion, FallbackStep, How, Lifecycle, Row, Status, Usage

SCHEMA = "llmkit.comparison"
VERSION = 1


def document(rows: Sequence[Row], *, about: Mapping[str, object]) -> dict[str, Any]:
    """All of *rows* as JSON can hold it; no key can be in it."""
    return {
        "schema": SCHEMA,
        "version": VERSION,
        "about": _plain(about),
        "rows": [_record(row) for row in rows],
    }


def about_from(data: object) -> Mapping[str, object]:
    """What made the comparison in *data*.

    Raises:
        ConfigError: *data* is no comparison, or one of a newer llmkit.
    """
    about = _checked(data).get("about")
    return about if isinstance(about, dict) else {}


def rows_from(data: object) -> tuple[Row, ...]:
    """The rows that `document` made.

    Raises:
        ConfigError: *data* is no comparison, or one of a newer llmkit.
    """
    try:
        return tuple(_row(record) for record in _checked(data)["rows"])
    except (KeyError, TypeError, ValueError) as error:
        raise ConfigError(f"the comparison is damaged: {error!r}") from error


def _checked(data: object) -> dict[str, Any]:
    if not isinstance(data, dict) or data.get("schema") != SCHEMA:
        raise ConfigError("this is no comparison that to_json() wrote")
    if data.get("version") != VERSION:
        raise ConfigError(
            f"this comparison has version {data.get('version')}, this llmkit reads {VERSION}; "
            "update llmkit"
        )
    return data


def _record(row: Row) -> dict[str, Any]:
    plain: dict[str, Any] = _plain({f.name: getattr(row, f.name) for f in fields(Row)})
    return plain


def _plain(value: object) -> Any:
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, Completion | Usage | FallbackStep):
        return {f.name: _plain(getattr(value, f.name)) for f in fields(value)}
    if hasattr(value, "item"):  # a number of numpy's
        return _plain(value.item())
    return redact(value.isoformat() if isinstance(value, datetime) else str(value))


def _row(record: Mapping[str, Any]) -> Row:
    known = {f.name for f in fields(Row)}
    values = {name: value for name, value in record.items() if name in known}
    values["completion"] = _completion(record["completion"])
    values["how"] = How(record["how"]) if record["how"] else None
    values["lifecycle"] = Lifecycle(record["lifecycle"]) if record["lifecycle"] else None
    # JSON has no tuples; the only ones among parameters are stop sequences.
    values["parameters"] = {
        name: tuple(value) if isinstance(value, list) else value
        for name, value in record["parameters"].items()
    }
    return Row(**values)


def _completion(record: Mapping[str, Any]) -> Completion:
    known = {f.name for f in fields(Completion)}
    values = {name: value for name, value in record.items() if name in known}
    started = record["started_at"]
    values |= {
        "status": Status(record["status"]),
        "usage": Usage(**record["usage"]),
        "fallback": tuple(FallbackStep(**step) for step in record["fallback"]),
        "warnings": tuple(record["warnings"]),
        "ignored_parameters": tuple(record["ignored_parameters"]),
        "started_at": datetime.fromisoformat(started) if started else None,
    }
    return Completion(**values)
