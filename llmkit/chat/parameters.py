"""What a comparison will ask: every prompt, model, grid point and repeat, in order."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import product
from math import inf
from typing import Any

from ..errors import ConfigError
from ..fields import Parameter
from ..types import PARAMETERS, Prompt
from .prompts import PromptInput


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

    A list of a scalar parameter has one point for each value; `stop`, which is itself a list,
    spans a grid only as a list of lists.

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
    if name in PARAMETERS and PARAMETERS[name].dtype == "object":
        return values if values and not isinstance(values[0], str) else [values]
    if not values:
        raise ConfigError(f"{name} is an empty list; pass at least one value or omit it")
    return values


def _checked(name: str, value: object) -> object:
    if value is None:
        return value
    row = PARAMETERS.get(name)
    if row is None or row.dtype == "string":
        return _text(name, value)
    if row.dtype != "object":
        return _number(name, row, value)
    words = [value] if isinstance(value, str) else value
    if not isinstance(words, Iterable):
        raise ConfigError(f"{name} must be a string or a list of strings, got {value!r}")
    texts = tuple(_text(f"each text of {name}", word) for word in words)
    if "" in texts:
        raise ConfigError(f"{name} contains an empty text; remove it, or omit {name}")
    return texts


def _number(name: str, row: Parameter, value: object) -> float | int:
    """Returns *value* as a number of the kind and within the bounds of *row*."""
    number: float | int | None = None
    if isinstance(value, int | float) and not isinstance(value, bool):
        if row.kind is float:
            number = float(value)
        elif isinstance(value, int) or value.is_integer():
            number = int(value)
    low, high = -inf if row.low is None else row.low, inf if row.high is None else row.high
    if number is not None and low <= number <= high:
        return number
    bounds = [f" >= {low:g}"] * (low > -inf) + [f" <= {high:g}"] * (high < inf)
    kind = "a number" if row.kind is float else "an integer"
    raise ConfigError(f"{name} must be {kind}{' and'.join(bounds)}, got {value!r}")


def _text(name: str, value: object) -> str:
    if not isinstance(value, str):
        raise ConfigError(f"{name} must be text, got {value!r}")
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
