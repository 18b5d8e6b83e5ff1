"""Derives the columns of a table from the fields and properties of its row class."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, fields, is_dataclass
from functools import cache
from operator import attrgetter
from typing import Any

from ..fields import COLUMN, COLUMNS, GROUPS, Column


def columns_of(kind: type) -> Mapping[str, Column]:
    """Returns the columns that *kind* declares, by name, in the order of the table.

    The groups are in the order of `GROUPS`. Within a group the order is that of the fields: a
    nested value (`COLUMNS`) puts its columns at its field, and properties come last.
    """
    columns = [(name, column) for name, (column, _) in _declared(kind).items()]
    return dict(sorted(columns, key=lambda item: GROUPS.index(item[1].group)))


def dtypes(columns: Mapping[str, Column]) -> dict[str, str]:
    """Returns the dtype of each column, by name."""
    return {name: column.dtype for name, column in columns.items()}


def column_values(item: Any) -> dict[str, Any]:
    """Returns the values of the columns that the class of *item* declares, by name."""
    values = {}
    for name, (column, read) in _declared(item.__class__).items():
        value = read(item)
        if column.joined is not None:
            parts = map(str, value)
            value = column.joined.join(sorted(parts) if isinstance(value, frozenset) else parts)
        elif column.json:
            value = json.dumps(value, ensure_ascii=False, default=_plain) if value else None
        # A StrEnum is a str, but its repr would show in an object column.
        is_text = isinstance(value, str) or (column.dtype == "string" and value is not None)
        values[name] = str(value) if is_text else value
    return values


def _plain(value: Any) -> Any:
    return asdict(value) if is_dataclass(value) and not isinstance(value, type) else str(value)


@cache
def _declared(kind: Any, start: str = "") -> Mapping[str, tuple[Column, attrgetter[Any]]]:
    """Returns each column that *kind* declares, and the getter of its value."""
    members: dict[str, Mapping[str, Any]] = {f.name: f.metadata for f in fields(kind)}
    properties = ((n, p) for n in dir(kind) if isinstance(p := getattr(kind, n), property))
    members |= {name: vars(item.fget) for name, item in properties}
    declared = {}
    for name, metadata in members.items():
        if COLUMN in metadata:
            declared[name] = metadata[COLUMN], attrgetter(start + name)
        if COLUMNS in metadata:
            declared |= _declared(metadata[COLUMNS], f"{start}{name}.")
    return declared
