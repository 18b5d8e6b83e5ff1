"""The parameters of asking and comparing, written, checked and explained once."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, ParamSpec, TypeVar

from ..catalogue.fallback_policy import Fallback
from ..comparison.watchers import Watcher
from ..errors import ConfigError
from .options import Options, options
from .parameters import Spot, grid, named_models, spot, spots
from .prompts import questions

DEFAULT_MODEL = "local:smollm2"  # needs no key
ONE = "ask() puts one prompt once; for lists use compare()"

P = ParamSpec("P")
A = TypeVar("A")
T = TypeVar("T")


class Asked(NamedTuple):
    """What one `ask` asks."""

    spot: Spot
    options: Options


class Compared(NamedTuple):
    """What one `compare` compares, and within which limits."""

    spots: tuple[Spot, ...]
    options: Options
    limits: dict[str, Any]
    view: Watcher | None


def takes(parameters: Callable[P, A]) -> Callable[[Callable[[A], T]], Callable[P, T]]:
    """Gives a function the parameters of another one, whose result it is called with.

    So the parameters of `ask`, `aask` and `stream` are written, checked and explained once.
    """

    def decorate(function: Callable[[A], T]) -> Callable[P, T]:
        @functools.wraps(function)
        def wrapper(*args: P.args, **kwargs: P.kwargs) -> T:
            return function(parameters(*args, **kwargs))

        gives = inspect.signature(function).return_annotation
        shown = inspect.signature(parameters).replace(return_annotation=gives)
        wrapper.__signature__ = shown  # type: ignore[attr-defined]  # for help() and Shift-Tab
        _, _, explained = inspect.getdoc(parameters).partition("\n")  # type: ignore[union-attr]
        wrapper.__doc__ = f"{inspect.getdoc(function)}\n{explained}"
        return wrapper

    return decorate


def asking(
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
) -> Asked:
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
    asked = questions(prompt, messages)
    words = (
        model or DEFAULT_MODEL, provider, system, temperature, top_p, max_tokens, seed, stop,
        fallback, needs, strict, verbatim, timeout, retries,
    )  # fmt: skip
    try:
        wish = _known_wish(*words) if not provider_options else _wish(*words, provider_options)
    except TypeError:  # a list among them
        wish = _wish(*words, provider_options)
    if len(asked) > 1:
        raise ConfigError(ONE)
    return Asked(spot(0, asked[0], wish.named, wish.point, 0, wish.options.extra), wish.options)


class _Wish(NamedTuple):
    """What one `ask` wants beside its prompt, checked."""

    named: tuple[str, str | None]
    point: Mapping[str, object]
    options: Options


def _wish(
    model: object, provider: object, system: object, temperature: object, top_p: object,
    max_tokens: object, seed: object, stop: object, fallback: object, needs: object,
    strict: bool, verbatim: bool, timeout: float | None, retries: int | None,
    extra: Mapping[str, object] | None = None,
) -> _Wish:  # fmt: skip
    parameters = {
        "system": system, "temperature": temperature, "top_p": top_p,
        "max_tokens": max_tokens, "seed": seed, "stop": stop,
    }  # fmt: skip
    points = grid(parameters)
    if len(points) > 1:
        raise ConfigError(ONE)
    wish = options(
        parameters, fallback=fallback, needs=needs, strict=strict, verbatim=verbatim,
        timeout=timeout, retries=retries, extra=extra,
    )  # fmt: skip
    named = named_models(model, provider)
    if len(named) > 1:
        raise ConfigError("ask() asks one model at one provider; for several use compare()")
    return _Wish(named[0], points[0], wish)


# Who asks again and again asks mostly with other prompts only: the rest is checked once. By their
# types as well, because True is no temperature and equals 1.
_known_wish = functools.lru_cache(maxsize=64, typed=True)(_wish)


def comparing(
    prompts: object = None,
    models: str | Sequence[str] | None = None,
    *,
    providers: str | Sequence[str] | None = None,
    repeats: int = 1,
    fallback: str | Sequence[str] | Fallback = "error",
    max_calls: int | None = None,
    max_cost_usd: float | None = None,
    limit_per_provider: int | None = None,
    view: Watcher | None = None,
    system: object = None,
    messages: Sequence[object] | None = None,
    max_tokens: object = None,
    temperature: object = None,
    top_p: object = None,
    stop: object = None,
    seed: object = None,
    needs: Sequence[str] = (),
    strict: bool = False,
    verbatim: bool = False,
    timeout: float | None = None,
    retries: int | None = None,
    **provider_options: object,
) -> Compared:
    """The parameters of `compare` and `acompare`.

    Args:
        prompts: Text, a list of texts or Prompts, a Series, or a DataFrame with a `prompt`
            column, whose index and other columns go through to the table.
        models: One name or several, as in `ask`.
        providers: Every model is asked at every one of these.
        repeats: How often each request is sent.
        fallback: As in `ask`, but "error" if left out, since a comparison must not change its
            subject: a retired model is an error row that names its successor. Rows that another
            model has answered are marked, and no figure counts them unless it is told to.
        max_calls: Most paid requests; more are refused before anything is sent.
        max_cost_usd: Most US dollars by estimate; None for no limit.
        limit_per_provider: Requests to one provider at the same time.
        view: Who watches the answers grow.
        system: As *temperature*, *top_p*, *max_tokens* and *seed*: a list of values spans a
            grid; *stop* does so as a list of lists.
        messages: A conversation, oldest first, in place of *prompts*.
        needs: Capabilities that a model must be known to have, such as "vision".
        strict: A parameter that a model cannot take makes its row an error.
        verbatim: Send the names as they are.
        timeout: Seconds for each call, retries included.
        retries: Further attempts of each call where nothing was answered; 0 for none.
        **provider_options: Further fields for the requests, in the providers' own words.

    Raises:
        ConfigError: What is asked cannot be understood; nothing was sent. A call that fails is
            a row and raises nothing.
        SpendLimitError: More calls or a higher estimate than allowed; nothing was sent.
    """
    parameters = {
        "system": system, "temperature": temperature, "top_p": top_p,
        "max_tokens": max_tokens, "seed": seed, "stop": stop,
    }  # fmt: skip
    wish = options(
        parameters, fallback=fallback, needs=needs, strict=strict, verbatim=verbatim,
        timeout=timeout, retries=retries, extra=provider_options,
    )  # fmt: skip
    named = named_models(DEFAULT_MODEL if models is None else models, providers)
    planned = spots(questions(prompts, messages), named, grid(parameters), repeats, wish.extra)
    limits = {
        "max_calls": max_calls, "max_cost_usd": max_cost_usd, "limit": limit_per_provider,
    }  # fmt: skip
    return Compared(planned, wish, limits, view)
