"""Declares, checks and documents the parameters of `ask` and its variants once."""

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
from .values import fixed, plain

DEFAULT_MODEL = "local:smollm2"  # needs no key
ONE = "ask() takes one prompt and one value of each parameter; use compare() for lists"

P = ParamSpec("P")
A = TypeVar("A")
T = TypeVar("T")


class ChatArguments(NamedTuple):
    """The checked arguments of one `ask`."""

    request: PlannedRequest
    options: Options


def takes(parameters: Callable[P, A]) -> Callable[[Callable[[A], T]], Callable[P, T]]:
    """Decorates a function to take the arguments of *parameters* and be called with its result.

    Signature and help text are those of *parameters*, with the request parameters of `Prompt`.
    """
    signature, explanation = _with_request_parameters(parameters)

    def decorate(function: Callable[[A], T]) -> Callable[P, T]:
        @functools.wraps(function)
        def wrapper(*args: P.args, **kwargs: P.kwargs) -> T:
            try:
                arguments = parameters(*args, **kwargs)
            except TypeError as error:  # name the function that the user called
                start = f"{parameters.__name__}()"
                if not str(error).startswith(start):
                    raise
                message = str(error).replace(start, f"{function.__name__}()", 1)
                raise TypeError(message) from None
            return function(arguments)

        return_type = inspect.signature(function).return_annotation
        # For help() and Shift-Tab.
        wrapper.__signature__ = signature.replace(return_annotation=return_type)  # type: ignore[attr-defined]
        summary = inspect.getdoc(function)
        wrapper.__doc__ = summary and f"{summary}\n{explanation}"  # python -OO removes docstrings
        return wrapper

    return decorate


def chat_arguments(
    prompt: object = None,
    model: str | None = None,
    *,
    provider: str | None = None,
    system: str | None = None,
    messages: Sequence[object] | None = None,
    fallback: str | Sequence[str] | Fallback = "successor",
    needs: Sequence[str] = (),
    strict: bool = False,
    verbatim: bool = False,
    timeout: float | None = None,
    retries: int | None = None,
    stream: bool = True,
    **provider_options: object,
) -> ChatArguments:
    """Checks the arguments of `ask`, `aask` and `stream`.

    Args:
        prompt: A text or a Prompt.
        model: A standard name, a provider's id, or "provider:id". Default: the embedded model.
        provider: The provider to ask; the name is translated to a comparable model there.
        system: The system prompt.
        messages: A conversation, oldest message first, instead of *prompt*.
        fallback: The models that may answer if the model is retired, busy, or too small for the
            prompt: "error" (none), "successor" (what the same provider names instead),
            "same-model" (at another provider), "equivalent" (both, and its peers in the catalogue,
            also of other makers) or "any" (also the most similar ones). Also a list of models, or
            a `Fallback` with limits. `.fallback` records each step.
        needs: Capabilities that the model must be known to have, such as "vision".
        strict: True raises an error if the model does not support a parameter.
        verbatim: True sends the model name unchanged.
        timeout: Seconds for the whole call, including retries.
        retries: Maximum retries of a call that got no answer; 0 for none.
        stream: False asks for the whole answer in one document, for servers that do not stream.
        **provider_options: Further request fields, as named by the provider's API; None leaves a
            field out.

    Raises:
        ConfigError: An argument is invalid; nothing was sent.
        CallError: The call failed, or the stream was cut; `.completion` holds the text so far.
    """
    if provider_options or provider is not None:
        prompt, model, provider = in_other_words(provider_options, prompt, model, provider)
    inputs = prompt_inputs(prompt, messages)
    pairs, points, wish, _ = checked(
        provider_options, model or DEFAULT_MODEL, provider, fallback, needs, strict, verbatim,
        timeout, retries, stream, system,
    )  # fmt: skip
    if len(inputs) > 1 or len(points) > 1:
        raise ConfigError(ONE)
    if len(pairs) > 1:
        raise ConfigError("ask() sends to one model at one provider; for several use compare()")
    return ChatArguments(plan_request(0, inputs[0], pairs[0], points[0], 0, wish.extra), wish)


def in_other_words(
    further: dict[str, Any], prompt: Any, model: Any, provider: Any, *, plural: bool = False
) -> tuple[Any, Any, Any]:
    """Returns prompt, model and provider, also if they were passed under their other name.

    `ask` names them in the singular, `compare` in the plural, and both take the other name.
    *further* are the arguments without a parameter, from which it is removed. OpenRouter's fields
    stay there: a mapping `provider`, and a list `models` beside the model of `ask`.

    Raises:
        ConfigError: One was passed under both names.
    """
    values = []
    for name, value in (("prompt", prompt), ("model", model), ("provider", provider)):
        ours, other = (f"{name}s", name) if plural else (name, f"{name}s")
        if ours == "provider" and isinstance(value, Mapping):
            further["provider"], value = value, None
        given = further.get(other)
        is_list_beside = other == "models" and value is not None and not isinstance(given, str)
        if (
            given is not None
            and not is_list_beside
            and not (other == "provider" and isinstance(given, Mapping))
        ):
            if value is not None:
                raise ConfigError(f"{ours} and {other} are the same argument; pass one of them")
            value = further.pop(other)
        values.append(value)
    return values[0], values[1], values[2]


class CheckedArguments(NamedTuple):
    """The checked arguments of `ask` or `compare`, except the prompts.

    Attributes:
        models: Each model with its provider, None if the name decides.
        points: The grid that the parameters span; one point if no parameter is a list.
        repaired: The arguments in which a lone surrogate became U+FFFD.
    """

    models: tuple[tuple[str, str | None], ...]
    points: tuple[Mapping[str, object], ...]
    options: Options
    repaired: tuple[str, ...]


def checked(further: dict[str, object], *arguments: Any) -> CheckedArguments:
    """Checks the arguments that `ask` and `compare` share.

    Args:
        further: Request parameters and provider options. The request parameters are removed.
        arguments: The arguments of `_check`, up to *system*.

    Raises:
        ConfigError: An argument is invalid.
    """
    values = tuple(map(further.pop, PARAMETERS, repeat(None)))
    # A generator or a view is hashable, but its values change.
    if not further and _UNCHANGING.issuperset(map(type, (*arguments, *values))):
        # Most successive calls differ in their prompt only.
        with suppress(TypeError):  # an argument holds a list, which is not hashable
            once: CheckedArguments = _check_once(*arguments, *values)
            return once
    return _check(*arguments, *values, extra=further)


def _check(
    models: object, providers: object, fallback: object, needs: object, strict: bool,
    verbatim: bool, timeout: float | None, retries: int | None, stream: bool, system: object,
    *values: object, extra: Mapping[str, object] | None = None,
) -> CheckedArguments:  # fmt: skip
    parameters = {"system": system, **dict(zip(PARAMETERS, values, strict=True))}
    how = {"fallback": fallback, "strict": strict, "verbatim": verbatim, "timeout": timeout,
           "retries": retries, "stream": stream}  # fmt: skip
    given = {
        name: plain(name, value)
        for name, value in {
            **parameters, **how, "models": DEFAULT_MODEL if models is None else models,
            "providers": providers, "options": dict(extra or {}),
        }.items()
    }  # fmt: skip
    kept = fixed(given)
    parameters = {name: kept[name] for name in parameters}
    points = grid(parameters)
    checked_options = options(
        parameters, needs=needs, extra=kept["options"], **{name: kept[name] for name in how}
    )
    repaired = tuple(name for name, value in given.items() if kept[name] is not value)
    pairs = named_models(kept["models"], kept["providers"])
    return CheckedArguments(pairs, points, checked_options, repaired)


# The types of arguments whose values never change, and which are hashable.
_UNCHANGING = frozenset({type(None), bool, int, float, str, tuple, Fallback})
# Typed, because True equals 1 and is not a temperature.
_check_once: Any = functools.lru_cache(maxsize=64, typed=True)(_check)


def _with_request_parameters(function: Callable[..., object]) -> tuple[inspect.Signature, str]:
    """Returns the signature and help text of *function* with the request parameters added."""
    signature = inspect.signature(function)
    *ours, further = signature.parameters.values()
    takes_lists = signature.parameters["system"].annotation == "object"  # of a comparison
    rows = []
    for name, row in PARAMETERS.items():
        kind = "str | Sequence[str]" if row.dtype == "object" else row.kind.__name__
        annotation = "object" if takes_lists else f"{kind} | None"
        keyword = inspect.Parameter.KEYWORD_ONLY
        rows.append(inspect.Parameter(name, keyword, default=None, annotation=annotation))
    _, _, explanation = (inspect.getdoc(function) or "").partition("\n")
    before, mark, after = explanation.partition("    **provider_options")
    lines = (f"    {name}: {_sentence(row)}\n" for name, row in PARAMETERS.items())
    text = f"{before}{''.join(lines)}{mark}{after}"
    return signature.replace(parameters=[*ours, *rows, further]), text


def _sentence(row: Parameter) -> str:
    bounds = f" ({row.low:g} to {row.high:g})" if None not in (row.low, row.high) else ""
    return f"{row.help[:1].upper()}{row.help[1:]}{bounds}; None for the provider's default."
