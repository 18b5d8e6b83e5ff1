"""The one place that knows every part of llmkit and puts them together."""

from __future__ import annotations

import asyncio
import atexit
import os
import threading
import uuid
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import replace
from datetime import UTC, datetime
from functools import cache, cached_property, partial
from typing import TYPE_CHECKING, Any

from .catalogue import prices
from .cell import InterruptGuard, cell_id
from .chat.call import Call, CallTelemetry, call_for
from .chat.exchange import Exchange
from .chat.fallback import FallbackRunner, warn_once
from .chat.options import Options
from .chat.requests import PlannedRequest
from .comparison.limits import check_limits, estimate_cost
from .comparison.plan import PlannedRow, merge_identical
from .comparison.runner import ComparisonRunner
from .comparison.watchers import Progress, Watcher
from .configuration.registry import ProviderRegistry
from .errors import ConfigError, LlmkitError, ModelNotFoundError
from .retries.rate_limit import RateLimiters
from .runtime import kit_hooks
from .runtime.manager import EventLoopManager
from .runtime.session import Session
from .telemetry.log import Telemetry
from .transport.base import Opened, Transport
from .transport.factory import TransportFactory
from .types import Completion, StreamEnd, TextDelta

# What follows is imported where it is first needed: a first answer from a provider needs none of
# it, and would be a third slower with it.
if TYPE_CHECKING:
    from .authentication.checks import KeyChecks
    from .authentication.status import AuthStatus
    from .catalogue.provider_lists import ProviderModelList
    from .chat.fallback_models import FallbackSelector
    from .comparison.result import Comparison
    from .configuration.credentials import Credentials
    from .configuration.model_lists import ModelLists
    from .reports import Events
    from .settings import Settings
    from .transport.local_model import LocalModels
    from .transport.scripted import Reply


class Kit:
    """Settings, keys, providers, sessions and the embedded model of one user of llmkit.

    Lives as long as the process for the default one. Others may be made for tests or for a second
    set of keys; whoever makes one calls `close()`.

    Attributes:
        registry: Settings, keys and providers, and what names mean among them.
        last: The newest comparison, also one that was interrupted; None before the first.
        watchers: Functions that each give a fresh watcher for a comparison that begins and that
            brings none of its own.
    """

    @InterruptGuard()
    def __init__(
        self,
        *,
        environ: Mapping[str, str] | None = None,
        keys: Mapping[str, str] | None = None,
        transports: Mapping[str, Transport] | None = None,
        rate_limiters: RateLimiters | None = None,
        notify: Callable[[str], None] = print,
        clock: Callable[[], datetime] | None = None,
        **settings: object,
    ) -> None:
        self.registry = ProviderRegistry(
            os.environ if environ is None else environ, settings, keys, clock
        )
        self.manager = EventLoopManager(
            idle_s=self.settings.idle_s,
            max_age_s=self.settings.max_age_s,
            telemetry=Telemetry(
                with_text=self.settings.telemetry_text, exported=self.settings.opentelemetry
            ),
        )
        self.last: Comparison | None = None
        self.watchers: list[Callable[[], Watcher]] = [self._progress]
        self._warned_pairs: set[tuple[str, str]] = set()  # replacements, each said once
        self._limiters = rate_limiters or RateLimiters()
        self._transports = TransportFactory(
            self.manager, lambda: self.settings, transports or {}, notify=notify
        )

    @property
    def settings(self) -> Settings:
        """The settings as they are now."""
        return self.registry.settings

    @property
    def credentials(self) -> Credentials:
        """The keys; each is looked up again when it is needed."""
        return self.registry.credentials

    def configure(self, **changes: object) -> Settings:
        """The settings after *changes*; one that is wrong changes nothing."""
        settings = self.registry.configure(**changes)
        manager, telemetry = self.manager, self.manager.telemetry
        manager.idle_s, manager.max_age_s = settings.idle_s, settings.max_age_s
        telemetry.with_text, telemetry.exported = settings.telemetry_text, settings.opentelemetry
        return settings

    @cached_property
    @InterruptGuard()
    def checks(self) -> KeyChecks:
        """Which keys work: what is known, and the means to find out."""
        from .authentication.checks import KeyChecks

        return KeyChecks(self.registry, self.manager, self._transports)

    @cached_property
    @InterruptGuard()
    def lists(self) -> ModelLists:
        """Reads providers' own lists of models."""
        from .configuration.model_lists import ModelLists

        return ModelLists(self.registry, self.manager, self._transports, sdk=self.checks.sdk_client)

    def _progress(self) -> Watcher:
        return Progress(self.settings.progress_after_s)

    @property
    @InterruptGuard()
    def telemetry(self) -> Events:
        """What happened to sessions, connections and requests, the newest last."""
        from .reports import Events

        return Events.of(self.manager.telemetry)

    # -- one call ----------------------------------------------------------------------------

    async def plan_row(
        self, request: PlannedRequest, options: Options, *, capped: bool = False
    ) -> PlannedRow:
        """Plans the call for *request*, and the models that may answer if it fails.

        The row holds an error that is known already. If the model is gone, the call of its fallback
        is planned at once.

        Args:
            capped: True allows no fallback model whose estimated cost exceeds that of the call.
        """
        registry, resolution, call, failure = self.registry, None, None, None
        try:
            snapshot = registry.snapshot()
            resolution = registry.resolve(
                request.asked, request.provider, verbatim=options.verbatim, snapshot=snapshot
            )
            call = call_for(
                resolution, request.prompt, options,
                provider=registry.provider(resolution.provider, snapshot),
                catalogue=snapshot.catalogue, settings=registry.settings, key=registry.key_for,
            )  # fmt: skip
        except LlmkitError as error:
            failure = error
        policy = options.fallback
        if resolution is None or not policy.rules:
            return PlannedRow(request, resolution, call, failure)
        fallbacks = cache(partial(_fallback_selector, registry, request, resolution, options))
        if capped or policy.names or policy.providers or isinstance(failure, ModelNotFoundError):
            try:
                selector = fallbacks()
            except ConfigError as error:
                return PlannedRow(request, resolution, error=error)
            if isinstance(failure, ModelNotFoundError):
                call = await selector.after(failure)
            if capped and call is not None:
                selector.ceiling = estimate_cost(call, registry.catalogue)
        if call is None:
            return PlannedRow(request, resolution, error=failure)
        return PlannedRow(request, resolution, call, fallbacks=fallbacks)

    async def stream(
        self, request: PlannedRequest, options: Options
    ) -> AsyncGenerator[TextDelta | StreamEnd, None]:
        """The pieces of one answer, then the answer; see `llmkit.stream`."""
        with self.manager.in_flight():
            runner = await self._runner(request, options)
            async with aclosing(runner.deltas()) as deltas:
                async for delta in deltas:
                    yield delta
            end = StreamEnd(await self.priced(runner.completion()))
        yield end

    async def answer(self, request: PlannedRequest, options: Options) -> Completion:
        """The answer to *request*, see `llmkit.ask`."""
        with self.manager.in_flight():
            runner = await self._runner(request, options)
            return await self.priced(await runner.whole())

    async def _runner(self, request: PlannedRequest, options: Options) -> FallbackRunner:
        row = await self.plan_row(request, options)
        if row.call is None:
            raise row.error or LlmkitError("nothing to send")
        return FallbackRunner(row.call, self.exchange, row.fallbacks)

    def exchange(self, call: Call, *, limit: int | None = None, group: object = None) -> Exchange:
        """*call*, to be sent over the provider's own session once its turn has come.

        Args:
            limit: How many calls to that provider may run at once, if not as the setting says.
            group: What it is a part of, such as a comparison: it waits for its turn as long as it
                takes, and not before the calls of other groups.
        """
        return Exchange(
            call,
            self._open_transport,
            self._limiters.of(call.provider.name, call.provider.base_url, call.key),
            at_once=limit or self.registry.settings.limit_per_provider,
            group=group,
            observer=CallTelemetry(self.manager.telemetry),
        )

    async def _open_transport(self, call: Call) -> Opened:
        if "checks" in vars(self):  # else nobody has signed in
            await self.checks.close_outdated(call.provider, call.key)
        connection = await self._transports.open(call.provider, call.model, call.key)
        prices.preload(call.provider.name, self.registry.store.latest)
        return connection

    async def priced(self, completion: Completion) -> Completion:
        """Returns *completion* with its cost, if the provider did not report it.

        Warns of a fallback model that is not the asked one's equal; its price may be the reason.
        """
        catalogue = self.registry.store.latest
        answer = await prices.priced(completion, catalogue)
        if answer.fallback:
            from .catalogue import fallback  # few answers come from another model than the asked

            await asyncio.to_thread(prices.load)
            steps = tuple(
                fallback.priced(catalogue, step, answer.usage, answer.started_at)
                for step in answer.fallback
            )
            answer = replace(answer, fallback=steps)
            warn_once(steps[-1], self._warned_pairs)
        return answer

    def local_models(self) -> LocalModels:
        """The embedded models of this kit; none is started before the first call."""
        return self._transports.local_models

    def script(self, name: str, reply: Reply) -> None:
        """Makes `scripted:NAME` answer as *reply* says, for classes and for trying failures out."""
        self._transports.scripts.play(name, reply)
        self.registry.open_ended = ("scripted",)

    # -- many calls --------------------------------------------------------------------------

    async def compare(
        self,
        requests: Sequence[PlannedRequest],
        options: Options,
        *,
        max_calls: int | None = None,
        max_cost_usd: float | None = None,
        limit: int | None = None,
        view: Watcher | None = None,
    ) -> Comparison:
        """All *requests* side by side; `last` holds what came, even when this is cancelled.

        Raises:
            SpendLimitError: More calls or a higher estimate than allowed; nothing was sent.
        """
        most = self.settings.max_cost_usd if max_cost_usd is None else max_cost_usd
        if most is not None:
            await asyncio.to_thread(prices.load)
        is_capped = most is not None
        plan = merge_identical(
            [await self.plan_row(request, options, capped=is_capped) for request in requests]
        )
        calls = self.settings.max_calls if max_calls is None else max_calls
        check_limits(
            plan, max_calls=calls, max_cost_usd=most,
            cost=lambda call: estimate_cost(call, self.registry.catalogue),
        )  # fmt: skip
        from .comparison.result import comparison_of

        start = datetime.now(UTC)
        run_id = uuid.uuid4().hex[:8]
        runner = ComparisonRunner(
            plan,
            run_id=run_id,
            make=partial(self.exchange, limit=limit, group=run_id),
            price=self.priced,
            watchers=[view] if view else [factory() for factory in self.watchers],
            cell=cell_id(),
        )
        try:
            with self.manager.in_flight():
                await runner.run()
        finally:
            self.last = comparison_of(run_id, runner.rows, start, plan)
        return self.last

    # -- lists, keys, the end ----------------------------------------------------------------

    async def check(self, name: str) -> AuthStatus:
        """Whether *name* can be asked, see `llmkit.check`."""
        return await self.checks.check(name)

    async def check_all(self) -> tuple[AuthStatus, ...]:
        """Every provider at once."""
        return await self.checks.check_all()

    async def http_session(self, name: str, *, persistent: bool) -> tuple[Any, Session]:
        """An aiohttp session for *name* on this loop, and its line in the session table."""
        provider = self.registry.provider(name)
        return await self._transports.http_session(provider, persistent=persistent)

    async def mistral_client(self) -> Any:
        """The official Mistral client, a `mistralai.client.Mistral`, signed in.

        It belongs to the running cell, which closes it when it runs again; `close()` frees it
        earlier, with every connection that it has opened.

        Raises:
            AuthenticationError: The key was refused.
            CallError: Signing in failed three times.
            MissingApiKeyError: There is no key.
        """
        return await self.checks.mistral_client()

    async def refresh(self, name: str) -> ProviderModelList:
        """What a provider's own list names now, see `llmkit.refresh`."""
        return await self.lists.refresh(name)

    def close(self) -> None:
        """Ends the embedded model and every session; twice is harmless."""
        self._transports.close()
        self.manager.close()


def _fallback_selector(*arguments: Any) -> FallbackSelector:
    from .chat.fallback_models import FallbackSelector

    return FallbackSelector(*arguments)


_lock = threading.Lock()
_current: Kit | None = globals().get("_current")  # a reload must not lose it


def current_kit() -> Kit:
    """The kit that the functions of `llmkit` use; made at the first call."""
    global _current
    with _lock:
        if _current is None:
            with InterruptGuard():
                _current = Kit()
                atexit.register(_current.close)
                kit_hooks.made(_current)
        return _current


def existing_kit() -> Kit | None:
    """The kit of `current_kit`, None where nobody has needed one yet."""
    return _current
