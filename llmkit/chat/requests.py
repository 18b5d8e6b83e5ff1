"""Turns prompts and arguments into planned requests: prompt, model, grid point and repeat.

Called by `chat.arguments` and `comparison.arguments`. Must not know the catalogue or keys.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import product
from math import inf
from typing import Any

from ..errors import ConfigError
from ..fields import LARGEST, Parameter
from ..types import PARAMETERS, Message, Prompt

PROMPT_COLUMN = "prompt"


@dataclass(frozen=True, slots=True)
class PromptInput:
    """One prompt of a comparison, before its parameters.

    Attributes:
        id: Its index in a Series or DataFrame, else its position.
        extra: The other columns of the DataFrame.
    """

    id: object
    messages: tuple[Message, ...]
    system: str | None = None
    prompt: Prompt | None = None
    extra: Mapping[str, object] = field(default_factory=dict)

    @property
    def text(self) -> str:
        """The last message, which is shown in tables."""
        return self.messages[-1].text


def prompt_inputs(prompts: object, messages: object = None) -> tuple[PromptInput, ...]:
    """Returns an input for each prompt of a string, a Prompt, a list, a Series or a DataFrame.

    A list of Messages is one conversation, like *messages*.

    Raises:
        ConfigError: No prompt was passed, or one is invalid.
    """
    if messages is not None:
        if prompts is not None:
            raise ConfigError("pass either a prompt or messages=[...], not both")
        return (_conversation(messages),)
    if isinstance(prompts, str | Prompt):
        return (_question(0, prompts),)
    if hasattr(prompts, "columns") and hasattr(prompts, "iterrows"):
        return _from_frame(prompts)
    if hasattr(prompts, "index") and hasattr(prompts, "items") and not isinstance(prompts, dict):
        return _some(_question(key, value) for key, value in prompts.items())
    if isinstance(prompts, Sequence):
        are_messages = all(
            isinstance(item, Message)
            or (isinstance(item, Mapping) and {"role", "content"} <= item.keys())
            for item in prompts
        )
        if prompts and are_messages:
            return (_conversation(prompts),)
        return _some(_question(i, item) for i, item in enumerate(prompts))
    raise ConfigError(
        "prompt must be a string, a list of strings, a Series or a DataFrame with a prompt column, "
        f"got {type(prompts).__name__}; for a conversation pass messages=[...]"
    )


def _some(inputs: Iterable[PromptInput]) -> tuple[PromptInput, ...]:
    result = tuple(inputs)
    if not result:
        raise ConfigError("the list of prompts is empty; pass at least one")
    return result


def _question(key: object, value: object) -> PromptInput:
    if isinstance(value, Prompt):
        return PromptInput(key, value.messages, value.system, value)
    if not isinstance(value, str):
        kind = type(value).__name__
        raise ConfigError(f"prompt {key!r} must be text, got {kind}; fill it in or omit it")
    if not value.strip():
        raise ConfigError("the prompt is empty; write what you want to ask")
    return PromptInput(key, (Message("user", value),))


def _from_frame(frame: Any) -> tuple[PromptInput, ...]:
    if PROMPT_COLUMN not in frame.columns:
        names = ", ".join(map(str, frame.columns))
        raise ConfigError(f"the DataFrame has no column named prompt; it has: {names}")
    others = [name for name in frame.columns if name != PROMPT_COLUMN]
    return _some(
        PromptInput(q.id, q.messages, q.system, q.prompt, {str(n): row[n] for n in others})
        for key, row in frame.iterrows()
        for q in (_question(key, row[PROMPT_COLUMN]),)
    )


def _conversation(items: object) -> PromptInput:
    if not isinstance(items, Sequence) or isinstance(items, str) or not items:
        raise ConfigError("messages must be a non-empty list, oldest message first")
    turns = [_message(item) for item in items]
    system = "\n\n".join(turn.text for turn in turns if turn.role == "system") or None
    messages = tuple(turn for turn in turns if turn.role != "system")
    if not messages:
        raise ConfigError("messages has only a system prompt; add a user message")
    return PromptInput(0, messages, system)


def _message(item: object) -> Message:
    if isinstance(item, Message):
        return item
    if isinstance(item, Mapping) and isinstance(item.get("content"), str):
        role = item.get("role")
        if role in ("system", "user", "assistant"):
            return Message(role, item["content"])
    raise ConfigError(
        'a message must be Message("user", "...") or {"role": "user", "content": "..."}, '
        "with the role system, user or assistant"
    )


@dataclass(frozen=True, slots=True)
class PlannedRequest:
    """One row before it is sent.

    Attributes:
        parameters: The grid point, with only the parameters that the caller passed.
        prompt: The prompt, including the parameters of the grid point.
        provider: The provider that the caller passed, None if the name decides.
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
    """Returns all rows, ordered by prompt, model, grid point and repeat."""
    if not isinstance(repeats, int) or repeats < 1:
        raise ConfigError(f"repeats must be an integer >= 1, got {repeats!r}")
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
    """Returns one row; parameters of the grid point override those of the prompt."""
    model_name, provider = model
    fields: dict[str, Any] = {}
    if point:
        fields = {name: value for name, value in point.items() if value is not None}
    base = prompt_input.prompt
    if options:
        fields["options"] = (*(base.options if base else ()), *sorted(options.items()))
    if base is not None:
        prompt = replace(base, **fields)
    else:
        prompt = Prompt(prompt_input.messages, **{"system": prompt_input.system, **fields})
    return PlannedRequest(row, prompt_input, model_name, provider, point, repeat, prompt)


def grid(parameters: Mapping[str, object]) -> tuple[dict[str, object], ...]:
    """Returns the points that *parameters* span; parameters that are None are left out.

    A list gives one point per value. `stop`, which is itself a list, needs a list of lists.

    Raises:
        ConfigError: A value is invalid, or a list is empty.
    """
    axes = [
        [(name, _checked(name, value)) for value in _axis(name, raw_value)]
        for name, raw_value in parameters.items()
        if raw_value is not None
    ]
    return tuple(dict(point) for point in product(*axes))


def named_models(models: object, providers: object = None) -> tuple[tuple[str, str | None], ...]:
    """Returns each model with each of *providers*, or with None if there are none.

    Raises:
        ConfigError: A list is empty, or an item is not a name.
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
    most = inf if row.kind is float else LARGEST
    low, high = -most if row.low is None else row.low, most if row.high is None else row.high
    if number is not None and low <= number <= high:
        return number
    bounds = [f" >= {low:g}"] * (row.low is not None) + [f" <= {high:g}"] * (row.high is not None)
    kind = "a number" if row.kind is float else "an integer"
    if number is not None and abs(number) > most:
        kind += " < 2**63"
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
        raise ConfigError(f"{what} must be a name or a list of names, got {wrong[0]!r}")
    if not names:
        raise ConfigError(f"the list of {what}s is empty; pass at least one")
    return tuple(names)
