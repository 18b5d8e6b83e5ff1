"""Sends one call to its provider, retries included, and reads the answer."""

from __future__ import annotations

import logging
import sys
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from datetime import UTC, datetime
from math import inf
from typing import Any, Protocol

from ..errors import (
    CallError,
    ProviderError,
    StreamInterruptedError,
    TransportError,
    WrongAddressError,
)
from ..providers.addresses import line_of
from ..providers.base import request_id_from, with_origin
from ..providers.redaction import without_keys
from ..retries.rate_limit import RateLimiter
from ..secret import without_locals
from ..transport.base import Opened, StreamingResponse, Transport
from ..transport.responses import refusal
from ..types import Completion, Status, TextDelta
from .call import AnswerReader, Call, CallTelemetry, CallTiming
from .leaving_out import name_of, own_parts, refused_part, request_without
from .turns import CallTurns

log = logging.getLogger(__name__)

# Gemini's answers do not have the tier (litellm 1.110.2, read 2026-11-30).
TIER_HEADER = "x-gemini-service-tier"
NOT_COUNTED_S = 0.01  # of our own work before the first attempt
REQUEST_IDS = ("x-request-id", "request-id", "x-generation-id", "mistral-correlation-id")

TransportOpener = Callable[[Call], Awaitable[Opened]]


class Account(Protocol):
    """The part of a budget that one row may spend."""

    async def reserve(self, call: Call) -> None:
        """Waits until the highest cost of *call* fits into the budget.

        Raises:
            SpendLimitError: It never will.
        """
        ...

    def keep(self) -> None:
        """Counts the reservation as spent, because an attempt may have been billed."""
        ...


class Exchange:
    """One call with its retries, and the answer received so far. Serves once.

    *open_transport* is called when the limiter grants its turn. *limiter* is shared by all calls
    with that key, of which *at_once* may run, None for as many as the provider accepts. The
    deadline of a call of a *group*, such as a row of a comparison, begins at its first attempt; for
    *group* and *max_pause_s* see `CallTurns`. *observer* is told of each retry and of the end.
    *refused* holds the parts of requests that the server has refused, and is shared by all calls to
    it; see `leaving_out`.

    Attributes:
        account: Asked before each attempt, if the run has a budget.
    """

    def __init__(
        self,
        call: Call,
        open_transport: TransportOpener,
        limiter: RateLimiter | None = None,
        *,
        at_once: int | None = None,
        group: object = None,
        max_pause_s: float | None = None,
        observer: CallTelemetry | None = None,
        refused: set[str] | None = None,
    ) -> None:
        self.call = call
        self._open_transport = open_transport
        self._connection: Opened | None = None
        self._limiter = limiter or RateLimiter(call.provider.label)
        self._turns = CallTurns(self._limiter, at_once, group, max_pause_s or None)
        self.account: Account | None = None
        self._observer = observer
        self._refused = set() if refused is None else refused
        self._left_out: dict[str, str] = {}  # the warning about each part
        self._is_streamed = call.stream
        self._result: Completion | None = None
        self._is_inside = False  # the limiter's count
        self._response_context: AbstractAsyncContextManager[StreamingResponse] | None = None
        self._reader: AnswerReader | None = None  # of this attempt
        self._attempts = 0
        self._is_billed = False
        self.timing = CallTiming(self._limiter.clock)
        self._request_id: str | None = None
        self._service_tier: str | None = None

    async def whole(self, on_delta: Callable[[TextDelta], None] | None = None) -> Completion:
        """Returns the answer; *on_delta* is called with each piece as it arrives.

        Raises:
            CallError: The last attempt failed; `.completion` holds what was received.
        """
        try:
            delta = await self._first_piece()
            while delta is not None:
                if on_delta is not None:
                    on_delta(delta)
                assert self._reader is not None
                delta = await self._reader.next()
            return self._checked_answer()
        except CallError as error:
            self._explain(error)
            raise
        finally:
            await self._leave()

    async def deltas(self) -> AsyncGenerator[TextDelta, None]:
        """Yields the answer's text, one piece for each network read; see `whole`.

        A reader that stops early closes the generator (contextlib.aclosing).
        """
        try:
            delta = await self._first_piece()
            while delta is not None:
                yield delta
                assert self._reader is not None
                delta = await self._reader.next()
            self._checked_answer()
        except CallError as error:
            self._explain(error)
            raise
        finally:
            await self._leave()

    def _checked_answer(self) -> Completion:
        answer = self.completion()
        if answer.status is Status.TRUNCATED:
            raise StreamInterruptedError(
                f"{self.call.provider.label} ended the stream of {self.call.model} without a "
                "finish reason; the text so far is in .completion",
                possibly_billed=True,
            )
        self._result = answer
        return answer

    def completion(self, status: Status | None = None) -> Completion:
        """Returns what was received so far; *status* replaces the provider's reason for its end."""
        if status is None and self._result is not None:
            return self._result
        call, times, warnings = self.call, self.timing, self.call.warnings
        if call.ignored:
            ending = f"was not sent: {call.model} cannot take it"
            warnings += tuple(f"{name} {ending}" for name in call.ignored)
        reader, start, end = self._reader, times.start, times.end
        is_billed, redactor = self._is_billed, None
        if reader is not None:
            end, redactor = end or reader.end_at, reader.redactor
            warnings += reader.warnings
            # The provider may charge for what it had generated.
            is_billed = is_billed or (status is Status.CANCELLED and call.provider.facts.paid)
        if self._left_out:
            warnings += tuple(self._left_out.values())
        turns = self._turns
        about: dict[str, Any] = {
            "provider": call.provider.name, "request_model": call.model,
            "request_id": self._request_id, "service_tier": self._service_tier,
            "started_at": times.began_at,
            "duration_s": None if start is None or end is None else end - start,
            "waited_s": turns.waited_s if turns.since is None else turns.total_s(),
            "attempts": self._attempts, "ignored_parameters": call.ignored,
            "fallback": call.fallback, "warnings": warnings, "possibly_billed": is_billed,
            "rerouted": None if reader is None else call.rerouted,
        }  # fmt: skip
        if reader is not None and start is not None and self._is_streamed:
            for name, at in reader.times.items():
                about[name] = at - start
        if reader is None or reader.document is not None:
            answer = (reader and reader.document) or Completion()
            about["warnings"] = (*answer.warnings, *warnings)
            about["request_id"] = answer.request_id or self._request_id
            about["service_tier"] = answer.service_tier or self._service_tier
            answer = replace(answer, status=status or answer.status, **about)
        else:
            answer = reader.parser.end(status, {**about, "pieces": reader.pieces})
        return without_keys(answer, redactor)

    async def _first_piece(self) -> TextDelta | None:
        limiter, deadline_s = self._limiter, self.call.timeouts.deadline_s
        if self._turns.group is None and deadline_s is not None:
            self.timing.limit(deadline_s)
        limiter.budget.calls += 1
        try:
            return await self._begin(1)
        except CallError as error:
            policy = self.call.policy
            if self._turns.max_pause_s is not None:
                policy = replace(policy, cap=self._turns.max_pause_s)
            return await policy.after(
                error, self._begin, sleep=limiter.sleep, on_retry=self._retrying,
                time_left=self.timing.remaining, rand=limiter.rand, budget=limiter.budget,
            )  # fmt: skip

    async def _begin(self, number: int) -> TextDelta | None:
        # An attempt lasts until the first text; after it, a second request would be billed twice.
        limiter, turns = self._limiter, self._turns
        while True:
            is_new = self.account is None and turns.since is None
            if not (is_new and limiter.acquire_now(turns.at_once)):
                await self._wait_for_turn(again=number > 1)
            self._is_inside, turns.epoch = True, limiter.pace.epoch
            self._reader = None
            try:
                connection = await self._open()
                while True:
                    try:
                        self._attempts += 1
                        response = await self._send(connection.transport)
                        self._request_id = request_id_from(response.headers, *REQUEST_IDS)
                        self._service_tier = response.headers.get(TIER_HEADER)
                        self._reader = AnswerReader(self.call.provider, response, self.timing.clock)
                        piece = await self._reader.next()
                        limiter.accepted()  # only now: a stream may begin with a refusal
                        return piece
                    except ProviderError as error:
                        # Not an attempt of the retry policy: it cost nothing, and no wait would
                        # help.
                        if not await self._leaves_out(error):
                            raise
            except BaseException as error:
                await self._release()
                if not (isinstance(error, CallError) and self._is_sent_again(error)):
                    raise

    async def _wait_for_turn(self, *, again: bool) -> None:
        turns, timing = self._turns, self.timing
        turns.begin()
        if self.account is not None:
            start = self._limiter.clock()
            await self.account.reserve(self.call)
            if timing.deadline is not None:
                timing.deadline += self._limiter.clock() - start
        waited_s = await turns.wait(timing.remaining, again=again)
        if timing.deadline is not None:
            timing.deadline += waited_s
        turns.end()

    async def _open(self) -> Opened:
        # For each attempt, because the session of the last one may be closed by now.
        earlier_connection, remaining_s = self._connection, self.timing.remaining()
        connection = await self._open_transport(self.call)
        connection.use.__enter__()
        if earlier_connection is not None:
            earlier_connection.use.__exit__(None, None, None)
        self._connection = connection
        if connection.provider is not self.call.provider:
            self.call = replace(self.call, provider=connection.provider, key=connection.key)
        if self._observer is not None:
            session = connection.session
            self._observer.session = session.id if session is not None else None
        if earlier_connection is None:
            # The time of opening is not the provider's.
            self.timing.start, self.timing.began_at = self.timing.clock(), datetime.now(UTC)
            if self._turns.group is not None:
                remaining_s = self.call.timeouts.deadline_s
            if remaining_s is not None:
                self.timing.limit(remaining_s)
        return connection

    async def _send(self, transport: Transport) -> StreamingResponse:
        call, timeouts, remaining_s = self.call, self.call.timeouts, self.timing.remaining()
        if remaining_s is not None and remaining_s < (timeouts.deadline_s or inf) - NOT_COUNTED_S:
            timeouts = replace(timeouts, deadline_s=max(remaining_s, 0.0))
        left_out = self._refused.intersection(own_parts(call)) if self._refused else ()
        if left_out:
            request = request_without(call, left_out)
            for part in left_out:
                warning = f"{call.provider.label} refused {name_of(part)}; asked without it"
                self._left_out.setdefault(part, warning)
        else:
            request = call.provider.chat_request(
                call.prompt, model=call.model, key=call.key, stream=call.stream
            )
        self._is_streamed = request.stream
        idle_s, first_byte_s = timeouts.idle_s, timeouts.first_byte_s
        if not request.stream and idle_s is not None:  # nothing comes before the whole answer
            idle_s = None if first_byte_s is None else max(idle_s, first_byte_s)
            timeouts = replace(timeouts, idle_s=idle_s)
        response_context = transport.send(request, timeouts)
        response = await response_context.__aenter__()
        self._response_context = response_context
        if response.status != 200:
            raise await refusal(call.provider, response, request.url, call.model)
        return response

    async def _leaves_out(self, error: ProviderError) -> bool:
        """Returns True if the request is sent again without the part that *error* refuses."""
        part = refused_part(self.call, error)
        if part is None:
            return False
        if part in self._left_out:  # so this was not what the server refused
            del self._left_out[part]
            self._refused.discard(part)
            return False
        label = self.call.provider.label
        self._refused.add(part)
        self._left_out[part] = f"{label} refused {name_of(part)}; asked again without it"
        log.info("%s; asking again without %s", error, name_of(part))
        response_context, self._response_context = self._response_context, None
        self._reader = None
        if response_context is not None:
            await response_context.__aexit__(None, None, None)
        return True

    def _is_sent_again(self, error: CallError) -> bool:
        """Notes a failure, and returns True if the call is sent again after a rate limit."""
        with_origin(error, provider=self.call.provider.name, model=self.call.model)
        error.possibly_billed = error.possibly_billed and self.call.provider.facts.paid
        self._turns.learn_from(error)
        if not self._turns.waits_after(error):
            return False
        self._retrying(error, self._attempts + 1, error.retry_after or 0.0)
        return True

    async def _leave(self) -> None:
        failure = sys.exception()
        if failure is not None:  # the frames below hold the answer with the keys that it echoes
            without_locals(failure)
        if self.timing.end is None:
            self.timing.end = self.timing.clock()
        if self._turns.since is not None:
            self._turns.end()
        try:
            await self._release()
        finally:
            if self._connection is not None:
                self._connection.use.__exit__(None, None, None)
            if failure is None:
                completion = self.completion()
            elif isinstance(failure, CallError) and failure.completion is not None:
                completion = failure.completion
            else:  # the caller was cancelled, or stopped reading
                is_stopped = not isinstance(failure, Exception)
                completion = self.completion(Status.CANCELLED if is_stopped else Status.ERROR)
            if self._observer is not None:
                self._observer.ended(self.call, completion, failure)

    async def _release(self) -> None:
        response_context, self._response_context = self._response_context, None
        try:
            if response_context is not None:
                await response_context.__aexit__(None, None, None)
        finally:
            if self._is_inside:
                self._is_inside = False
                self._limiter.release()

    def _retrying(self, error: CallError, attempt: int, wait: float) -> None:
        self._is_billed = self._is_billed or error.possibly_billed
        self._turns.begin()
        if error.possibly_billed and self.account is not None:
            self.account.keep()
        call = self.call
        if self._observer is not None:
            self._observer.retrying(call, error, attempt, wait)
        log.info(
            "Retrying %s (attempt %d) in %.1f s: %s", call.provider.label, attempt, wait, error,
        )  # fmt: skip

    def _explain(self, error: CallError) -> None:
        call = self.call
        self.timing.end = self.timing.clock()
        self._turns.explain(error)
        self._is_billed = self._is_billed or (error.possibly_billed and call.provider.facts.paid)
        with_origin(error, provider=call.provider.name, model=call.model, key=call.key)
        if isinstance(error, WrongAddressError):
            error.called = line_of(request_without(call, ()))
        error.possibly_billed = self._is_billed
        error.attempts = self._attempts
        completion = self.completion()
        error.completion = replace(completion, status=status_of(error, completion.text))


def status_of(error: CallError, text: str) -> Status:
    """Returns the status of an answer that *error* ended: `truncated` if its text was cut off."""
    if isinstance(error, StreamInterruptedError):
        return Status.TRUNCATED
    return Status.TRUNCATED if text and isinstance(error, TransportError) else Status.ERROR
