"""What a comparison will ask: every prompt, model, grid point and repeat, in order."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import product
from typing import Any

from ..errors import ConfigError
from ..types import Prompt
from .prompts import PromptInput

SCALARS = ("system", "temperature", "top_p", "max_tokens", "seed")
PARAMETERS = (*SCALARS, "stop")
NUMBERS = {"temperature": (0.0, 2.0), "top_p": (0.0, 1.0)}
COUNTS = {"max_tokens": 1, "seed": None}


@dataclass(frozen=True, slots=True)
class PlannedRequest:
    """One row to be.

    Attributes:
        parameters: The grid point: only what was asked for, as it was asked for.
        prompt: With the grid point's parameters in it.
        provider: Where the person wants it answered, None where the name says it.
    """

    row: int
    prompt_input: PromptInput
    asked: str
    provider: str | None
    parameters: Mapping[str, object]
    repeat: int
    prompt: Prompt = field(repr=False)


def plan_requests(
    prompt_inputs: Sequence[PromptInput],
    models: Sequence[tuple[str, str | None]],
    grid: Sequence[Mapping[str, object]],
    repeats: int,
    options: Mapping[str, object],
) -> tuple[PlannedRequest, ...]:
    """All rows in their order: prompt, model, grid point, repeat."""
    if not isinstance(repeats, int) or repeats < 1:
        raise ConfigError(f"repeats must be 1 or more, not {repeats!r}")
    everything = product(prompt_inputs, models, grid, range(repeats))
    return tuple(plan_request(row, *place, options) for row, place in enumerate(everything))


def plan_request(
    row: int,
    prompt_input: PromptInput,
    model: tuple[str, str | None],
    point: Mapping[str, object],
    repeat: int,
    options: Mapping[str, object],
) -> PlannedRequest:
    """One row, with its parameters in its prompt; explicit ones win over the prompt's own."""
    model_name, provider = model
    fields: dict[str, Any] = {name: value for name, value in point.items() if value is not None}
    base = prompt_input.prompt
    if options:
        fields["options"] = (*(base.options if base else ()), *sorted(options.items()))
    if base is not None:
        prompt = replace(base, **fields)
    else:
        prompt = Prompt(prompt_input.messages, **{"system": prompt_input.system, **fields})
    return PlannedRequest(row, prompt_input, model_name, provider, point, repeat, prompt)


def grid(parameters: Mapping[str, object]) -> tuple[dict[str, object], ...]:
    """The points that *parameters* span; one that is None is left out.

    A list of a scalar parameter has one point for each value; for `stop`, which is itself a
    list, only a list of lists does.

    Raises:
        ConfigError: A value of the wrong kind, or an empty list.
    """
    axes = [
        [(name, _checked(name, value)) for value in _axis(name, raw_value)]
        for name, raw_value in parameters.items()
        if raw_value is not None
    ]
    return tuple(dict(point) for point in product(*axes))


def named_models(models: object, providers: object = None) -> tuple[tuple[str, str | None], ...]:
    """Each model with the provider it is wanted from: every model at every one of *providers*.

    Raises:
        ConfigError: No model, or something that is no name.
    """
    names = _names(models, "model")
    if providers is None:
        return tuple((name, None) for name in names)
    return tuple(product(names, _names(providers, "provider")))


def _axis(name: str, raw_value: object) -> Sequence[object]:
    if hasattr(raw_value, "tolist"):  # a numpy array or a pandas Series
        raw_value = raw_value.tolist()
    if not isinstance(raw_value, list | tuple):
        return [raw_value]
    values: list[object] = list(raw_value)
    if name == "stop":
        return values if values and not isinstance(values[0], str) else [values]
    if not values:
        raise ConfigError(f"{name}=[] spans no value; leave it out or name one")
    return values


def _checked(name: str, value: object) -> object:
    if value is None or name not in PARAMETERS:
        return value
    if name == "stop":
        words = [value] if isinstance(value, str) else value
        if not isinstance(words, Iterable):
            raise ConfigError(f"stop must be a string or a list of strings, not {value!r}")
        stops = tuple(_text("a stop sequence", word) for word in words)
        if "" in stops:
            raise ConfigError(
                "a stop sequence is empty, so nothing could be answered; leave it out"
            )
        return stops
    if name == "system":
        return _text(name, value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ConfigError(f"{name} must be a number, not {value!r}")
    if name in NUMBERS:
        low, high = NUMBERS[name]
        number = float(value)
        if not low <= number <= high:
            raise ConfigError(f"{name} must lie between {low:g} and {high:g}, not {number:g}")
        return number
    least = COUNTS[name]
    if value != int(value) or (least is not None and value < least):
        raise ConfigError(f"{name} must be a whole number of {least or 0} or more, not {value!r}")
    return int(value)


def _text(name: str, value: object) -> str:
    if not isinstance(value, str):
        raise ConfigError(f"{name} must be text, not {value!r}")
    return value


def _names(raw_names: object, what: str) -> tuple[str, ...]:
    if isinstance(raw_names, str):
        raw_names = [raw_names]
    names: list[Any] = list(raw_names) if isinstance(raw_names, Iterable) else [raw_names]
    wrong = [name for name in names if not isinstance(name, str) or not name.strip()]
    if wrong:
        raise ConfigError(f"{wrong[0]!r} is no {what}'s name; give a string or a list of strings")
    if not names:
        raise ConfigError(f'the list of {what}s is empty; name at least one, e.g. "local:smollm2"')
    return tuple(names)
