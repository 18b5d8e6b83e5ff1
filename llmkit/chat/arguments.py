"""The parameters of asking and comparing, written, checked and explained once."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from itertools import repeat
from typing import Any, NamedTuple, ParamSpec, TypeVar

from ..catalogue.fallback_policy import Fallback
from ..errors import ConfigError
from ..fields import Parameter
from ..types import PARAMETERS
from .options import Options, options
from .requests import PlannedRequest, grid, named_models, plan_request, prompt_inputs

DEFAULT_MODEL = "local:smollm2"  # needs no key
ONE = "ask() puts one prompt once; for lists use compare()"

P = ParamSpec("P")
A = TypeVar("A")
T = TypeVar("T")


class ChatArguments(NamedTuple):
    """What one `ask` asks."""

    request: PlannedRequest
    options: Options


def takes(parameters: Callable[P, A]) -> Callable[[Callable[[A], T]], Callable[P, T]]:
    """Gives a function the parameters of another one, whose result it is called with.

    So the parameters of `ask`, `aask` and `stream` are written, checked and explained once. The
    request parameters of `Prompt` are added to them.
    """

    signature, explanation = _with_request_parameters(parameters)

    def decorate(function: Callable[[A], T]) -> Callable[P, T]:
        @functools.wraps(function)
        def wrapper(*args: P.args, **kwargs: P.kwargs) -> T:
            try:
                arguments = parameters(*args, **kwargs)
            except TypeError as error:  # names the function that was called, not this one's helper
                start = f"{parameters.__name__}()"
                if not str(error).startswith(start):
                    raise
                message = str(error).replace(start, f"{function.__name__}()", 1)
                raise TypeError(message) from None
            return function(arguments)

        return_type = inspect.signature(function).return_annotation
        # For help() and Shift-Tab.
        wrapper.__signature__ = signature.replace(return_annotation=return_type)  # type: ignore[attr-defined]
        wrapper.__doc__ = f"{inspect.getdoc(function)}\n{explanation}"
        return wrapper

    return decorate


def chat_arguments(
    prompt: object = None,
    model: str | None = None,
    *,
    provider: str | None = None,
    system: str | None = None,
    messages: Sequence[object] | None = None,
    fallback: str | Sequence[str] | Fallback = "equivalent",
    needs: Sequence[str] = (),
    strict: bool = False,
    verbatim: bool = False,
    timeout: float | None = None,
    retries: int | None = None,
    **provider_options: object,
) -> ChatArguments:
    """The parameters of `ask`, `aask` and `stream`.

    Args:
        prompt: Text, or a Prompt; or give a conversation as *messages*.
        model: A standard name, a provider's id, or "provider:id"; the embedded model if left out.
        provider: Where to ask; the name is translated to what is comparable there.
        system: The system prompt.
        messages: A conversation, oldest first, in place of *prompt*.
        fallback: Who may answer where the model is gone, is busy for longer than is waited, or
            is too small for the prompt; each step is recorded in `.fallback`. "equivalent" lets
            what its provider or the catalogue names, "same-model" only the same model at
            another provider, "any" also what is most like it, "error" nobody; or a list of
            models, or a `Fallback` with limits.
        needs: Capabilities that the model must be known to have, such as "vision".
        strict: Raise where the model cannot take a parameter, instead of listing it.
        verbatim: Send the name as it is.
        timeout: Seconds for the whole call, retries included.
        retries: Further attempts after the first where nothing was answered; 0 for none.
        **provider_options: Further fields for the request, in the provider's own words.

    Raises:
        ConfigError: Something is missing or wrong; nothing was sent.
        CallError: It failed, or the stream was cut; `.completion` holds the text so far.
    """
    inputs = prompt_inputs(prompt, messages)
    pairs, points, wish = checked(
        provider_options, model or DEFAULT_MODEL, provider, fallback, needs, strict, verbatim,
        timeout, retries, system,
    )  # fmt: skip
    if len(inputs) > 1 or len(points) > 1:
        raise ConfigError(ONE)
    if len(pairs) > 1:
        raise ConfigError("ask() asks one model at one provider; for several use compare()")
    return ChatArguments(plan_request(0, inputs[0], pairs[0], points[0], 0, wish.extra), wish)


class CheckedArguments(NamedTuple):
    """What `ask` and `compare` were given beside prompts, checked.

    Attributes:
        models: Each with the provider that it is wanted from.
        points: Of the grid that the parameters span; one if no parameter is a list.
    """

    models: tuple[tuple[str, str | None], ...]
    points: tuple[Mapping[str, object], ...]
    options: Options


def checked(further: dict[str, object], *arguments: Any) -> CheckedArguments:
    """Returns the arguments that `ask` and `compare` share, checked.

    Args:
        further: The request parameters among provider options; the former are taken out of it.
        arguments: As `_check` takes them, up to *system*.

    Raises:
        ConfigError: One of them is wrong.
    """
    values = tuple(map(further.pop, PARAMETERS, repeat(None)))
    if not further:
        # Most calls in a row differ in their prompt only.
        with suppress(TypeError):  # a list among them
            once: CheckedArguments = _check_once(*arguments, *values)
            return once
    return _check(*arguments, *values, extra=further)


def _check(
    models: object, providers: object, fallback: object, needs: object, strict: bool,
    verbatim: bool, timeout: float | None, retries: int | None, system: object, *values: object,
    extra: Mapping[str, object] | None = None,
) -> CheckedArguments:  # fmt: skip
    parameters = {"system": system, **dict(zip(PARAMETERS, values, strict=True))}
    points = grid(parameters)
    checked_options = options(
        parameters, fallback=fallback, needs=needs, strict=strict, verbatim=verbatim,
        timeout=timeout, retries=retries, extra=extra,
    )  # fmt: skip
    pairs = named_models(DEFAULT_MODEL if models is None else models, providers)
    return CheckedArguments(pairs, points, checked_options)


# By their types as well, because True equals 1 and is not a temperature.
_check_once: Any = functools.lru_cache(maxsize=64, typed=True)(_check)


def _with_request_parameters(function: Callable[..., object]) -> tuple[inspect.Signature, str]:
    """Returns signature and explanation of *function* with the request parameters added."""
    signature = inspect.signature(function)
    *ours, further = signature.parameters.values()
    takes_lists = signature.parameters["system"].annotation == "object"  # of a comparison
    rows = [
        inspect.Parameter(
            name, inspect.Parameter.KEYWORD_ONLY, default=None,
            annotation="object" if takes_lists else _annotation(row),
        )
        for name, row in PARAMETERS.items()
    ]  # fmt: skip
    _, _, explanation = (inspect.getdoc(function) or "").partition("\n")
    before, mark, after = explanation.partition("    **provider_options")
    lines = (f"    {name}: {_sentence(row)}\n" for name, row in PARAMETERS.items())
    text = f"{before}{''.join(lines)}{mark}{after}"
    return signature.replace(parameters=[*ours, *rows, further]), text


def _annotation(row: Parameter) -> str:
    return f"{'str | Sequence[str]' if row.dtype == 'object' else row.kind.__name__} | None"


def _sentence(row: Parameter) -> str:
    bounds = f" ({row.low:g} to {row.high:g})" if None not in (row.low, row.high) else ""
    return f"{row.help[:1].upper()}{row.help[1:]}{bounds}; None for the provider's default."
