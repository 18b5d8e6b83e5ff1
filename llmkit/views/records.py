"""Converts rows to versioned JSON data, and reads them back."""

from __future__ import annotations

import reprlib
from collections.abc import Mapping, Sequence
from dataclasses import fields, replace
from datetime import datetime
from functools import partial
from math import isfinite
from typing import Any

from ..errors import ConfigError
from ..secret import redact
from ..types import PARAMETERS, Completion, FallbackStep, ToolCall, Usage
from ..wire.typed_values import DEEPEST, FieldError, Reader, mapping, reader, shown, signed
from .rows import Row

SCHEMA = "llmkit.comparison"
VERSION = 2
# The fields that files of an earlier version lack; those of version 1 gained two while it lasted.
ADDED_SINCE: Mapping[int, tuple[str, ...]] = {
    1: (
        "tool_calls", "lost",
        "service_tier", "time_to_first_reasoning_s", "time_to_first_text_s", "waited_s",
        "rerouted", "messages", "options", "sent", "base_url",
        "cache_write_1h_tokens", "input_audio_tokens", "cached_audio_tokens",
        "output_audio_tokens", "input_image_tokens", "output_image_tokens", "web_searches",
        "speed", "inference_geo", "unpriced", "pieces",
    ),
    2: (),
}  # fmt: skip
# The fields that tell what was asked.
ASKED = (
    "row", "prompt_id", "messages", "repeat", "parameters", "options", "asked", "provider",
    "request_model", "sent", "base_url", "shared_with",
)  # fmt: skip


def document(rows: Sequence[Row], *, about: Mapping[str, object]) -> dict[str, Any]:
    """Returns *rows* and *about* as JSON values, with API keys redacted.

    A value without a JSON form, such as a date in an index of prompts, becomes text for good.
    """
    records = [plain(row) for row in rows]
    return {"schema": SCHEMA, "version": VERSION, "about": plain(about), "rows": records}


def plain(value: object, depth: int = 1) -> Any:
    """Returns *value* as JSON values, with keys redacted; a missing one is None."""
    if isinstance(value, Row | Completion | Usage | FallbackStep | ToolCall):
        return {f.name: plain(getattr(value, f.name)) for f in fields(value)}
    if hasattr(value, "tolist"):  # a NumPy scalar or array
        value = value.tolist()
    if isinstance(value, Mapping | list | tuple):
        if depth >= DEEPEST:  # it may contain itself
            return redact(reprlib.repr(value))
        if not isinstance(value, Mapping):
            return [plain(item, depth + 1) for item in value]
        return {redact(str(key)): plain(item, depth + 1) for key, item in value.items()}
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


def about_from(data: object) -> dict[str, Any]:
    """Returns the `about` of the comparison in *data*; its `notes` are a tuple of texts.

    Raises:
        ConfigError: *data* is not a comparison, or is damaged; the message names the field.
    """
    about = _field(_checked(data), "about", mapping)
    notes = {"about.notes": about.get("notes", [])}
    return {**about, "notes": _field(notes, "about.notes", reader(tuple[str, ...]))}


def rows_from(data: object) -> tuple[Row, ...]:
    """Returns the rows of a document that `document` made.

    Raises:
        ConfigError: *data* is not a comparison, or is damaged; the message names the field.
    """
    document = _checked(data)
    read = partial(_rows, added=ADDED_SINCE[document["version"]])
    rows: tuple[Row, ...] = _field(document, "rows", read)
    return rows


def _checked(data: object) -> dict[str, Any]:
    if not isinstance(data, dict) or data.get("schema") != SCHEMA:
        raise ConfigError(
            f'schema must be "{SCHEMA}"; the file is not a comparison written by to_json()'
        )
    version = data.get("version")
    if type(version) is not int or version not in ADDED_SINCE:
        versions = " or ".join(map(str, ADDED_SINCE))
        raise ConfigError(
            f"version must be {versions} for this llmkit, got {shown(version)}; update llmkit if a "
            "newer one wrote the file"
        )
    return data


def _field(record: Mapping[str, Any], name: str, read: Reader) -> Any:
    try:
        return read(record.get(name))
    except FieldError as error:
        raise ConfigError(
            f"{error.within(name)}; correct the file, or save the comparison again with to_json()"
        ) from None


def _rows(data: Any, added: Sequence[str]) -> tuple[Row, ...]:
    rows, numbers = [], set()
    for place, row in enumerate(reader(tuple[Row, ...], optional=added)(data)):
        try:
            if row.row in numbers:
                raise FieldError(f"must be different in each row, got {row.row} again", "row")
            numbers.add(row.row)
            rows.append(
                replace(
                    row, prompt_id=_frozen(row.prompt_id), parameters=_parameters(row.parameters)
                )
            )
        except FieldError as error:
            raise error.within(f"[{place}]") from None
    return tuple(rows)


def _parameters(values: Mapping[str, Any]) -> dict[str, object]:
    parameters = {}
    for name, value in values.items():
        row = PARAMETERS.get(name)
        read: Reader = _frozen
        if row is not None:
            is_signed = row.kind is int and row.low is None
            read = (
                signed
                if is_signed
                else reader(row.kind if row.dtype != "object" else tuple[str, ...])
            )
        try:
            parameters[name] = None if value is None else read(value)
        except FieldError as error:
            raise error.within(f"parameters.{name}") from None
    return parameters


def _frozen(value: object) -> object:
    # JSON has no tuples: stop sequences were one, as was a prompt id from a MultiIndex.
    if isinstance(value, dict):
        value = [list(item) for item in value.items()]
    return tuple(map(_frozen, value)) if isinstance(value, list) else value
