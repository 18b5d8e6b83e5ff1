"""Arranges answers as a matrix: a row for each prompt, a column for each model.

What distinguishes the answers of one cell, grid point and repeat, is its point. What all answers
share is said once.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from ..markup import clipped, safe_text
from .place import Place

LONGEST_VALUE = 40  # columns of a parameter's value
LONGEST_PROMPT = 2_000  # characters of a prompt in a table


@dataclass(frozen=True, slots=True)
class Matrix:
    """The places of all answers, as positions in three lists of texts.

    All texts are redacted, with control characters escaped.

    Attributes:
        prompts: Each prompt, at most `LONGEST_PROMPT` characters, and the number of further ones.
        models: The labels of the models, in the order of their first answers.
        points: What distinguishes answers of one prompt and model; "" for nothing.
        places: Prompt, model and point of each answer, as positions.
        shared: What all answers share, such as "temperature 0 · max_tokens 24".
    """

    prompts: list[tuple[str, int]]
    models: list[str]
    points: list[str]
    places: list[tuple[int, int, int]]
    shared: str

    def name_of(self, number: int) -> str:
        """Returns the model of an answer, with what distinguishes it from others of that model."""
        _, model, point = self.places[number]
        return " · ".join(filter(None, [self.models[model], self.points[point]]))

    def names_of(self, first: int, second: int) -> tuple[str, str]:
        """Returns the names of two answers; those to different prompts are named by them too."""
        a, b = self.name_of(first), self.name_of(second)
        if a != b:
            return a, b
        asked = (self.prompts[self.places[n][0]][0] for n in (first, second))
        ends = [clipped(" ".join(text.split()), LONGEST_VALUE) for text in asked]
        return f"{a} · {ends[0]}", f"{b} · {ends[1]}"

    def by_prompt(self) -> list[list[int]]:
        """Returns the positions of the answers to each prompt, by model."""
        cells = self.cells().values()
        return [[n for model in sorted(cell) for n in cell[model]] for cell in cells]

    def cells(self) -> dict[int, dict[int, list[int]]]:
        """Returns the positions of the answers in each cell, by prompt and by model."""
        found: dict[int, dict[int, list[int]]] = {n: {} for n in range(len(self.prompts))}
        for number, (prompt, model, _) in enumerate(self.places):
            found[prompt].setdefault(model, []).append(number)
        return found


def matrix_of(places: Sequence[Place], *, longest: int | None = LONGEST_PROMPT) -> Matrix:
    """Arranges answers; prompts with the same text and different ids are different rows.

    Args:
        longest: The characters of a prompt that are kept, None for all.
    """
    values = _values_by_parameter(places)
    varied = [name for name, by_repr in values.items() if len(by_repr) > 1]
    shared = [
        _words(name, next(iter(by_repr.values())))
        for name, by_repr in values.items()
        if len(by_repr) == 1
    ]
    repeats = max((place.repeat for place in places), default=0) + 1
    prompts: dict[tuple[str, str], int] = {}
    models: dict[str, int] = {}
    points: dict[tuple[str, ...], int] = {}
    positions = []
    last: Place | None = None
    prompt = point = 0
    for place in places:  # often thousands, most of which are like the one before
        if last is None or place.prompt is not last.prompt or place.prompt_id is not last.prompt_id:
            prompt = prompts.setdefault((str(place.prompt_id), place.prompt), len(prompts))
        if (
            last is None
            or place.repeat != last.repeat
            or (varied and place.parameters != last.parameters)
        ):
            key = (*(repr(place.parameters.get(name)) for name in varied), str(place.repeat))
            point = points.setdefault(key, len(points))
        positions.append((prompt, models.setdefault(place.label, len(models)), point))
        last = place
    words = {
        name: {key: _words(name, value) for key, value in values[name].items()} for name in varied
    }
    return Matrix(
        prompts=[_prompt_words(text, longest) for _, text in prompts],
        models=[safe_text(label) for label in models],
        points=[
            " · ".join(filter(None, (
                *(words[name].get(part, "") for name, part in zip(varied, key[:-1], strict=True)),
                f"repeat {int(key[-1]) + 1} of {repeats}" if repeats > 1 else "",
            )))
            for key in points
        ],
        places=positions, shared=" · ".join(filter(None, shared)),
    )  # fmt: skip


def _values_by_parameter(places: Iterable[Place]) -> dict[str, dict[str, object]]:
    """Returns the values of each parameter by their repr; None where an answer lacks it."""
    found: dict[str, dict[str, object]] = {}
    count, seen = 0, dict[str, int]()
    last: Mapping[str, object] | None = None
    same = 0  # rows whose parameters are those of the row before them
    for place in places:
        count += 1
        if place.parameters is last or place.parameters == last:
            same += 1
            continue
        _count_up(seen, last, same)
        last, same = place.parameters, 1
        for name, value in place.parameters.items():
            found.setdefault(name, {}).setdefault(repr(value), value)
    _count_up(seen, last, same)
    for name, by_repr in found.items():
        if seen[name] < count:
            by_repr.setdefault(repr(None), None)
    return found


def _count_up(seen: dict[str, int], parameters: Mapping[str, object] | None, count: int) -> None:
    for name in parameters or ():
        seen[name] = seen.get(name, 0) + count


def parameter_text(name: str, value: object) -> str:
    """Returns a parameter and its value on one line, such as "temperature 0"."""
    text = ", ".join(map(repr, value)) if isinstance(value, list | tuple) else str(value)
    if isinstance(value, float):
        text = text.removesuffix(".0")
    return f"{name} {' '.join(safe_text(text).split())}"


def _words(name: str, value: object) -> str:
    """Returns a parameter and its value; "" for one that was not sent."""
    if value is None:
        return ""
    return clipped(parameter_text(name, value), len(name) + 1 + LONGEST_VALUE)


def _prompt_words(text: str, longest: int | None) -> tuple[str, int]:
    safe = safe_text(text)
    return safe[:longest], 0 if longest is None else max(len(safe) - longest, 0)
