"""One question on its way to an answer, by the model that was asked or by another in its place."""

from __future__ import annotations

import logging
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import replace
from typing import Protocol

from ..catalogue.fallback_policy import SAME_MODEL
from ..catalogue.names import MAKERS
from ..errors import (
    CallError,
    ContextLengthExceededError,
    ModelNotFoundError,
    Outcome,
    RateLimitError,
    ServerError,
)
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


def calls_for_another(error: CallError) -> bool:
    """True where another model could answer what this one did not, at no risk of two bills.

    Never once text has come; never where the key, the money or the request itself is wrong, for
    those are to be mended and not to be gone round.
    """
    came = error.completion
    if error.outcome in ANSWERED or (came is not None and (came.text or came.reasoning)):
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
        self, call: Call, make: MakeExchange, fallbacks: FallbackSource | None = None
    ) -> None:
        """Args:
        make: The exchange of one call.
        fallbacks: Who else may answer; None for nobody.
        """
        self.call = call
        self._make = make
        self._fallbacks = fallbacks
        self._exchange: Exchange | None = None
        self._failed: list[CallError] = []
        self._began: float | None = None

    async def whole(self, on_delta: Callable[[TextDelta], None] | None = None) -> Completion:
        """The answer; *on_delta* is told of each piece as it comes.

        Raises:
            CallError: The last one's own error; `.completion` holds what had come.
        """
        while True:
            self._exchange = exchange = self._make(self.call)
            try:
                await exchange.whole(on_delta)
                return self.completion()
            except CallError as error:
                await self._go_on(error, exchange)

    async def deltas(self) -> AsyncGenerator[TextDelta, None]:
        """The answer's text, one piece for each network read; see `whole`."""
        while True:
            self._exchange = exchange = self._make(self.call)
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
        left = exchange.timing.remaining()
        if self._began is None:
            self._began = exchange.timing.start
        following = None
        if self._fallbacks is not None and calls_for_another(error) and (left is None or left > 0):
            following = await self._fallbacks.after(error)
        if following is None:
            for earlier in self._failed:
                error.add_note(f"before it: {type(earlier).__name__}: {earlier}")
            if error.completion is not None:
                error.completion = self._with_earlier(error.completion, exchange)
                error.possibly_billed = error.completion.possibly_billed
            raise error
        log.info("%s; asking %s instead", error, following.model)
        self._failed.append(error)
        timeouts = (
            following.timeouts if left is None else replace(following.timeouts, deadline_s=left)
        )
        self.call = replace(following, timeouts=timeouts)

    def _with_earlier(self, came: Completion, exchange: Exchange) -> Completion:
        if not self._failed:
            return came
        told = [error.completion for error in self._failed if error.completion is not None]
        began, first = exchange.timing.start, self._began
        late = 0.0 if began is None or first is None else began - first
        return replace(
            came,
            attempts=came.attempts + sum(earlier.attempts for earlier in told),
            possibly_billed=came.possibly_billed or any(e.possibly_billed for e in self._failed),
            started_at=next((e.started_at for e in told if e.started_at), came.started_at),
            time_to_first_chunk_s=_later(came.time_to_first_chunk_s, late),
            duration_s=_later(came.duration_s, late),
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


log = logging.getLogger(__name__)


def warn_once(step: FallbackStep, told: set[tuple[str, str]]) -> None:
    """Warns of the *step* to the model that answered, where a person would want to know.

    It stands on the answer as well. A run of a thousand rows must not warn a thousand times, so a
    pair of models is named once for as long as *told*, the ones of before, lives.
    """
    pair = (step.asked, step.chosen)
    if pair not in told and is_unequal(step):
        told.add(pair)
        log.warning('%s (forbid it with fallback="error"; said once)', step)


def is_unequal(step: FallbackStep) -> bool:
    """True for a smaller, much dearer or less able model, and for one of another maker."""
    smaller = step.class_change is not None and step.class_change < 0
    dearer = step.price_ratio is not None and step.price_ratio > MUCH_DEARER
    other_maker = step.rule != SAME_MODEL and _maker(step.asked) != _maker(step.chosen)
    return bool(smaller or dearer or step.lost or other_maker)


def _maker(name: str) -> str:
    """Who makes a model, as far as its name says; a server of many makers says it first."""
    provider, _, model = name.partition(":")
    maker, slash, _ = model.removeprefix("~").lower().partition("/")
    return MAKERS.get(maker, maker) if slash else provider
