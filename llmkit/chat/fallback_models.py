"""Chooses a fallback model after each failure of a call, and none of them twice."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from ..catalogue import fallback_policy, lifecycle
from ..catalogue.entry import normal
from ..catalogue.names import qualified_name
from ..catalogue.resolution import Resolution
from ..configuration.registry import ProviderRegistry
from ..errors import (
    APITimeoutError,
    CallError,
    ConfigError,
    ContextLengthExceededError,
    LlmkitError,
    MissingApiKeyError,
    ModelNotFoundError,
    RateLimitError,
    RetiredModelError,
)
from ..types import FallbackStep
from .call import Call, call_for
from .fallback import PASSED_OVER
from .options import Options
from .requests import PlannedRequest

# Imported at the first failure only: few calls need a fallback model.
if TYPE_CHECKING:
    from ..catalogue import fallback
    from ..catalogue.requirements import FallbackLimits
    from ..catalogue.similarity import Place

MOST_REASONS = 5  # reasons against candidates; more would bury the error


class FallbackSelector:
    """Chooses the models that may replace the one in *resolution*, by the policy in *options*.

    Attributes:
        ceiling: Highest estimated cost of a fallback model in US dollars, in addition to the
            policy's limit; None for no further limit.
    """

    def __init__(
        self,
        registry: ProviderRegistry,
        request: PlannedRequest,
        resolution: Resolution,
        options: Options,
    ) -> None:
        """Raises:
        ConfigError: The policy names an unknown model or provider.
        """
        self.ceiling: float | None = None
        self._registry = registry
        self._request = request
        self._resolution = resolution
        self._options = options
        self._named_places = self._places(options.fallback.names)
        self._providers: frozenset[str] | None = None
        if options.fallback.providers:
            table = registry.catalogue.providers
            names = map(table.name_of, options.fallback.providers)
            self._providers = frozenset(registry.provider(name).name for name in names)
        self._history: list[Place] = []
        self._steps: tuple[FallbackStep, ...] = ()
        self._more_than: int | None = None

    async def after(self, error: CallError) -> Call | None:
        """Returns the next call to make after *error*, None if no model is left or allowed.

        Adds the rejected candidates and the reasons to *error* as notes.

        Raises:
            MissingApiKeyError: The policy is "successor", and the retired model has one, but no
                key is set for its provider.
        """
        place = (error.provider, error.model)
        self._history.append(place)
        if len(self._history) > self._options.fallback.most:
            return None
        if isinstance(error, ContextLengthExceededError):
            from ..catalogue.requirements import facts

            model = facts(self._registry.catalogue, *place)
            self._more_than = max(self._more_than or 0, (model and model.input_limit) or 0)
        wish = self._options.fallback
        is_limited = wish.max_cost_usd is not None or self.ceiling is not None
        if is_limited or fallback_policy.RANKED in wish.rules:
            # Loading the price tables takes 0.25 s, and pricing every model 0.1 s: too long for
            # a shared event loop.
            return await asyncio.to_thread(self._following, error)
        return self._following(error)

    def _following(self, error: CallError) -> Call | None:
        try:
            return self._chosen(error)
        except MissingApiKeyError:
            raise
        except (ConfigError, APITimeoutError) as problem:
            # The user's own row names an unknown model, or the price tables cannot be imported.
            error.add_note(f"no fallback model was asked: {problem}")
            return None

    def _chosen(self, error: CallError) -> Call | None:
        from ..catalogue import fallback
        from ..catalogue.requirements import need_of

        catalogue, resolution = self._registry.catalogue, self._resolution
        own = catalogue.fallbacks.get((resolution.provider, normal(resolution.id)), ())
        query = fallback.FallbackQuery(
            resolution.provider,
            resolution.id,
            resolution.standard,
            named=self._named_places,
            own=self._places(own),
        )
        need = replace(
            need_of(self._request.prompt, self._options.needs), more_than=self._more_than
        )
        while True:
            candidate, objections = fallback.choose(
                catalogue, query, need, self._terms(), self._options.fallback.rules, self._history
            )
            if candidate is None:
                if isinstance(error, RetiredModelError):
                    self._require_key(error)
                for reason in objections[:MOST_REASONS]:
                    error.add_note(f"{PASSED_OVER}{reason}")
                return None
            step = fallback.step(catalogue, query, candidate, reason_of(error))
            call = self._call(candidate, error)
            if call is not None:
                self._steps = (*self._steps, step)
                return replace(call, fallback=self._steps)
            self._history.append(candidate.place)

    def _call(self, candidate: fallback.Candidate, error: CallError) -> Call | None:
        registry = self._registry
        try:
            return call_for(
                registry.resolve(qualified_name(candidate.place)),
                self._request.prompt,
                replace(self._options, verbatim=True),  # `choose` has checked its capabilities
                catalogue=registry.catalogue,
                provider=registry.provider(candidate.provider),
                settings=registry.settings,
                key=registry.key_for,
            )
        except LlmkitError as refusal:
            error.add_note(f"{PASSED_OVER}{refusal}")
            return None

    def _require_key(self, error: RetiredModelError) -> None:
        """Raises MissingApiKeyError if only a key is missing to ask the successor."""
        registry, resolution = self._registry, self._resolution
        is_successor = resolution.live_rule in (lifecycle.OFFICIAL, lifecycle.VENDOR)
        is_only_rule = self._options.fallback.rules == fallback_policy.RULES_OF["successor"]
        if not (is_successor and is_only_rule):
            return
        provider = registry.provider(resolution.provider)
        try:
            registry.key_for(provider, None if self._request.provider else self._request.asked)
        except MissingApiKeyError as missing:
            missing.add_note(str(error))
            raise

    def _places(self, names: Sequence[str]) -> list[Place]:
        places = []
        for name in names:
            resolution = self._registry.resolve(name)
            places.append((resolution.provider, resolution.model))
        return places

    def _terms(self) -> FallbackLimits:
        from ..catalogue.requirements import FallbackLimits

        wish, request, provider = self._options.fallback, self._request, self._resolution.provider
        # The user may have named a provider with the model.
        prefix, colon, _ = request.asked.strip().partition(":")
        name_of = self._registry.catalogue.providers.name_of
        is_stated = colon != "" and name_of(prefix) == provider
        has_provider = request.provider is not None or is_stated or "/" in prefix
        limits = [most for most in (wish.max_cost_usd, self.ceiling) if most is not None]
        return FallbackLimits(
            on=self._registry.now().date(),
            has_key=self._registry.has_key,
            providers=self._providers,
            home=provider if wish.keeps_provider and has_provider else None,
            max_cost_usd=min(limits, default=None),
            allow_unknown=wish.allow_unknown,
        )


def reason_of(error: CallError) -> str:
    """Returns the reason for a missing answer, short enough for a table."""
    place = f"{error.provider}:{error.model}"
    if isinstance(error, RetiredModelError):
        return str(error).partition(";")[0].partition(", and ")[0]
    if isinstance(error, ModelNotFoundError):
        what = f"was not found ({error.status})" if error.status else "is missing from its own list"
        return f"{place} {what}"
    if isinstance(error, ContextLengthExceededError):
        return f"the prompt is too long for {place}"
    if isinstance(error, RateLimitError):
        wait = f", retry after {error.retry_after:.0f} s" if error.retry_after else ""
        return f"{place} limits the request rate ({error.status}{wait})"
    return f"{place} is overloaded ({error.status or error.code})"
