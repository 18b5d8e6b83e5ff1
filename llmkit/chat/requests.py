"""Turns prompts and arguments into planned requests: prompt, model, grid point and repeat.

Called by `chat.arguments` and `comparison.arguments`. Must not know the catalogue or keys.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from decimal import Decimal
from itertools import product
from math import inf
from numbers import Real
from typing import Any

from ..errors import ConfigError, shown
from ..fields import LARGEST, Parameter
from ..types import PARAMETERS, Message, Prompt
from .prompt_table import prompt_table
from .values import fixed, is_missing, listed, place_of, plain

ROW_PARAMETERS = ("system", *PARAMETERS)  # a column of a DataFrame may hold their values


@dataclass(frozen=True, slots=True)
class PromptInput:
    """One prompt of a comparison, before its parameters.

    Attributes:
        id: Its index in a Series or DataFrame, its key in a dict, else its position.
        prompt: The Prompt with parameters of its own; None if it has none.
        extra: The other columns of the DataFrame, by name.
        labels: The label of each of these columns whose name is not its label.
        repaired: True if a lone surrogate in it became U+FFFD.
    """

    id: object
    messages: tuple[Message, ...]
    system: str | None = None
    prompt: Prompt | None = None
    extra: Mapping[str, object] = field(default_factory=dict)
    labels: Mapping[str, object] = field(default_factory=dict)
    repaired: bool = False

    @property
    def text(self) -> str:
        """The last message, which is shown in tables."""
        return self.messages[-1].text


def prompt_inputs(
    prompts: object, messages: object = None, row_parameters: Sequence[str] = ()
) -> tuple[PromptInput, ...]:
    """Returns an input for each prompt of a text, a Prompt, a list of them, or a table.

    A list is any array, range, generator or view of a dict; a generator is read once. A Series
    gives its index as ids, a dict its keys. A list of Messages is one conversation, like
    *messages*.

    Args:
        row_parameters: The columns of a DataFrame that hold parameters of its rows.

    Raises:
        ConfigError: No prompt was passed, or one is invalid.
    """
    is_table = hasattr(prompts, "columns") or hasattr(prompts, "column_names")
    if row_parameters and not is_table:
        raise ConfigError(
            "row_parameters names columns of a DataFrame of prompts, and prompts is "
            f"{type(prompts).__name__}; pass a DataFrame, or the parameters as arguments"
        )
    if messages is not None:
        if prompts is not None:
            raise ConfigError("pass either a prompt or messages=[...], not both")
        return _conversation(messages)
    if isinstance(prompts, str | Prompt):
        return (_question(0, prompts),)
    if is_table and hasattr(prompts, "to_pandas"):  # of polars, pyarrow or datasets
        prompts = prompts.to_pandas()
    if is_table and hasattr(prompts, "iterrows"):
        return _from_frame(prompts, row_parameters)
    return _conversation([prompts]) if _is_message(prompts) else _several(prompts)


def _several(prompts: Any) -> tuple[PromptInput, ...]:
    is_series = hasattr(prompts, "index") and hasattr(prompts, "items")
    if is_series or isinstance(prompts, Mapping):
        return _labeled(prompts.items())
    values = listed("prompts", prompts)
    if values is None:
        raise ConfigError(
            "prompt must be a string, a list of strings, a Series or a DataFrame with a prompt "
            f"column, got {type(prompts).__name__}; for a conversation pass messages=[...]"
        )
    if values and all(map(_is_message, values)):
        return _conversation(values)
    return _labeled(enumerate(values))


def _labeled(pairs: Iterable[tuple[object, object]]) -> tuple[PromptInput, ...]:
    inputs = []
    for position, (label, value) in enumerate(pairs):
        key = plain("prompts", label)
        question = _question(fixed(key), value, position)
        inputs.append(question if question.id is key else replace(question, repaired=True))
    if not inputs:
        raise ConfigError("the list of prompts is empty; pass at least one")
    return tuple(inputs)


def _question(key: object, value: Any, position: int | None = None) -> PromptInput:
    """Returns the input of one prompt, which is at *position* if there are others."""
    repaired = False
    if type(value) is not str or not value.isascii():
        given = plain("prompts", value)
        value = fixed(given)
        repaired = value is not given
    if isinstance(value, Prompt) and any(message.text for message in value.messages):
        return PromptInput(key, value.messages, value.system, value, repaired=repaired)
    if isinstance(value, str) and value.strip():
        return PromptInput(key, (Message("user", value),), repaired=repaired)
    name = "the prompt" if position is None else f"prompt at {place_of(position, key)}"
    if isinstance(value, str | Prompt) or is_missing(value):
        do = "write what you want to ask" if position is None else "fill it in, or leave it out"
        raise ConfigError(f"{name} is empty; {do}")
    do = "decode it" if isinstance(value, bytes) else "write it as text, or leave it out"
    raise ConfigError(f"{name} must be text, got {shown(value)}; {do}")


def row_parameter_names(names: object, given: Collection[str]) -> tuple[str, ...]:
    """Returns *names* as a tuple of parameters, each once; *given* are the arguments beside them.

    Raises:
        ConfigError: One of them is not a parameter that each row may have, or is an argument, too.
    """
    given_names = () if names is None else names
    found = tuple(dict.fromkeys(_names(given_names, "row_parameter", none=True)))
    for name in found:
        if name not in ROW_PARAMETERS:
            known = ", ".join(ROW_PARAMETERS)
            raise ConfigError(f"row_parameters names {shown(name)}; it may name {known}")
        if name in given:
            raise ConfigError(f"{name} is an argument and in row_parameters; pass it in only one")
    return found


def _from_frame(frame: Any, row_parameters: Sequence[str]) -> tuple[PromptInput, ...]:
    table = prompt_table(frame)
    for name in row_parameters:
        if name not in table.columns:
            raise ConfigError(
                f"row_parameters names {name}, and the DataFrame has no such column; add it, "
                f"or pass {name} as an argument"
            )
    cells = {name: table.columns.pop(name) for name in row_parameters}
    labels = {name: label for name, label in table.labels.items() if name in table.columns}
    inputs = []
    for i, question in enumerate(_labeled(zip(table.ids, table.prompts, strict=True))):
        own = {n: _cell(n, values[i], place_of(i, question.id)) for n, values in cells.items()}
        own = {name: value for name, value in own.items() if value is not None}
        prompt = question.prompt
        if own:
            prompt = replace(prompt or Prompt(question.messages), **own)
        given = {name: values[i] for name, values in table.columns.items()}
        extra = fixed(given)
        repaired = question.repaired or extra is not given
        row = replace(question, prompt=prompt, extra=extra, labels=labels, repaired=repaired)
        inputs.append(row)
    return tuple(inputs)


def _cell(name: str, value: object, place: str) -> Any:
    """Returns the value of the parameter *name* in a cell of a DataFrame, None for an empty one."""
    if is_missing(value):
        return None
    try:
        return _checked(name, plain(name, value))
    except ConfigError as error:
        raise ConfigError(f"{error}, at {place} of the DataFrame") from None


def _is_message(item: object) -> bool:
    return isinstance(item, Message) or (
        isinstance(item, Mapping) and {"role", "content"} <= item.keys()
    )


def _conversation(items: object) -> tuple[PromptInput]:
    given = plain("messages", items)
    if not isinstance(given, list | tuple) or not given:
        raise ConfigError("messages must be a non-empty list, oldest message first")
    whole = fixed(given)
    turns = [_message(item) for item in whole]
    system = "\n\n".join(turn.text for turn in turns if turn.role == "system") or None
    messages = tuple(turn for turn in turns if turn.role != "system")
    if not messages:
        raise ConfigError("messages has only a system prompt; add a user message")
    return (PromptInput(0, messages, system, repaired=whole is not given),)


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
        repaired: The arguments of its run in which a lone surrogate became U+FFFD, besides the
            prompts.
    """

    row: int
    prompt_input: PromptInput
    asked: str
    provider: str | None
    parameters: Mapping[str, object]
    repeat: int
    prompt: Prompt = field(repr=False)
    repaired: tuple[str, ...] = ()


def plan_request(
    row: int,
    prompt_input: PromptInput,
    model: tuple[str, str | None],
    point: Mapping[str, object],
    repeat: int,
    options: Mapping[str, object],
) -> PlannedRequest:
    """Returns one row; parameters of the grid point override those of the prompt."""
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
    return PlannedRequest(row, prompt_input, *model, point, repeat, prompt)


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

    A text may be several names, separated by commas.

    Raises:
        ConfigError: A list is empty, or an item is not a name.
    """
    names = _names(models, "model")
    if providers is None:
        return tuple((name, None) for name in names)
    return tuple(product(names, _names(providers, "provider")))


def limit(name: str, kind: Parameter, value: object) -> float | int | None:
    """Returns *value*, the argument *name*, as a number of *kind*; None for no limit.

    Raises:
        ConfigError: It is not a number within the bounds of *kind*.
    """
    return None if value is None else checked_number(name, kind, plain(name, value))


def _axis(name: str, raw_value: object) -> Sequence[object]:
    found = None if isinstance(raw_value, str) else listed(name, raw_value)
    if found is None:
        return [plain(name, raw_value)]
    values: list[object] = plain(name, found)
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
        return checked_number(name, row, value)
    words = [value] if isinstance(value, str) else value
    if not isinstance(words, list | tuple):
        raise ConfigError(f"{name} must be a string or a list of strings, got {shown(value)}")
    texts = tuple(_text(f"each text of {name}", word) for word in words)
    if "" in texts:
        raise ConfigError(f"{name} contains an empty text; remove it, or omit {name}")
    return texts


def checked_number(name: str, row: Parameter, value: Any) -> float | int:
    """Returns *value* as a number of the kind and within the bounds of *row*."""
    number: float | int | None = None
    is_number = isinstance(value, Real | Decimal) and not isinstance(value, bool)
    if is_number:  # a name, because mypy knows no Real that is an int
        with suppress(OverflowError, ValueError):  # it is too large, or not a number
            exact = value if isinstance(value, int) else float(value)
            is_whole = isinstance(exact, int) or exact.is_integer()
            number = float(exact) if row.kind is float else int(exact) if is_whole else None
    most = inf if row.kind is float else LARGEST
    low, high = -most if row.low is None else row.low, most if row.high is None else row.high
    if number is not None and low <= number <= high:
        return number
    bounds = [f" >= {low:g}"] * (row.low is not None) + [f" <= {high:g}"] * (row.high is not None)
    kind = "a number" if row.kind is float else "an integer"
    if number is not None and abs(number) > most:
        kind += " < 2**63"
    is_default = name in PARAMETERS and is_missing(value)
    do = "; leave it out, or pass None for the provider's default" if is_default else ""
    raise ConfigError(f"{name} must be {kind}{' and'.join(bounds)}, got {shown(value)}{do}")


def _text(name: str, value: object) -> str:
    if not isinstance(value, str):
        raise ConfigError(f"{name} must be text, got {shown(value)}")
    text: str = fixed(value)
    return text


def _names(raw_names: object, what: str, *, none: bool = False) -> tuple[str, ...]:
    if isinstance(raw_names, str):
        parts = [name.strip() for name in raw_names.split(",")]
        if len(parts) > 1 and "" in parts:
            raise ConfigError(f"{what} has an empty name between commas, got {shown(raw_names)}")
        raw_names = parts
    elif isinstance(raw_names, Mapping):
        raw_names = list(raw_names)
    found = listed(f"{what}s", raw_names)
    names: list[Any] = [raw_names] if found is None else plain(f"{what}s", found)
    for position, name in enumerate(names):
        if not isinstance(name, str) or not name.strip():
            where = f" at position {position}" if len(names) > 1 else ""
            raise ConfigError(f"{what}{where} must be a name or a list of names, got {shown(name)}")
    if not names and not none:
        raise ConfigError(f"the list of {what}s is empty; pass at least one")
    return tuple(map(fixed, names))
