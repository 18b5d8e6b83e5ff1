"""Values of numpy, pandas and pyarrow, lazy lists, and half characters, as plain values."""

from __future__ import annotations

from array import array
from collections import deque
from itertools import count
from types import MappingProxyType

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from llmkit.chat.values import LONGEST, fixed, is_missing, listed, plain
from llmkit.errors import ConfigError
from llmkit.secret import HeaderValue
from llmkit.types import Message, Prompt, TextPart

HALF = "\ud83d"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (np.int64(3), 3),
        (np.float64(0.5), 0.5),
        (np.float16(0.5), 0.5),
        (np.bool_(True), True),
        (np.str_("a"), "a"),
        (np.array(7), 7),
        (np.array(["a"]), ["a"]),
        (np.eye(2, dtype=int), [[1, 0], [0, 1]]),
        (np.ma.array([1, 2], mask=[False, True]), [1, None]),
        (pd.Index([1, 2]), [1, 2]),
        (pd.Series([np.int8(1), "a"], dtype=object), [1, "a"]),
        (pd.Categorical(["a", "b"]), ["a", "b"]),
        (pd.array([1, 2], dtype="Int64"), [1, 2]),
        (pa.array([1, None]), [1, None]),
        (pa.scalar(0.5), 0.5),
        (pa.chunked_array([["a"], ["b"]]), ["a", "b"]),
        (array("i", [1, 2]), [1, 2]),
        (deque("ab"), ["a", "b"]),
        (range(3), [0, 1, 2]),
        (map(str, [1]), ["1"]),
        ({"a": np.int64(1)}.values(), [1]),
        (MappingProxyType({"a": {"b": (np.float32(0.5), [np.bool_(False)])}}),
         {"a": {"b": (0.5, [False])}}),
        ({"a": b"x", "b": None}, {"a": b"x", "b": None}),
    ],
)  # fmt: skip
def test_a_value_of_a_library_becomes_one_of_python(value, expected):
    """Scalars, arrays, columns, views and generators, at any depth."""
    found = plain("seed", value)

    assert (found, repr(found)) == (expected, repr(expected))


def test_a_value_of_python_stays_the_same_object():
    """A key in a header keeps its masked repr."""
    given = {"headers": {"X-Key": HeaderValue("k-1")}, "a": [1, ("b", None)], "kind": int}

    assert plain("options", given) is given
    assert fixed(given) is given


def test_a_list_without_an_end_is_refused():
    """A generator is read up to a limit."""
    with pytest.raises(ConfigError, match="seed is a count of more than 1,000,000 values"):
        plain("seed", count())
    with pytest.raises(ConfigError, match="prompts is a range of more than 1,000,000 values"):
        listed("prompts", range(LONGEST + 1))


def test_a_value_that_contains_itself_is_left_alone():
    """Its repr is shown later; nothing is read without end."""
    loop: list[object] = [HALF]
    loop.append(loop)

    assert fixed(loop)[0] == "\ufffd"
    assert plain("user", loop) is loop


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ({1, 2}, "seed is a set, which has no order; pass a list"),
        (frozenset("a"), "seed is a set"),
        (np.eye(2), r"seed must be one list of values, got ndarray of shape \(2, 2\)"),
        (pd.DataFrame({"a": [1]}), r"got DataFrame of shape \(1, 1\); pass one column"),
    ],
)
def test_what_is_not_one_list_in_an_order_is_refused(value, words):
    """The message names the argument and the next step."""
    with pytest.raises(ConfigError, match=words):
        listed("seed", value)


@pytest.mark.parametrize("value", [7, "ab", b"ab", {"a": 1}, None, Prompt(())])
def test_one_value_is_not_a_list(value):
    """Texts, bytes and dicts can be iterated, and are one value."""
    assert listed("seed", value) is None


def test_a_scalar_of_numpy_is_a_list_of_one():
    """An array without dimensions, too."""
    assert listed("seed", np.int64(3)) == [3]
    assert listed("prompts", np.array("a")) == ["a"]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (f"cut {HALF}", "cut \ufffd"),
        ("\ud83c\udfde", "🏞"),
        ({f"k{HALF}": [f"{HALF}a", 1]}, {"k\ufffd": ["\ufffda", 1]}),
        ({HALF: 1, "\ud83e": 2}, {"\ufffd": 1, "\ufffd\ufffd": 2}),
        ((HALF,), ("\ufffd",)),
        (Prompt((Message("user", (TextPart(HALF),)),), system=HALF, stop=(HALF,),
                options=((HALF, {HALF: 1}),)),
         Prompt((Message("user", (TextPart("\ufffd"),)),), system="\ufffd", stop=("\ufffd",),
                options=(("\ufffd", {"\ufffd": 1}),))),
    ],
)  # fmt: skip
def test_half_a_character_becomes_the_replacement_character(value, expected):
    """Two halves that belong together become one character; two keys stay two."""
    assert fixed(value) == expected


def test_an_empty_cell_is_missing():
    """None, NaN, NaT and NA; an empty text and zero are values."""
    cells = [None, float("nan"), np.float32("nan"), pd.NaT, pd.NA, "", 0, [], pd.Timestamp(0)]

    assert [is_missing(plain("seed", cell)) for cell in cells] == [True] * 5 + [False] * 4
