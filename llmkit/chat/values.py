"""Turns values as people hold them, such as arrays and columns of a table, into plain values.

Called by `chat.requests` and `chat.arguments`. Must not import numpy or pandas: their values have
methods that return those of Python.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, MappingView, Sequence
from dataclasses import fields, replace
from functools import partial
from itertools import islice
from operator import is_
from typing import Any

from ..errors import ConfigError, shown
from ..types import Message, Prompt, TextPart
from ..wire.messages import fix_surrogates
from ..wire.typed_values import DEEPEST

LONGEST = 1_000_000  # values of one argument: a generator may never end
# numpy, pandas, torch and jax; polars; pyarrow, whose scalars have the last one.
_METHODS = ("tolist", "to_list", "to_pylist", "as_py")
_PARTS = (Prompt, Message, TextPart)
_ONE_VALUE = (str, bytes, bytearray, Mapping)
_SCALARS = frozenset({type(None), bool, int, float, str, bytes})


def plain(name: str, value: Any) -> Any:
    """Returns *value* with values of Python instead of those of numpy, pandas, polars and pyarrow.

    An array, a column, a range, a generator or a view of a dict becomes a list, at any depth.

    Raises:
        ConfigError: *value*, the argument *name*, has more than a million values.
    """
    return _mapped(partial(_as_python, name), value)


def fixed(value: Any) -> Any:
    """Returns *value* with U+FFFD instead of each lone surrogate in its texts.

    It is the same object if there is none.
    """
    return _mapped(_whole_text, value)


def listed(name: str, value: Any) -> list[Any] | None:
    """Returns the values of a list, array, column, range, generator or view; None for another type.

    Raises:
        ConfigError: *value*, the argument *name*, is not one list of values in an order.
    """
    shape = getattr(value, "shape", ())
    if isinstance(shape, tuple) and len(shape) > 1:
        raise ConfigError(
            f"{name} must be one list of values, got {type(value).__name__} of shape {shape}; "
            "pass one column of it"
        )
    if isinstance(value, set | frozenset):
        raise ConfigError(f"{name} is a set, which has no order; pass a list, e.g. sorted(...)")
    values = _as_python(name, value)
    if isinstance(values, Iterable) and not isinstance(values, _ONE_VALUE):
        return _read(name, values)
    return None if values is value else [values]  # of a scalar of numpy or pyarrow


def is_missing(value: Any) -> bool:
    """Returns True for None, NaN, NaT and pandas.NA: an empty cell of a table."""
    is_nan = isinstance(value, float) and value != value
    return value is None or is_nan or type(value).__name__ in ("NAType", "NaTType")


def place_of(position: int, label: object) -> str:
    """Returns where a value is among others, with its *label* if that is not the position."""
    is_position = type(label) is int and label == position
    return f"position {position}" + ("" if is_position else f" ({shown(label)})")


def _as_python(name: str, value: Any) -> Any:
    if type(value) in _SCALARS or isinstance(value, type):
        return value
    for method in _METHODS:
        if hasattr(value, method):
            return getattr(value, method)()
    if isinstance(value, Mapping) and type(value) is not dict:
        return dict(value)
    is_read = isinstance(value, (list, tuple, *_ONE_VALUE))
    is_list = isinstance(value, Iterator | MappingView | Sequence) and not is_read
    return _read(name, value) if is_list else value


def _read(name: str, value: Iterable[Any]) -> list[Any]:
    values = list(islice(value, LONGEST + 1))
    if len(values) > LONGEST:
        raise ConfigError(
            f"{name} is a {type(value).__name__} of more than {LONGEST:,} values; pass fewer, "
            "e.g. with itertools.islice"
        )
    return values


def _whole_text(value: Any) -> Any:
    if not isinstance(value, str) or value.isascii():
        return value
    text = fix_surrogates(value)
    return value if text == value else text


def _mapped(change: Callable[[Any], Any], value: Any, depth: int = 1) -> Any:
    """Returns *value* after *change* of it and of its parts, the same object if none changes."""
    value = change(value)
    if depth > DEEPEST:  # it may contain itself
        return value
    kind = type(value)
    if kind is list or kind is tuple:
        parts = [_mapped(change, part, depth + 1) for part in value]
        return value if all(map(is_, parts, value)) else kind(parts)
    if kind is dict:
        pairs: dict[Any, Any] = {}
        for key, part in value.items():
            key = _mapped(change, key, depth + 1)
            while key in pairs and isinstance(key, str):  # two keys became one
                key += "\ufffd"
            pairs[key] = _mapped(change, part, depth + 1)
        same = [*map(is_, pairs, value), *map(is_, pairs.values(), value.values())]
        return value if all(same) else pairs
    if kind in _PARTS:
        old = {f.name: getattr(value, f.name) for f in fields(value)}
        new = {name: _mapped(change, part, depth + 1) for name, part in old.items()}
        changed = {name: part for name, part in new.items() if part is not old[name]}
        return replace(value, **changed) if changed else value
    return value
