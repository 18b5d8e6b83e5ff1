"""The parameters of asking and comparing, written, checked and explained once."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, ParamSpec, TypeVar

from ..catalogue.fallback_policy import Fallback
from ..errors import ConfigError
from .options import Options, options
from .parameters import PlannedRequest, grid, named_models, plan_request
from .prompts import prompt_inputs

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

    So the parameters of `ask`, `aask` and `stream` are written, checked and explained once.
    """

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
        signature = inspect.signature(parameters).replace(return_annotation=return_type)
        wrapper.__signature__ = signature  # type: ignore[attr-defined]  # for help() and Shift-Tab
        _, _, explanation = inspect.getdoc(parameters).partition("\n")  # type: ignore[union-attr]
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
    max_tokens: int | None = None,
    temperature: float | None = None,
    top_p: float | None = None,
    stop: str | Sequence[str] | None = None,
    seed: int | None = None,
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
        max_tokens: Most tokens to generate; None leaves the provider's default.
        temperature: None leaves the provider's default, as for *top_p*, *stop* and *seed*.
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
    pairs, points, wish = _checked(
        model or DEFAULT_MODEL, provider, system, temperature, top_p, max_tokens, seed, stop,
        fallback, needs, strict, verbatim, timeout, retries, provider_options,
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
        points: Of the grid that the parameters span; one where no parameter is a list.
    """

    models: tuple[tuple[str, str | None], ...]
    points: tuple[Mapping[str, object], ...]
    options: Options


def check(
    models: object, providers: object, system: object, temperature: object, top_p: object,
    max_tokens: object, seed: object, stop: object, fallback: object, needs: object,
    strict: bool, verbatim: bool, timeout: float | None, retries: int | None,
    extra: Mapping[str, object] | None = None,
) -> CheckedArguments:  # fmt: skip
    """The arguments that `ask` and `compare` share.

    Raises:
        ConfigError: One of them is wrong.
    """
    parameters = {
        "system": system, "temperature": temperature, "top_p": top_p,
        "max_tokens": max_tokens, "seed": seed, "stop": stop,
    }  # fmt: skip
    points = grid(parameters)
    checked_options = options(
        parameters, fallback=fallback, needs=needs, strict=strict, verbatim=verbatim,
        timeout=timeout, retries=retries, extra=extra,
    )  # fmt: skip
    pairs = named_models(DEFAULT_MODEL if models is None else models, providers)
    return CheckedArguments(pairs, points, checked_options)


# Who asks again and again asks mostly with other prompts only: the rest is checked once. By their
# types as well, because True is no temperature and equals 1.
_check_once = functools.lru_cache(maxsize=64, typed=True)(check)


def _checked(*arguments: Any) -> CheckedArguments:
    if not arguments[-1]:
        try:
            return _check_once(*arguments[:-1])
        except TypeError:  # a list among them
            pass
    return check(*arguments)
