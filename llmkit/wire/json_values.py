"""Reads values out of foreign JSON, whose shape nobody promises."""

from __future__ import annotations

from datetime import date
from typing import Any


def as_dict(value: object) -> dict[str, Any]:
    """*value* if it is a JSON object, else an empty one."""
    return value if isinstance(value, dict) else {}


def as_dicts(value: object) -> list[dict[str, Any]]:
    """The JSON objects in *value* if it is an array, else none."""
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def as_strings(value: object) -> list[str]:
    """The strings in *value* if it is an array, else none."""
    return [item for item in value if isinstance(item, str)] if isinstance(value, list) else []


def as_str(value: object) -> str | None:
    """*value* if it is a string that says something, else None."""
    return value if isinstance(value, str) and value else None


def as_int(value: object) -> int | None:
    """*value* if it is a whole number from 0 up, else None."""
    whole = isinstance(value, int) and not isinstance(value, bool)
    return value if whole and value >= 0 else None  # type: ignore[operator,return-value]  # an int


def as_date(value: object) -> date | None:
    """The day that *value*, an ISO 8601 date or time, begins with; else None."""
    try:
        return date.fromisoformat(value[:10]) if isinstance(value, str) else None
    except ValueError:
        return None
