"""One question on its way to an answer, by the model that was asked or by another in its place."""

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

log = logging.getLogger(__name__)

OVERLOADED = (503, 529)  # by their meaning nothing was answered, unlike 500, 502 and 504
ANSWERED = (Outcome.STREAMED, Outcome.AMBIGUOUS)

MakeExchange = Callable[[Call], Exchange]

MUCH_DEARER = 2.0
PASSED_OVER = "not asked instead: "  # how a note of those begins who may not answer


class FallbackSource(Protocol):
    """Who else may answer; asked anew after each failure."""

    async def after(self, error: CallError) -> Call | None:
        """The next call to make, None where nobody is left or allowed."""
        ...


def may_fall_back(error: CallError) -> bool:
    """True where another model could answer what this one did not, at no risk of two bills.

    Never once text has come; never where the key, the money or the request itself is wrong, for
    those are to be mended and not to be gone round.
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
    """A call, and where it fails those in its place, each with its own retries. Serves once.

    Attributes:
        call: The one under way, or the last.
    """

    def __init__(
        self,
        call: Call,
        make: MakeExchange,
        fallbacks: Callable[[], FallbackSource] | None = None,
    ) -> None:
        """Args:
        make: The exchange of one call.
        fallbacks: Returns what chooses the next model, called at the first failure; None if
            no other model may answer.
        """
        self.call = call
        self._exchange_factory = make
        self._source_factory = fallbacks
        self._source: FallbackSource | None = None
        self._exchange: Exchange | None = None
        self._failures: list[CallError] = []
        self._start: float | None = None

    async def whole(self, on_delta: Callable[[TextDelta], None] | None = None) -> Completion:
        """The answer; *on_delta* is told of each piece as it comes.

        Raises:
            CallError: The last one's own error; `.completion` holds what had come.
        """
        while True:
            self._exchange = exchange = self._exchange_factory(self.call)
            try:
                answer = await exchange.whole(on_delta)
                return self._with_earlier(answer, exchange) if self._failures else answer
            except CallError as error:
                await self._go_on(error, exchange)

    async def deltas(self) -> AsyncGenerator[TextDelta, None]:
        """The answer's text, one piece for each network read; see `whole`."""
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
        """What has come so far, with what the earlier calls took."""
        if self._exchange is None:
            return empty_completion(self.call, status or Status.ERROR)
        return self._with_earlier(self._exchange.completion(status), self._exchange)

    async def _go_on(self, error: CallError, exchange: Exchange) -> None:
        """Makes the next call the one under way.

        Raises:
            CallError: *error*, where there is none.
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
            possibly_billed=completion.possibly_billed
            or any(e.possibly_billed for e in self._failures),
            started_at=next(
                (e.started_at for e in completions if e.started_at), completion.started_at
            ),
            time_to_first_chunk_s=_later(completion.time_to_first_chunk_s, delay_s),
            duration_s=_later(completion.duration_s, delay_s),
        )


def _later(seconds: float | None, by: float) -> float | None:
    return None if seconds is None else seconds + by


def empty_completion(call: Call, status: Status = Status.ERROR) -> Completion:
    """What there is of an answer before anything was sent."""
    return Completion(
        status=status,
        provider=call.provider.name,
        request_model=call.model,
        attempts=0,
        fallback=call.fallback,
        ignored_parameters=call.ignored,
    )


def warn_once(step: FallbackStep, known_pairs: set[tuple[str, str]]) -> None:
    """Warns of the *step* to the model that answered, where a person would want to know.

    It stands on the answer as well. A run of a thousand rows must not warn a thousand times, so a
    pair of models is named once for as long as *known_pairs*, the ones of before, lives.
    """
    pair = (step.asked, step.chosen)
    if pair not in known_pairs and is_unequal(step):
        known_pairs.add(pair)
        log.warning('%s (forbid it with fallback="error"; said once)', step)


def is_unequal(step: FallbackStep) -> bool:
    """True for a smaller, much dearer or less able model, and for one of another maker."""
    is_smaller = step.class_change is not None and step.class_change < 0
    is_dearer = step.price_ratio is not None and step.price_ratio > MUCH_DEARER
    has_other_maker = step.rule != SAME_MODEL and _maker(step.asked) != _maker(step.chosen)
    return bool(is_smaller or is_dearer or step.lost or has_other_maker)


def _maker(name: str) -> str:
    """Who makes a model, as far as its name says; a server of many makers says it first."""
    provider, _, model = name.partition(":")
    maker, slash, _ = model.removeprefix("~").lower().partition("/")
    return provider_table().makers.get(maker, maker) if slash else provider
