"""The public functions, each a line or two over the kit."""

from __future__ import annotations

from asyncio import CancelledError
from collections.abc import AsyncGenerator, Iterator
from contextlib import contextmanager
from datetime import date
from typing import TYPE_CHECKING, Any

from .catalogue import resolution
from .cell import OUT, InterruptGuard
from .chat.arguments import ChatArguments, chat_arguments, takes
from .comparison.arguments import ComparisonArguments, comparison_arguments
from .comparison.watchers import stop_sentence
from .errors import ConfigError, show_as_line
from .kit import Kit, current_kit
from .secret import hides_locals
from .types import Status

# Each function imports the table that it returns: a first answer needs none of them.
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


@hides_locals
@takes(chat_arguments)
async def aask(arguments: ChatArguments) -> Completion:
    """Returns one answer to one prompt; the coroutine behind `ask`."""
    return await current_kit().answer(arguments.request, arguments.options)


@InterruptGuard()
@takes(chat_arguments)
def ask(arguments: ChatArguments) -> Completion:
    """Returns one answer to one prompt."""
    kit = current_kit()
    try:
        answer = kit.manager.run(kit.answer(arguments.request, arguments.options))
        if answer.status is Status.CANCELLED:  # by Stop on a page
            raise KeyboardInterrupt
    except KeyboardInterrupt as error:
        if kit.ask_watchers:
            show_as_line(error, "Stopped: the text so far is in the output of the cell.")
        raise
    return answer


@InterruptGuard()
@takes(chat_arguments)
def stream(arguments: ChatArguments) -> AsyncGenerator[TextDelta | StreamEnd, None]:
    """Yields the pieces of one answer as they arrive, then a StreamEnd with the whole answer."""
    if not arguments.options.stream:
        raise ConfigError("stream() yields pieces as they arrive; use ask(..., stream=False)")
    kit = current_kit()
    return kit.manager.stream(kit.stream(arguments.request, arguments.options))


@contextmanager
def _stop_told(kit: Kit) -> Iterator[None]:
    """Says in an interrupt how many answers of the comparison are kept."""
    before = kit.last
    try:
        yield
    except (KeyboardInterrupt, CancelledError) as error:
        if kit.last is not None and kit.last is not before:
            ends = [row.completion.status for row in kit.last.rows]
            variable = OUT.get()  # set by the magic
            where = f"{variable} and llmkit.last" if variable else "llmkit.last"
            show_as_line(error, stop_sentence(ends, where))
        raise


@hides_locals
@takes(comparison_arguments)
async def acompare(arguments: ComparisonArguments) -> Comparison:
    """Returns the answers of many models to many prompts; the coroutine behind `compare`.

    If it is cancelled, `llmkit.last` holds the answers received so far.
    """
    kit = current_kit()
    with _stop_told(kit):
        return await kit.compare(
            arguments.requests, arguments.options, view=arguments.view, **arguments.limits
        )


@InterruptGuard()
@takes(comparison_arguments)
def compare(arguments: ComparisonArguments) -> Comparison:
    """Returns the answers of many models to many prompts, and shows them side by side.

    If it is interrupted, `llmkit.last` holds the answers received so far.
    """
    kit = current_kit()
    run = kit.compare(
        arguments.requests, arguments.options, view=arguments.view, **arguments.limits
    )
    with _stop_told(kit):
        return kit.manager.run(run)


@InterruptGuard()
@takes(comparison_arguments)
def estimate(arguments: ComparisonArguments) -> Estimate:
    """Returns an estimate of a comparison's tokens and cost; sends nothing, needs no key."""
    from .comparison.estimate import estimated

    return estimated(current_kit().registry, arguments)


@InterruptGuard()
def resolve(name: str, provider: str | None = None, *, on: date | None = None) -> Resolution:
    """Returns the model id that *name* resolves to, and how; sends no request.

    Args:
        on: The day to resolve for, None for today; models retire on a day.

    Raises:
        UnknownModelError: No provider has the model; `.suggestions` lists similar names.
        UnknownProviderError: *provider* is unknown.
    """
    return current_kit().registry.resolve(name, provider, on=on)


@InterruptGuard()
def why(name: str, provider: str | None = None, *, on: date | None = None) -> str:
    """Explains the result of `resolve` in sentences."""
    return resolution.why(resolve(name, provider, on=on))


@InterruptGuard()
def configure(**settings: object) -> Settings:
    """Changes settings for this process, and returns all settings.

    Raises:
        ConfigError: A setting is unknown, or its value has the wrong type.
    """
    return current_kit().configure(**settings)


@InterruptGuard()
def add_provider(
    name: str, base_url: str, key_var: str | None = None, *, priced: bool = True
) -> None:
    """Adds an OpenAI-compatible server as the provider *name*.

    Args:
        name: The value of `provider=`, and the prefix before a colon.
        base_url: The URL without `/chat/completions`; it may have a query, such as Azure's
            `?api-version=`.
        key_var: The environment variable with its key, None for a server without keys.
        priced: False if its answers cost nothing: their cost is 0, and `max_calls` does not count
            them.

    Raises:
        ConfigError: The name is taken, or the URL is invalid.
    """
    current_kit().add_provider(name, base_url, key_var, priced=priced)


def get_event_loop_manager() -> EventLoopManager:
    """Returns the manager of the event loop and of all sessions."""
    return current_kit().manager


@InterruptGuard()
def register_session(
    session: object, provider_name: str | None = None, *, keep: bool = False
) -> SessionHandle:
    """Keeps your own session open until its cell runs again or is deleted, or it is idle or old.

    Then llmkit closes it. Neither the session nor the handle needs a variable.

    Args:
        session: Anything with close() or aclose().
        provider_name: The name in the session table, by default `session._provider_name`.
        keep: True disables the limits on idle time and age; the cell's next run still closes it.
    """
    return current_kit().manager.register_session(session, provider_name, keep=keep)


@hides_locals
async def acheck(provider: str) -> AuthStatus:
    """Checks one provider's key, free of charge; the coroutine behind `check`.

    Raises:
        UnknownProviderError: *provider* is unknown.
    """
    return await current_kit().check(provider)


@InterruptGuard()
def check(provider: str) -> AuthStatus:
    """Checks one provider's key, free of charge.

    Raises:
        UnknownProviderError: *provider* is unknown.
    """
    return current_kit().manager.run(acheck(provider))


@hides_locals
async def aauth() -> AuthReport:
    """Checks the keys of all providers at once; the coroutine behind `auth`."""
    from .reports import AuthReport

    return AuthReport.of(await current_kit().check_all())


@InterruptGuard()
def auth() -> AuthReport:
    """Checks all keys, free of charge, and returns for each whether it works and what to do."""
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
    """Lists standard model names and the model id of each provider for them.

    Each line has the facts of its own id, also of a retired one; `live` is the id to call today.
    If no standard name matches *filter*, all matching ids are listed.

    Args:
        filter: Words that choose names: all must occur in a name, its family or class, or the id or
            capabilities of its maker's model. If no name has them all, a state, a provider and the
            capabilities of a line count too.
        provider: Lists this provider only.
        capability: Lists only ids known to have it.
        alive: True for models that can be called, False for the others.
        every: True adds the other known ids, such as those without a standard name.
        on: The day to list for, None for today.

    Raises:
        ConfigError: The provider or the capability is unknown.
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
    """Reads *provider*'s own list of models, free of charge.

    The list is cached for a day, also for later processes: names that only the provider lists
    resolve at once. OpenRouter's list needs no key; Ollama's is that of this machine.

    Raises:
        CallError: The request failed.
        ConfigError: The list needs a key, and none is set.
    """
    from .reports import LiveModels

    kit = current_kit()
    return LiveModels.of(kit.manager.run(kit.refresh(provider)).models)


@InterruptGuard()
def sessions() -> Sessions:
    """Lists open sessions with the cells that own them, and the last closed ones."""
    from .reports import Sessions

    return Sessions.of(current_kit().manager.sessions())


@InterruptGuard()
def leaks() -> Leaks:
    """Lists sessions that were never closed, with the lines of code that opened them.

    Either their event loop ended first, or a temporary session was dropped inside its block.
    """
    from .reports import Leaks

    manager = current_kit().manager
    manager.close_stale()  # also notes what was dropped since the last call
    return Leaks.of(manager.sessions())


@hides_locals
async def aclose(what: str = "stale") -> int:
    """Closes sessions; the coroutine behind `close`."""
    return await current_kit().manager.aclose(what)


@InterruptGuard()
def close(what: str = "stale") -> int:
    """Closes "stale" or "all" sessions, a provider's, or one by its id; returns their number.

    Raises:
        ConfigError: *what* matches no session.
    """
    return current_kit().manager.run(aclose(what))


class session:  # noqa: N801  # it reads as a function: with llmkit.session("ollama") as http
    """An HTTP session for a provider, listed in the session table.

    `with` and `async with` return an aiohttp.ClientSession of the current event loop. llmkit owns
    it: a persistent session stays open for later calls, any other is closed at the end of the
    block, or when this object is garbage collected.
    """

    @InterruptGuard()
    def __init__(self, provider: str, *, persistent: bool = True) -> None:
        self._arguments = provider, persistent
        self._uses: list[tuple[Any, Any]] = []

    @hides_locals
    async def __aenter__(self) -> Any:
        provider, persistent = self._arguments
        kit = current_kit()
        http, record = await kit.http_session(provider, persistent=persistent)
        if not persistent:
            kit.manager.handed_out(record, self)
        # Only this object refers to it: garbage collection ends the use.
        use = kit.manager.registry.using(record)
        use.__enter__()
        self._uses.append((use, record))
        return http

    @hides_locals
    async def __aexit__(self, *failure: Any) -> None:
        use, record = self._uses.pop()
        use.__exit__(None, None, None)
        if not self._arguments[1]:
            await current_kit().manager.aclose(record.id)

    @InterruptGuard()
    def __enter__(self) -> Any:
        return current_kit().manager.run(self.__aenter__())

    @InterruptGuard()
    def __exit__(self, *failure: Any) -> None:
        current_kit().manager.run(self.__aexit__(*failure))
