"""Runs a call and, if it fails, the calls of its fallback models."""

from __future__ import annotations

import logging
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import replace
from typing import Protocol

from ..catalogue.fallback_policy import SAME_MODEL
from ..errors import (
    CallError,
    ContextLengthExceededError,
    ModelNotFoundError,
    Outcome,
    RateLimitError,
    ServerError,
)
from ..providers.builtin import provider_table
from ..types import Completion, FallbackStep, Status, TextDelta
from .call import Call
from .exchange import Exchange
from .turns import OVERLOADED

log = logging.getLogger(__name__)

ANSWERED = (Outcome.STREAMED, Outcome.AMBIGUOUS)

MakeExchange = Callable[[Call], Exchange]

PRICE_RATIO_LIMIT = 2.0  # above it, a fallback model counts as unequal
PASSED_OVER = "not asked instead: "  # begins the note on a model that may not answer


class FallbackSource(Protocol):
    """Chooses the next model after a failure."""

    async def after(self, error: CallError) -> Call | None:
        """Returns the next call to make, None if no other model may answer."""
        ...


def may_fall_back(error: CallError) -> bool:
    """Returns True if another model may answer without the risk of paying twice.

    Returns False after any text has arrived, and for errors the user must fix: authentication,
    billing, invalid requests.
    """
    completion = error.completion
    if error.outcome in ANSWERED or (
        completion is not None and (completion.text or completion.reasoning)
    ):
        return False
    if isinstance(error, ServerError):
        return error.status in OVERLOADED or "overloaded" in (error.code or "")
    return isinstance(error, ModelNotFoundError | RateLimitError | ContextLengthExceededError)


class FallbackRunner:
    """A call and, if it fails, its fallback calls, each with its own retries. Serves once.

    Attributes:
        call: The current call, or the last one.
    """

    def __init__(
        self,
        call: Call,
        make: MakeExchange,
        fallbacks: Callable[[], FallbackSource] | None = None,
    ) -> None:
        """Args:
        make: Returns the exchange of a call.
        fallbacks: Returns the source of fallback models, at the first failure; None for none.
        """
        self.call = call
        self._exchange_factory = make
        self._source_factory = fallbacks
        self._source: FallbackSource | None = None
        self._exchange: Exchange | None = None
        self._failures: list[CallError] = []
        self._start: float | None = None

    async def whole(self, on_delta: Callable[[TextDelta], None] | None = None) -> Completion:
        """Returns the answer; *on_delta* is called with each piece as it arrives.

        Raises:
            CallError: The error of the last call; `.completion` holds what was received.
        """
        while True:
            self._exchange = exchange = self._exchange_factory(self.call)
            try:
                answer = await exchange.whole(on_delta)
                return self._with_earlier(answer, exchange) if self._failures else answer
            except CallError as error:
                await self._go_on(error, exchange)

    async def deltas(self) -> AsyncGenerator[TextDelta, None]:
        """Yields the answer's text, one piece for each network read; see `whole`."""
        while True:
            self._exchange = exchange = self._exchange_factory(self.call)
            try:
                async with aclosing(exchange.deltas()) as deltas:
                    async for delta in deltas:
                        yield delta
                return
            except CallError as error:
                await self._go_on(error, exchange)

    def completion(self, status: Status | None = None) -> Completion:
        """Returns what was received so far, with the attempts and times of the earlier calls."""
        if self._exchange is None:
            return empty_completion(self.call, status or Status.ERROR)
        return self._with_earlier(self._exchange.completion(status), self._exchange)

    async def _go_on(self, error: CallError, exchange: Exchange) -> None:
        """Replaces the failed call with the next one.

        Raises:
            CallError: *error*, if no other model may answer.
        """
        remaining_s = exchange.timing.remaining()
        if self._start is None:
            self._start = exchange.timing.start
        next_call = None
        has_time = remaining_s is None or remaining_s > 0
        if self._source_factory is not None and has_time and may_fall_back(error):
            if self._source is None:
                self._source = self._source_factory()
            next_call = await self._source.after(error)
        if next_call is None:
            for earlier in self._failures:
                error.add_note(f"before it: {type(earlier).__name__}: {earlier}")
            if error.completion is not None:
                error.completion = self._with_earlier(error.completion, exchange)
                error.possibly_billed = error.completion.possibly_billed
            raise error
        log.info("%s; asking %s instead", error, next_call.model)
        self._failures.append(error)
        if remaining_s is not None:
            timeouts = replace(next_call.timeouts, deadline_s=remaining_s)
            next_call = replace(next_call, timeouts=timeouts)
        self.call = next_call

    def _with_earlier(self, completion: Completion, exchange: Exchange) -> Completion:
        if not self._failures:
            return completion
        completions = [error.completion for error in self._failures if error.completion is not None]
        start, first_start = exchange.timing.start, self._start
        delay_s = 0.0 if start is None or first_start is None else start - first_start
        return replace(
            completion,
            attempts=completion.attempts + sum(earlier.attempts for earlier in completions),
            waited_s=sum(one.waited_s or 0.0 for one in (completion, *completions)),
            possibly_billed=completion.possibly_billed
            or any(e.possibly_billed for e in self._failures),
            started_at=next(
                (e.started_at for e in completions if e.started_at), completion.started_at
            ),
            time_to_first_chunk_s=_later(completion.time_to_first_chunk_s, delay_s),
            time_to_first_reasoning_s=_later(completion.time_to_first_reasoning_s, delay_s),
            time_to_first_text_s=_later(completion.time_to_first_text_s, delay_s),
            duration_s=_later(completion.duration_s, delay_s),
        )


def _later(seconds: float | None, by: float) -> float | None:
    return None if seconds is None else seconds + by


def empty_completion(call: Call, status: Status = Status.ERROR) -> Completion:
    """Returns the answer of a call that was not sent."""
    return Completion(
        status=status,
        provider=call.provider.name,
        request_model=call.model,
        attempts=0,
        fallback=call.fallback,
        ignored_parameters=call.ignored,
    )


def warn_once(step: FallbackStep, known_pairs: set[tuple[str, str]]) -> None:
    """Logs a warning about a fallback to an unequal model, once per pair of models.

    Args:
        known_pairs: The pairs warned of before; extended here. The answer holds the step as well.
    """
    pair = (step.asked, step.chosen)
    if pair not in known_pairs and is_unequal(step):
        known_pairs.add(pair)
        log.warning('%s (forbid it with fallback="error"; shown once)', step)


def is_unequal(step: FallbackStep) -> bool:
    """Returns True for a model of another maker, and a smaller, less able or costlier one."""
    is_smaller = step.class_change is not None and step.class_change < 0
    is_costlier = step.price_ratio is not None and step.price_ratio > PRICE_RATIO_LIMIT
    has_other_maker = step.rule != SAME_MODEL and _maker(step.asked) != _maker(step.chosen)
    return bool(is_smaller or is_costlier or step.lost or has_other_maker)


def _maker(name: str) -> str:
    """Returns the maker of a model by its name; resellers prefix it with the maker."""
    provider, _, model = name.partition(":")
    maker, slash, _ = model.removeprefix("~").lower().partition("/")
    return provider_table().makers.get(maker, maker) if slash else provider
