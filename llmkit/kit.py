"""Connects all parts of llmkit for one user: settings, keys, sessions and calls."""

from __future__ import annotations

import atexit
import os
import threading
import uuid
from collections import defaultdict
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import aclosing, suppress
from dataclasses import replace
from datetime import UTC, datetime
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any

from .catalogue import prices
from .catalogue.rerouting import is_rerouted
from .cell import InterruptGuard, cell_id, ready_soon
from .chat.call import Call, CallTelemetry, call_for
from .chat.exchange import Exchange
from .chat.fallback import FallbackRunner, warn_once
from .chat.options import Options
from .chat.requests import PlannedRequest
from .comparison.limits import budget_of, estimate_cost, limited_plan
from .comparison.plan import PlannedRow
from .comparison.planning import plan_rows
from .comparison.runner import ComparisonRunner, watched_answer
from .comparison.watchers import Progress, Watcher, WatcherFactories, made
from .configuration.registry import ProviderRegistry
from .errors import APITimeoutError, ConfigError, LlmkitError, ModelNotFoundError
from .retries.rate_limit import RateLimiters
from .runtime import kit_hooks
from .runtime.fork import in_every_child
from .runtime.manager import EventLoopManager
from .runtime.session import Session
from .secret import hides_locals, without_locals
from .telemetry.log import Telemetry
from .transport.base import Opened, Transport
from .transport.factory import TransportFactory
from .types import RENDERERS, Completion, StreamEnd, TextDelta
from .views.answers.completion_card import html_of_completion

# Imported at the first use: a first answer needs none of them, and would take a third longer.
if TYPE_CHECKING:
    from .authentication.checks import KeyChecks
    from .authentication.status import AuthStatus
    from .catalogue.provider_lists import ProviderModelList
    from .chat.fallback_models import FallbackSelector
    from .comparison.result import Comparison
    from .configuration.credentials import Credentials
    from .configuration.model_lists import ModelLists
    from .configuration.resolved_names import ResolvedNames
    from .reports import Events
    from .settings import Settings
    from .transport.local_model import LocalModels
    from .transport.scripted import Reply


class Kit:
    """Settings, keys, providers, sessions and the embedded model of one user of llmkit.

    The default kit lives as long as the process. The caller that makes another one closes it.

    Attributes:
        registry: Settings, keys, providers and the resolution of names.
        last: The newest comparison, also an interrupted one; None before the first.
        watchers: Each returns a watcher, or None, for a comparison that has no view of its own.
        ask_watchers: The same for each `ask`.
    """

    @InterruptGuard()
    def __init__(
        self,
        *,
        environ: Mapping[str, str] | None = None,
        keys: Mapping[str, str] | None = None,
        transports: Mapping[str, Transport] | None = None,
        rate_limiters: RateLimiters | None = None,
        notify: Callable[[str], None] | None = None,
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
        self.watchers: WatcherFactories = [lambda: Progress(self.settings.progress_after_s)]
        self.ask_watchers: WatcherFactories = []
        RENDERERS["completion"] = html_of_completion
        self._warned_pairs: set[tuple[str, str]] = set()  # fallbacks that were warned of
        self._refused_parts: dict[tuple[str, str], set[str]] = defaultdict(set)
        self._limiters = rate_limiters or RateLimiters()
        self._transports = TransportFactory(
            self.manager, lambda: self.settings, transports or {}, notify=notify
        )

    @property
    def settings(self) -> Settings:
        """The current settings."""
        return self.registry.settings

    @property
    def credentials(self) -> Credentials:
        """The keys; each is looked up again at each use."""
        return self.registry.credentials

    @InterruptGuard()
    def configure(self, **changes: object) -> Settings:
        """Applies *changes* and returns all settings; if one is wrong, none is applied."""
        settings = self.registry.configure(**changes)
        self.manager.configure(settings)
        return settings

    @InterruptGuard()
    def add_provider(
        self, name: str, base_url: str, key_var: str | None = None, *, priced: bool = True
    ) -> None:
        """Adds an OpenAI-compatible server as *name*; see `llmkit.add_provider`."""
        self.configure(providers=self.registry.with_server(name, base_url, key_var, priced=priced))

    @cached_property
    @InterruptGuard()
    def checks(self) -> KeyChecks:
        """The results of key checks, and the checks themselves."""
        from .authentication.checks import KeyChecks

        return KeyChecks(self.registry, self.manager, self._transports)

    @cached_property
    @InterruptGuard()
    def lists(self) -> ModelLists:
        """The reader of providers' own lists of models."""
        from .configuration.model_lists import ModelLists

        return ModelLists(self.registry, self.manager, self._transports, sdk=self.checks.sdk_client)

    @property
    @InterruptGuard()
    def telemetry(self) -> Events:
        """Events of sessions, connections and requests, the newest last."""
        from .reports import Events

        return Events.of(self.manager.telemetry)

    # -- one call ----------------------------------------------------------------------------

    async def plan_row(
        self,
        request: PlannedRequest,
        options: Options,
        *,
        capped: bool = False,
        names: ResolvedNames | None = None,
    ) -> PlannedRow:
        """Plans the call for *request*, and the models that may answer if it fails.

        The row holds a known error. If the model is gone, its fallback's call is planned at once.

        Args:
            capped: True allows no fallback model whose estimated cost exceeds that of the call.
            names: The names of a run that are resolved already.
        """
        registry, resolution, call, failure = self.registry, None, None, None
        try:
            known = names or registry
            snapshot = known.snapshot()
            resolution = known.resolve(
                request.asked, request.provider, verbatim=options.verbatim, snapshot=snapshot
            )
            call = call_for(
                resolution, request.prompt, options,
                provider=known.provider(resolution.provider, snapshot),
                catalogue=snapshot.catalogue, settings=registry.settings,
                key=partial(known.key_for, asked=None if request.provider else request.asked),
            )  # fmt: skip
        except LlmkitError as error:
            failure = error
        policy = options.fallback
        if resolution is None or not policy.rules:
            return PlannedRow(request, resolution, call, failure)
        fallbacks = partial(_fallback_selector, None, registry, request, resolution, options)
        if capped or policy.names or policy.providers or isinstance(failure, ModelNotFoundError):
            try:
                selector = fallbacks()
                if isinstance(failure, ModelNotFoundError):
                    call = await selector.after(failure)
            except ConfigError as error:
                return PlannedRow(request, resolution, error=error)
            if capped and call is not None:
                selector.ceiling = estimate_cost(call, registry.catalogue)
            fallbacks = partial(_fallback_selector, selector)
        failure = failure if call is None else None
        return PlannedRow(request, resolution, call, failure, fallbacks)

    async def stream(
        self, request: PlannedRequest, options: Options
    ) -> AsyncGenerator[TextDelta | StreamEnd, None]:
        """Yields the pieces of one answer, then the answer; see `llmkit.stream`."""
        try:
            with self.manager.in_flight():
                runner = await self._runner(request, options)
                async with aclosing(runner.deltas()) as deltas:
                    async for delta in deltas:
                        yield delta
                answer = await self.priced(runner.completion(), runner.call, options.timeout)
            yield StreamEnd(answer)
        except BaseException as error:
            without_locals(error)
            raise

    async def answer(self, request: PlannedRequest, options: Options) -> Completion:
        """Returns the answer to *request*; see `llmkit.ask`."""
        with self.manager.in_flight():
            if self.ask_watchers and (watchers := made(self.ask_watchers)):
                row = await self.plan_row(request, options)
                price = partial(self.priced, timeout=options.timeout)
                return await watched_answer(row, watchers, make=self.exchange, price=price)
            runner = await self._runner(request, options)
            return await self.priced(await runner.whole(), runner.call, options.timeout)

    async def _runner(self, request: PlannedRequest, options: Options) -> FallbackRunner:
        row = await self.plan_row(request, options)
        if row.call is None:
            raise row.error or LlmkitError("nothing to send")
        return FallbackRunner(row.call, self.exchange, row.fallbacks)

    def exchange(self, call: Call, *, limit: int | None = None, group: object = None) -> Exchange:
        """Returns an exchange that sends *call* over the provider's session, in its turn.

        *group* is the run of the call; *limit* its concurrent calls, None for the setting.
        """
        settings, facts = self.registry.settings, call.provider.facts
        place = call.provider.name, call.provider.base_url
        return Exchange(
            call, self._open_transport, self._limiters.of(*place, call.key), group=group,
            at_once=limit or settings.limit_per_provider or facts.at_once,
            # A script refuses as it is written, however long a call waits.
            max_pause_s=settings.max_pause_s if group and facts.kind != "script" else None,
            observer=CallTelemetry(self.manager.telemetry), refused=self._refused_parts[place],
        )  # fmt: skip

    async def _open_transport(self, call: Call) -> Opened:
        if "checks" in vars(self):  # else no key was checked
            await self.checks.close_outdated(call.provider, call.key)
        connection = await self._transports.open(
            call.provider, call.model, call.key, import_s=call.timeouts.deadline_s
        )
        await prices.preload(call.provider.name, self.registry.store.latest)
        return connection

    async def priced(self, completion: Completion, call: Call, timeout: float | None) -> Completion:
        """Returns *completion*, the answer to *call*, with its cost and `rerouted`.

        Waits for the price tables only as long as *timeout*, that of the call, allows.
        Logs a warning if a fallback model is smaller, costlier, less capable or another maker's.
        """
        catalogue, more = self.registry.store.latest, {}
        request, response = names = completion.request_model, completion.response_model
        if response and completion.rerouted is None:
            is_other = response != request and is_rerouted(catalogue, completion.provider, *names)
            more["rerouted"] = is_other
        answer = await prices.priced(completion, catalogue, call.terms, timeout, **more)
        if answer.fallback:
            from .catalogue import fallback  # fallback answers are rare

            steps = answer.fallback
            with suppress(APITimeoutError):  # a step without the ratio of its prices
                await ready_soon(prices.TABLES, prices.load, limit_s=prices.WAIT_S)
                usage, start = answer.usage, answer.started_at
                steps = tuple(fallback.priced(catalogue, step, usage, start) for step in steps)
            answer = replace(answer, fallback=steps)
            warn_once(steps[-1], self._warned_pairs)
        return answer

    def local_models(self) -> LocalModels:
        """Returns the embedded models of this kit; none is started before the first call."""
        return self._transports.local_models

    def script(self, name: str, reply: Reply) -> None:
        """Makes `scripted:NAME` answer with *reply*, for classes and for trying out failures."""
        self._transports.scripts.play(name, reply)
        self.registry.open_ended = ("scripted",)

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
        """Sends all *requests* side by side; `last` keeps the answers even if this is cancelled.

        Raises:
            SpendLimitError: The calls or the estimate exceed a limit; nothing was sent.
        """
        most = self.settings.max_cost_usd if max_cost_usd is None else max_cost_usd
        plan = limited_plan(
            await plan_rows(self.registry, self.plan_row, requests, options, max_cost_usd=most),
            max_calls=self.settings.max_calls if max_calls is None else max_calls,
            max_cost_usd=most, catalogue=self.registry.catalogue,
        )  # fmt: skip
        from .comparison.result import comparison_of

        start = datetime.now(UTC)
        run_id = uuid.uuid4().hex[:8]
        runner = ComparisonRunner(
            plan, run_id=run_id, make=partial(self.exchange, limit=limit, group=run_id),
            price=partial(self.priced, timeout=options.timeout),
            watchers=[view] if view else made(self.watchers), cell=cell_id(),
            budget=budget_of(most, self.registry.catalogue), watch_pauses=self._limiters.watch,
        )  # fmt: skip
        try:
            with self.manager.in_flight():
                await runner.run()
        finally:
            self.last = comparison_of(run_id, runner.rows, start, plan)
        return self.last

    @hides_locals
    async def check(self, name: str) -> AuthStatus:
        """Checks the key of the provider *name*; see `llmkit.check`."""
        return await self.checks.check(name)

    @hides_locals
    async def check_all(self) -> tuple[AuthStatus, ...]:
        """Checks the keys of all providers at once."""
        return await self.checks.check_all()

    async def http_session(self, name: str, *, persistent: bool) -> tuple[Any, Session]:
        """Returns an aiohttp session for *name* on this loop, and its record."""
        provider = self.registry.provider(name)
        return await self._transports.http_session(provider, persistent=persistent)

    @hides_locals
    async def mistral_client(self) -> Any:
        """Returns the official Mistral client, a `mistralai.client.Mistral`, signed in.

        The cell's next run closes it with all its connections, and `close()` does so earlier.

        Raises:
            AuthenticationError: The key was refused.
            CallError: Signing in failed three times.
            MissingApiKeyError: No key is set.
        """
        return await self.checks.mistral_client()

    @hides_locals
    async def refresh(self, name: str) -> ProviderModelList:
        """Reads a provider's own list of models; see `llmkit.refresh`."""
        return await self.lists.refresh(name)

    @InterruptGuard()
    def close(self) -> None:
        """Stops the embedded model and closes every session; twice is harmless."""
        self._transports.close()
        self.manager.close()


def _fallback_selector(selector: FallbackSelector | None, *arguments: Any) -> FallbackSelector:
    from .chat.fallback_models import FallbackSelector

    return selector or FallbackSelector(*arguments)


_lock = threading.Lock()  # held while the imports of the first kit run
_current: Kit | None = globals().get("_current")  # a reload must not lose it


def current_kit() -> Kit:
    """Returns the kit that the functions of `llmkit` use; the first call makes it."""
    global _current
    with _lock:
        if _current is None:
            with InterruptGuard():
                _current = Kit()
                atexit.register(_current.close)
                kit_hooks.made(_current)
        return _current


@in_every_child
def _unlock() -> None:
    global _lock
    _lock = threading.Lock()  # a thread that the child does not have may hold the old one


def existing_kit() -> Kit | None:
    """Returns the kit of `current_kit`, None if none was needed yet."""
    return _current
