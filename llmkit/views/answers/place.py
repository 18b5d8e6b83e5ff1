"""Names where an answer stands among others: its prompt, its model and its parameters."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from ..rows import Row


class Place(NamedTuple):
    """Where an answer stands: what was asked, and of which model."""

    prompt_id: object
    prompt: str
    label: str
    parameters: Mapping[str, object]
    repeat: int


def label_of(row: Row) -> str:
    """Returns the model that was asked, as provider:id, which can be passed as a model's name.

    A model that answered in its place is not named here. The name as it was typed stands for one
    that leads to no provider.
    """
    if row.completion.fallback:
        return row.completion.fallback[0].asked
    model = row.request_model or row.asked
    return f"{row.provider}:{model}" if row.provider else model


def place_of(row: Row) -> Place:
    """Returns the place of a row."""
    return Place(row.prompt_id, row.prompt, label_of(row), row.parameters, row.repeat)
