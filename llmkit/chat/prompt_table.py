"""Reads the columns of a DataFrame of prompts, each under a name of its own.

Called by `chat.requests`. Must not import pandas: it gets the DataFrame from the caller.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from ..errors import ConfigError, shorten
from ..secret import redact_all
from .values import fixed, is_missing

PROMPT = "prompt"  # the column with the prompts
SHOWN_NAMES = 200  # most characters of the names that a message quotes


class PromptTable(NamedTuple):
    """The columns of a DataFrame of prompts.

    Attributes:
        ids: Its index.
        columns: The values of the other columns, by name. Each name is a text that occurs once.
        labels: The label of each column whose name is not its label, by name.
    """

    ids: list[Any]
    prompts: list[Any]
    columns: dict[str, list[Any]]
    labels: dict[str, object]


def prompt_table(frame: Any) -> PromptTable:
    """Returns the columns of *frame*, a pandas DataFrame with a column named prompt.

    A label that is not text becomes text; the parts of a tuple are joined by underscores. If two
    names are equal, the later one becomes prompt_NAME, or the one that is not the label itself.

    Raises:
        ConfigError: No column is named prompt, or several are.
    """
    labels = list(frame.columns)
    names = [_name(label) for label in labels]
    renamed = {i for i, label in enumerate(labels) if not _is_name(label, names[i])}
    found = [place for place, name in enumerate(names) if name == PROMPT]
    if len(found) != 1:
        count = f"{len(found)} columns" if found else "no column"
        has = shorten(redact_all(", ".join(names)), SHOWN_NAMES)
        raise ConfigError(
            f"the DataFrame has {count} named prompt; give that name to the one with the prompts; "
            f"it has: {has}"
        )
    taken: set[str] = set()
    for place in sorted(range(len(names)), key=renamed.__contains__):
        while names[place] in taken:
            names[place] = f"prompt_{names[place]}"
            renamed.add(place)
        taken.add(names[place])
    values = {name: list(frame.iloc[:, place]) for place, name in enumerate(names)}
    prompts = values.pop(names[found[0]])
    changed = {names[place]: labels[place] for place in sorted(renamed - {found[0]})}
    return PromptTable(list(frame.index), prompts, values, changed)


def _is_name(label: object, name: str) -> bool:
    return isinstance(label, str) and label == name


def _name(label: object) -> str:
    parts = [str(label)]
    if isinstance(label, tuple):  # of a MultiIndex, which fills up with blanks
        parts = [str(part) for part in label if not is_missing(part) and part != ""]
    name: str = fixed("_".join(parts))
    return name
