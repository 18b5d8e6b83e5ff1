"""Tests the public names of llmkit."""

from __future__ import annotations

import types
from pathlib import Path

import pytest

import llmkit


def test_the_public_names_are_sorted_and_visible():
    """`__all__` is sorted, has no duplicates, and equals dir()."""
    names = llmkit.__all__

    assert sorted(set(names)) == sorted(names)
    assert dir(llmkit) == sorted(names)


@pytest.mark.parametrize("name", llmkit.__all__)
def test_each_name_is_the_same_thing_twice(name):
    """A lazy name gives the same object each time."""
    first = getattr(llmkit, name)

    assert getattr(llmkit, name) is first
    assert name == "errors" or not isinstance(first, types.ModuleType)


def test_no_public_name_is_a_modules_name():
    """Importing a module would replace a function of the same name."""
    package = Path(llmkit.__file__).parent
    modules = {path.stem for path in package.glob("*.py")} | {
        path.name for path in package.iterdir() if path.is_dir()
    }

    assert modules & set(llmkit.__all__) == {"errors"}


DATA = {"last", "MODEL_NAME_MAPPING"}


@pytest.mark.parametrize("name", [n for n in llmkit.__all__ if n[0] != "_" and n not in DATA])
def test_each_public_thing_explains_itself(name):
    """Every public function and class has a docstring."""
    assert (getattr(llmkit, name).__doc__ or "").strip()


def test_an_unknown_name_is_an_attribute_error():
    """An unknown name fails as in any module."""
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        _ = llmkit.nonsense  # type: ignore[attr-defined]
