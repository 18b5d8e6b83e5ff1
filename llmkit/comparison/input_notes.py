"""Says in the notes of a run what became of its inputs: repaired texts and the user's columns.

Called by `comparison.result`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence

from ..chat.requests import ROW_PARAMETERS, PlannedRequest
from ..chat.values import fixed, place_of
from ..errors import shown
from ..views.frames import own_columns

MOST = 20  # names or places in a note


def input_notes(requests: Sequence[PlannedRequest]) -> Iterator[str]:
    """Yields a note for each kind of change to the inputs of *requests*, the rows of one run."""
    inputs = list({id(one.prompt_input): one.prompt_input for one in requests}.values())
    names = dict.fromkeys(name for one in inputs for name in one.extra)
    parameters = {name for one in requests for name in (*one.parameters, *one.prompt.parameters)}
    own = own_columns(names, parameters)
    labels = {name: label for one in inputs for name, label in one.labels.items()}
    repaired = [name for name in own if fixed(labels.get(name, name)) is not labels.get(name, name)]
    places = [place_of(i, one.id) for i, one in enumerate(inputs) if one.repaired]
    where = [f"the prompts at {_few(places)}"] if places else []
    where += ["names of columns"] if repaired else []
    where += requests[0].repaired if requests else ()
    if where:
        yield f"Half a character (a lone surrogate) became U+FFFD in {', '.join(where)}."
    unsent = [name for name in ROW_PARAMETERS if name in own]
    if unsent:
        others = [own[name] for name in unsent if own[name] != name]
        here = f" (here {', '.join(others)})" if others else ""
        yield (
            f"Columns {', '.join(unsent)} of your prompts are not sent{here}; pass "
            f"row_parameters={json.dumps(unsent)} to use them as parameters."
        )
    old = {name: fixed(labels.get(name, name)) for name in own if name not in unsent}
    pairs = [f"{shown(label)} is {shown(own[name])}" for name, label in old.items()
             if not isinstance(label, str) or label != own[name]]  # fmt: skip
    if pairs:
        yield f"Your columns have other names in the frame: {_few(pairs)}."


def _few(words: Sequence[str]) -> str:
    more = f" and {len(words) - MOST} more" if len(words) > MOST else ""
    return ", ".join(words[:MOST]) + more
