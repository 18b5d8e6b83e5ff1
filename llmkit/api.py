"""The functions that people call, each a line or two over the kit."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from datetime import date
from typing import TYPE_CHECKING, Any

from .catalogue import resolution
from .cell import InterruptGuard
from .chat.arguments import ChatArguments, chat_arguments, takes
from .comparison.arguments import ComparisonArguments, comparison_arguments
from .kit import current_kit

# A table is imported by the function that gives it: a first answer needs none of them.
if TYPE_CHECKING:
    from .authentication.status import AuthStatus
    from .catalogue.resolution import Resolution
    from .comparison.estimate import Estimate
    from .comparison.result import Comparison
    from .reports import AuthReport, Leaks, LiveModels, Models, Sessions
    from .runtime.handle import SessionHandle
    from .runtime.manager import EventLoopManager
    from .settings import Settings
    from .types import Completion, StreamEnd, TextDelta


@takes(chat_arguments)
async def aask(arguments: ChatArguments) -> Completion:
    """One answer to one prompt, awaited."""
    return await current_kit().answer(arguments.request, arguments.options)


@InterruptGuard()
@takes(chat_arguments)
def ask(arguments: ChatArguments) -> Completion:
    """One answer to one prompt, waited for."""
    kit = current_kit()
    return kit.manager.run(kit.answer(arguments.request, arguments.options))


@InterruptGuard()
@takes(chat_arguments)
def stream(arguments: ChatArguments) -> AsyncGenerator[TextDelta | StreamEnd, None]:
    """The pieces of one answer as they come, then a StreamEnd with the whole of it."""
    kit = current_kit()
    return kit.manager.stream(kit.stream(arguments.request, arguments.options))


@takes(comparison_arguments)
async def acompare(arguments: ComparisonArguments) -> Comparison:
    """The answers of many models to many prompts, side by side, awaited.

    Cancelling it re-raises; what had come stays at `current_kit().last`.
    """
    return await current_kit().compare(
        arguments.requests, arguments.options, view=arguments.view, **arguments.limits
    )


@InterruptGuard()
@takes(comparison_arguments)
def compare(arguments: ComparisonArguments) -> Comparison:
    """The answers of many models to many prompts, side by side.

    An interrupt re-raises; what had come stays at `current_kit().last`.
    """
    kit = current_kit()
    return kit.manager.run(
        kit.compare(arguments.requests, arguments.options, view=arguments.view, **arguments.limits)
    )


@InterruptGuard()
@takes(comparison_arguments)
def estimate(arguments: ComparisonArguments) -> Estimate:
    """Roughly the tokens and the cost of a comparison; sends nothing, and needs no key."""
    from .comparison.estimate import estimated

    return estimated(current_kit().registry, arguments)


@InterruptGuard()
def resolve(name: str, provider: str | None = None, *, on: date | None = None) -> Resolution:
    """What *name* would lead to, and how; asks no network.

    Args:
        on: The day to tell it for, None for today: models end on a day.

    Raises:
        UnknownModelError: Nobody has such a model; `.suggestions` has names that look like it.
        UnknownProviderError: *provider* is none.
    """
    return current_kit().registry.resolve(name, provider, on=on)


def why(name: str, provider: str | None = None, *, on: date | None = None) -> str:
    """What `resolve` found, in sentences."""
    return resolution.why(resolve(name, provider, on=on))


@InterruptGuard()
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
    current_kit().registry.add_provider(name, base_url, key_var)


def get_event_loop_manager() -> EventLoopManager:
    """The manager of the loop and of every session."""
    return current_kit().manager


def register_session(
    session: object, provider_name: str | None = None, *, keep: bool = False
) -> SessionHandle:
    """Holds a session of your own until its cell runs again or is deleted, or it is idle or old.

    Then it is closed. Neither the session nor the handle need be kept in a variable.

    Args:
        session: Anything with close() or aclose().
        provider_name: For the table; else the object's `_provider_name`.
        keep: True spares it from the limits on idleness and age, not from its cell's next run.
    """
    return current_kit().manager.register_session(session, provider_name, keep=keep)


async def acheck(provider: str) -> AuthStatus:
    """Whether one provider's key works, awaited; costs nothing.

    Raises:
        UnknownProviderError: There is no such provider.
    """
    return await current_kit().check(provider)


def check(provider: str) -> AuthStatus:
    """Whether one provider's key works; costs nothing.

    Raises:
        UnknownProviderError: There is no such provider.
    """
    return current_kit().manager.run(acheck(provider))


async def aauth() -> AuthReport:
    """Which keys work, awaited; all providers are asked at once, none for money."""
    from .reports import AuthReport

    return AuthReport.of(await current_kit().check_all())


def auth() -> AuthReport:
    """Which keys work, and what to do about the others; none is asked for money."""
    return current_kit().manager.run(aauth())


@InterruptGuard()
def models(
    filter: str | None = None,
    provider: str | None = None,
    capability: str | None = None,
    alive: bool | None = None,
    *,
    every: bool = False,
    on: date | None = None,
) -> Models:
    """Standard names, and what each one leads to at each provider.

    Where *filter* fits no standard name, every id that it fits.

    Args:
        filter: Words that must all be in a name, an id, a family, a class, a state, a provider or
            a capability.
        provider: Only there.
        capability: Only ids that are known to have it.
        alive: True for those that can be called, False for those that cannot.
        every: True for every id that is known, also those that no standard name leads to.
        on: The day to tell it for, None for today.

    Raises:
        ConfigError: There is no such provider or capability.
    """
    from .catalogue import listing
    from .reports import Models

    registry = current_kit().registry
    return Models(
        listing.lines(
            filter, provider, capability, alive, every=every,
            on=on or registry.now().date(), catalogue=registry.catalogue,
            providers=registry.provider_names(),
        )
    )  # fmt: skip


@InterruptGuard()
def refresh(provider: str) -> LiveModels:
    """The models that *provider* itself lists now; costs nothing.

    The list is kept, so that for a day names are resolved with it, in later processes too: a
    model that only it has works at once. OpenRouter's needs no key, Ollama's is that of this
    machine.

    Raises:
        CallError: It could not be asked.
        ConfigError: Its list needs a key, and there is none.
    """
    from .reports import LiveModels

    kit = current_kit()
    return LiveModels.of(kit.manager.run(kit.refresh(provider)).models)


@InterruptGuard()
def sessions() -> Sessions:
    """Which connections are open, and which cell owns them; the last closed ones too."""
    from .reports import Sessions

    return Sessions.of(current_kit().manager.sessions())


@InterruptGuard()
def leaks() -> Leaks:
    """Returns the sessions that went without being closed, and the lines that opened them.

    Their event loop ended first, or a temporary one was dropped in the middle of its block.
    """
    from .reports import Leaks

    manager = current_kit().manager
    manager.close_stale()  # also what went since the last look
    return Leaks.of(manager.sessions())


async def aclose(what: str = "stale") -> int:
    """Closes sessions, awaited; see `close`."""
    return await current_kit().manager.aclose(what)


def close(what: str = "stale") -> int:
    """Closes "stale" or "all" sessions, a provider's, or one by its id; says how many.

    Raises:
        ConfigError: *what* is none of these.
    """
    return current_kit().manager.run(aclose(what))


class session:  # noqa: N801  # it reads as a function: with llmkit.session("ollama") as http
    """An HTTP session for a provider, in the session table like any other.

    Use it as `with` or `async with`; what it gives is an aiohttp.ClientSession of the loop in
    hand. It belongs to llmkit: a persistent one stays warm, another is closed at the end, or when
    this object is dropped without its end.
    """

    def __init__(self, provider: str, *, persistent: bool = True) -> None:
        self._arguments = provider, persistent
        self._uses: list[tuple[Any, Any]] = []

    async def __aenter__(self) -> Any:
        provider, persistent = self._arguments
        kit = current_kit()
        http, record = await kit.http_session(provider, persistent=persistent)
        if not persistent:
            kit.manager.handed_out(record, self)
        # Held by this object alone: when it is forgotten, the session is no longer in use.
        use = kit.manager.registry.using(record)
        use.__enter__()
        self._uses.append((use, record))
        return http

    async def __aexit__(self, *failure: Any) -> None:
        use, record = self._uses.pop()
        use.__exit__(None, None, None)
        if not self._arguments[1]:
            await current_kit().manager.aclose(record.id)

    def __enter__(self) -> Any:
        return current_kit().manager.run(self.__aenter__())

    def __exit__(self, *failure: Any) -> None:
        current_kit().manager.run(self.__aexit__(*failure))
