"""The functions that people call, each a line or two over the kit."""

from __future__ import annotations

import functools
import inspect
from collections.abc import AsyncGenerator, Callable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, ParamSpec, TypeVar

from .catalogue import resolve as names
from .catalogue.resolve import Resolution
from .errors import ConfigError
from .kit import current_kit
from .lanes import Watcher
from .options import Options, options
from .plan import Spot, grid, named_models, spots
from .progress import Progress
from .prompts import questions
from .settings import Settings
from .types import Completion, StreamEnd, TextDelta

if TYPE_CHECKING:
    from .comparison import Comparison
    from .runtime.manager import EventLoopManager, SessionHandle

DEFAULT_MODEL = "local:smollm2"  # needs no key

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
    watchers: tuple[Watcher, ...]


def takes(parameters: Callable[P, A]) -> Callable[[Callable[[A], T]], Callable[P, T]]:
    """Gives a function the parameters of another one, whose result it is called with.

    So the parameters of `ask`, `aask` and `stream` are written, checked and explained once.
    """

    def decorate(function: Callable[[A], T]) -> Callable[P, T]:
        @functools.wraps(function)
        def wrapper(*args: P.args, **kwargs: P.kwargs) -> T:
            return function(parameters(*args, **kwargs))

        own = inspect.signature(parameters, eval_str=False)
        wrapper.__signature__ = own  # type: ignore[attr-defined]  # what help() and Shift-Tab show
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
    fallback: str = "equivalent",
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
        fallback: "equivalent" follows a retired model to its successor and records the step;
            "error" raises.
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
    parameters = {
        "system": system, "temperature": temperature, "top_p": top_p,
        "max_tokens": max_tokens, "seed": seed, "stop": stop,
    }  # fmt: skip
    asked = questions(prompt, messages)
    points = grid(parameters)
    if len(asked) > 1 or len(points) > 1:
        raise ConfigError("ask() puts one prompt once; for lists use compare()")
    wish = options(
        parameters, fallback=fallback, needs=needs, strict=strict, verbatim=verbatim,
        timeout=timeout, retries=retries, extra=provider_options,
    )  # fmt: skip
    named = named_models(model or DEFAULT_MODEL, provider)
    return Asked(spots(asked, named, points, 1, wish.extra)[0], wish)


def comparing(
    prompts: object = None,
    models: str | Sequence[str] | None = None,
    *,
    providers: str | Sequence[str] | None = None,
    repeats: int = 1,
    fallback: str = "error",
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
        fallback: "error" makes a retired model an error row that names its successor, since a
            comparison must not change its subject; "equivalent" follows it and says so.
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
    watcher = view or Progress(current_kit().settings.progress_after_s)
    return Compared(planned, wish, limits, (watcher,))


@takes(asking)
async def aask(asked: Asked) -> Completion:
    """One answer to one prompt, awaited."""
    return await current_kit().answer(asked.spot, asked.options)


@takes(asking)
def ask(asked: Asked) -> Completion:
    """One answer to one prompt, waited for."""
    kit = current_kit()
    return kit.manager.run(kit.answer(asked.spot, asked.options))


@takes(asking)
def stream(asked: Asked) -> AsyncGenerator[TextDelta | StreamEnd, None]:
    """The pieces of one answer as they come, then a StreamEnd with the whole of it."""
    return current_kit().stream(asked.spot, asked.options)


@takes(comparing)
async def acompare(compared: Compared) -> Comparison:
    """The answers of many models to many prompts, side by side, awaited.

    Cancelling it re-raises; what had come stays at `current_kit().last`.
    """
    return await current_kit().compare(
        compared.spots, compared.options, watchers=compared.watchers, **compared.limits
    )


@takes(comparing)
def compare(compared: Compared) -> Comparison:
    """The answers of many models to many prompts, side by side.

    An interrupt re-raises; what had come stays at `current_kit().last`.
    """
    kit = current_kit()
    return kit.manager.run(
        kit.compare(compared.spots, compared.options, watchers=compared.watchers, **compared.limits)
    )


def resolve(name: str, provider: str | None = None) -> Resolution:
    """What *name* would lead to today, and how; asks no network.

    Raises:
        UnknownModelError: Nobody has such a model; `.suggestions` has names that look like it.
        UnknownProviderError: *provider* is none.
    """
    return current_kit().resolve(name, provider)


def why(name: str, provider: str | None = None) -> str:
    """What `resolve` found, in sentences."""
    return names.why(resolve(name, provider))


def configure(**settings: object) -> Settings:
    """Changes settings for this process, and gives all of them.

    Raises:
        ConfigError: There is no such setting, or its value is of the wrong kind.
    """
    return current_kit().configure(**settings)


def add_provider(name: str, base_url: str, key_var: str | None = None) -> None:
    """Makes any OpenAI-compatible server a provider called *name*.

    Args:
        name: As in `provider=` and before a colon.
        base_url: Up to and without `/chat/completions`.
        key_var: The environment variable that holds its key, None for a server without one.
    """
    current_kit().add_provider(name, base_url, key_var)


def get_event_loop_manager() -> EventLoopManager:
    """The manager of the loop and of every session."""
    return current_kit().manager


def register_session(
    session: object, provider_name: str | None = None, *, keep: bool = False
) -> SessionHandle:
    """Makes a session of your own one that its cell's next run closes.

    Args:
        session: Anything with close() or aclose(); held until it is closed.
        provider_name: For the table; else the object's `_provider_name`.
        keep: True spares it from the limits on idleness and age.
    """
    return current_kit().manager.register_session(session, provider_name, keep=keep)
    return current_kit().manager.register_session(session, provider_name, keep=keep)
