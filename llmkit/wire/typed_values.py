"""Reads dataclasses from JSON values, and names the field whose value is wrong.

The types of the fields say what is read. Numbers fit into the columns of a table. Lone surrogates
become U+FFFD. Unknown fields are ignored, because a later version may have written them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import fields, is_dataclass
from datetime import UTC, date, datetime
from enum import StrEnum
from functools import partial
from types import NoneType, UnionType
from typing import Any, get_args, get_origin, get_type_hints

from ..errors import shorten
from ..fields import LARGEST, SIGNED
from ..secret import redact
from .messages import fix_surrogates

Reader = Callable[[Any], Any]
LONGEST = 1e15  # seconds or dollars: a larger float has no place on an axis
DEEPEST = 50  # levels of lists and objects; some functions of Python end at 1,000
CUT = 2 * DEEPEST  # levels, where `parse_file` ends a nesting that Python cannot read
SHOWN = 60  # characters of a wrong value, or of a name in a path
DIGITS = 4_000  # Python refuses to read longer integers
_TOKEN = re.compile(r'"(?:[^"\\]++|\\.)*+"|[\[\]{}]', re.DOTALL)


class FieldError(ValueError):
    """A value that was read is wrong: *path* leads to it, *problem* says what is wrong."""

    def __init__(self, problem: str, path: str = "") -> None:
        super().__init__(problem)
        self.problem, self.path = problem, path

    def within(self, place: str) -> FieldError:
        """Returns the same error with the path that begins at *place*, which holds the value."""
        separator = "." if self.path and not self.path.startswith("[") else ""
        return FieldError(self.problem, f"{shorten(place, SHOWN)}{separator}{self.path}")

    def __str__(self) -> str:
        return f"{self.path} {self.problem}".strip()


def parse_file(data: bytes) -> Any:
    """Returns the JSON of a file: UTF-8 or UTF-16, with or without a byte order mark.

    What is nested too deeply, or too long for an integer, becomes a value that a reader refuses.

    Raises:
        ValueError: *data* is not JSON.
    """
    try:
        return json.loads(data, parse_int=_integer)
    except RecursionError:
        text = data.decode(json.detect_encoding(data), "surrogatepass")
        return json.loads(_without_depths(text), parse_int=_integer)


def wrong(expected: str, value: object) -> FieldError:
    """Returns the error for *value*, where *expected* describes the valid values."""
    return FieldError(f"must be {expected}, got {shown(value)}")


def shown(value: object) -> str:
    """Returns the JSON value *value* for a message: short, and without keys."""
    if isinstance(value, dict | list):
        return "a list" if isinstance(value, list) else "an object"
    return shorten(redact(json.dumps(value)), SHOWN)


def reader(kind: Any, *, optional: Collection[str] = ()) -> Reader:
    """Returns a function that returns its argument, a JSON value, as *kind*.

    The function raises FieldError if it cannot.

    Args:
        kind: A dataclass, or the type of one of its fields.
        optional: The fields that may be missing: those that earlier versions did not write.
    """
    origin, args = get_origin(kind), get_args(kind)
    if origin is UnionType:
        (inner,) = (reader(arg, optional=optional) for arg in args if arg is not NoneType)
        return lambda value: None if value is None else inner(value)
    if origin in (tuple, frozenset):
        return partial(_items, origin, reader(args[0], optional=optional))
    if is_dataclass(kind) and isinstance(kind, type):
        types = get_type_hints(kind)
        readers = {
            f.name: signed if f.metadata.get(SIGNED) else reader(types[f.name], optional=optional)
            for f in fields(kind)
        }
        needed = {f.name for f in fields(kind)} - set(optional)
        return partial(_record, kind, readers, needed)
    if isinstance(kind, type) and issubclass(kind, StrEnum):
        return partial(_word, kind)
    return SCALARS[origin or kind]


def any_value(value: Any) -> Any:
    """Returns *value* if its nesting is bounded."""
    level = [value]
    for _ in range(DEEPEST):
        lists = [
            v.values() if isinstance(v, dict) else v for v in level if isinstance(v, dict | list)
        ]
        if not lists:
            return value
        level = [item for items in lists for item in items]
    raise FieldError(f"must have at most {DEEPEST} levels of lists and objects, got more")


def mapping(value: Any) -> dict[str, Any]:
    """Returns the object *value* if the nesting of its values is bounded."""
    if not isinstance(value, dict):
        raise wrong("an object", value)
    for name, item in value.items():
        try:
            any_value(item)
        except FieldError as error:
            raise error.within(name) from None
    return {fix_surrogates(name): item for name, item in value.items()}


def _integer(digits: str) -> int | float:
    return int(digits) if len(digits) < DIGITS else float("inf")


def _without_depths(text: str) -> str:
    """Returns *text* with null instead of each value at the depth *CUT*."""
    depth, start, parts = 0, 0, []
    for token in _TOKEN.finditer(text):
        if token[0] in "[{":
            depth += 1
            if depth == CUT:
                parts.append(text[start : token.start()])
        elif token[0] in "]}":
            if depth == CUT:
                parts.append("null")
                start = token.end()
            depth -= 1
    if depth >= CUT:
        raise ValueError("it ends within a list or an object")
    return "".join([*parts, text[start:]])


def _record(kind: Any, readers: Mapping[str, Reader], needed: Collection[str], value: Any) -> Any:
    if not isinstance(value, dict):
        raise wrong("an object", value)
    values = {}
    for name, read in readers.items():
        try:
            if name in value:
                values[name] = read(value[name])
            elif name in needed:
                raise FieldError("is missing")
        except FieldError as error:
            raise error.within(name) from None
    return kind(**values)


def _items(kind: Callable[[Any], Any], read: Reader, value: Any) -> Any:
    if not isinstance(value, list):
        raise wrong("a list", value)
    items = []
    for number, item in enumerate(value):
        try:
            items.append(read(item))
        except FieldError as error:
            raise error.within(f"[{number}]") from None
    return kind(items)


def _word(kind: type[StrEnum], value: Any) -> StrEnum:
    try:
        return kind(value)
    except ValueError:
        raise wrong(f"one of {', '.join(kind)}", value) from None


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise wrong("text", value)
    return fix_surrogates(value)


def _flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise wrong("true or false", value)
    return value


def _count(value: Any) -> int:
    if type(value) is not int or not 0 <= value <= LARGEST:
        raise wrong("an integer >= 0 and < 2**63", value)
    return value


def signed(value: Any) -> int | None:
    """Returns *value* if it is None or an integer that fits into a column."""
    if value is not None and (type(value) is not int or abs(value) > LARGEST):
        raise wrong("an integer of at most 63 bits", value)
    return value


def _amount(value: Any) -> float:
    if type(value) not in (int, float) or not 0 <= value <= LONGEST:
        raise wrong(f"a number from 0 to {LONGEST:g}", value)
    return float(value)


def _time(value: Any) -> datetime:
    try:
        time = datetime.fromisoformat(value)
        if time.tzinfo is not None:
            return time.astimezone(UTC)
    except (TypeError, ValueError, OverflowError):
        pass
    raise wrong("a time with its zone, such as 2026-11-24T12:00:00+00:00", value)


def _day(value: Any) -> date:
    try:
        return date.fromisoformat(value)
    except (TypeError, ValueError):
        raise wrong("a day such as 2026-11-24", value) from None


SCALARS: Mapping[Any, Reader] = {
    str: _text, bool: _flag, int: _count, float: _amount, datetime: _time, date: _day,
    object: any_value, Mapping: mapping,
}  # fmt: skip
