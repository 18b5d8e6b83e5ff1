"""Sends one call to its provider, retries included, and reads the answer."""

from __future__ import annotations

import logging
import sys
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from ..errors import (
    BadResponseError,
    CallError,
    Outcome,
    ProviderError,
    RateLimitError,
    StreamInterruptedError,
    TransportError,
)
from ..providers.base import StreamParser, request_id_from, with_origin
from ..providers.redaction import StreamRedactor, without_keys
from ..retries.rate_limit import AT_ONCE, RateLimiter
from ..secret import keys_seen, without_locals
from ..transport.base import DROPPED, Opened, StreamingResponse, Transport
from ..transport.responses import StreamOrDocument, refusal
from ..types import Completion, Status, TextDelta
from ..wire.messages import HttpResponse, parse_json
from ..wire.retry_hints import asked_in
from .call import Call, CallTelemetry, CallTiming

log = logging.getLogger(__name__)

LAST_WORDS_S = 0.1  # for the end of the body, after the end of the answer
REQUEST_IDS = ("x-request-id", "request-id", "x-generation-id", "mistral-correlation-id")
USAGE_S = 2.0  # for token counts and the end mark, after the finish reason
NO_END = "the answer is complete, but its response broke off; token counts may be missing"


TransportOpener = Callable[[Call], Awaitable[Opened]]


class Exchange:
    """One call with its retries, and the answer received so far. Serves once.

    *open_transport* is called when the limiter grants its turn. *limiter* is shared by all calls
    with that key, of which *at_once* may run. A call of a *group*, such as a row of a comparison,
    waits for its turn without a limit; its deadline begins then. *observer* is told of each retry
    and of the end.
    """

    def __init__(
        self,
        call: Call,
        open_transport: TransportOpener,
        limiter: RateLimiter | None = None,
        *,
        at_once: int = AT_ONCE,
        group: object = None,
        observer: CallTelemetry | None = None,
    ) -> None:
        self.call = call
        self._open_transport = open_transport
        self._connection: Opened | None = None
        self._limiter = limiter or RateLimiter(call.provider.label)
        self._at_once = at_once
        self._group = group
        self._observer = observer
        self._result: Completion | None = None
        self._is_inside = False  # the limiter's count
        self._response_context: AbstractAsyncContextManager[StreamingResponse] | None = None
        self._response: StreamingResponse | None = None
        self._parser: StreamParser | None = None
        self._redactor: StreamRedactor | None = None
        self._document: StreamOrDocument | None = None
        self._failure: CallError | None = None  # of the last read
        self._is_stream = False  # certainly, and not a document
        self._is_ending = False
        self._answer: Completion | None = None
        self._attempts = 0
        self._is_billed = False
        self._has_dropped = False
        self.timing = CallTiming()
        self._request_id: str | None = None

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
                delta = await self._next()
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
                delta = await self._next()
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
        start, first, end = times.start, times.first, times.end
        about: dict[str, Any] = {
            "provider": call.provider.name, "request_model": call.model,
            "request_id": self._request_id, "started_at": times.began_at,
            "time_to_first_chunk_s": None if start is None or first is None else first - start,
            "duration_s": None if start is None or end is None else end - start,
            "attempts": self._attempts, "ignored_parameters": call.ignored,
            "fallback": call.fallback, "warnings": warnings, "possibly_billed": self._is_billed,
        }  # fmt: skip
        if self._answer is None and self._parser is not None:
            answer = self._parser.end(status, about)
        else:
            answer = self._answer or Completion()
            about["warnings"] = (*answer.warnings, *warnings)
            about["request_id"] = answer.request_id or self._request_id
            answer = replace(answer, status=status or answer.status, **about)
        return without_keys(answer, self._redactor)

    async def _first_piece(self) -> TextDelta | None:
        limiter, deadline_s = self._limiter, self.call.timeouts.deadline_s
        if self._group is None and deadline_s is not None:
            self.timing.limit(deadline_s)
        limiter.budget.calls += 1
        try:
            return await self._begin(1)
        except CallError as error:
            return await self.call.policy.after(
                error, self._begin, sleep=limiter.sleep, on_retry=self._retrying,
                time_left=self.timing.remaining, rand=limiter.rand, budget=limiter.budget,
            )  # fmt: skip

    async def _begin(self, number: int) -> TextDelta | None:
        # An attempt lasts until the first text; after it, a second request would be billed twice.
        limiter, is_retry = self._limiter, number > 1
        if not limiter.acquire_now(self._at_once):
            await limiter.acquire(
                self._at_once, time_left=self.timing.remaining, again=is_retry, group=self._group
            )
        self._is_inside = True
        self._parser = None
        try:
            connection = await self._open()
            self._attempts += 1
            self._response = response = await self._send(connection.transport)
            if response.status != 200:
                raise await refusal(self.call.provider, response)
            limiter.accepted()
            self._request_id = request_id_from(response.headers, *REQUEST_IDS)
            self._parser = self.call.provider.stream_parser()
            self._redactor = StreamRedactor() if keys_seen() else None
            self._document, self._failure, self._is_stream = None, None, False
            return await self._next()
        except BaseException as error:
            await self._release()
            if isinstance(error, CallError):
                self._learn_from(error)
            raise

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
            if self._group is not None:
                remaining_s = self.call.timeouts.deadline_s
            if remaining_s is not None:
                self.timing.limit(remaining_s)
        return connection

    async def _send(self, transport: Transport) -> StreamingResponse:
        call, timeouts, remaining_s = self.call, self.call.timeouts, self.timing.remaining()
        if remaining_s is not None:
            timeouts = replace(timeouts, deadline_s=max(remaining_s, 0.0))
        request = call.provider.chat_request(
            call.prompt, model=call.model, key=call.key, stream=True
        )
        if self._has_dropped:
            request = replace(request, fresh=True)
        response_context = transport.send(request, timeouts)
        response = await response_context.__aenter__()
        self._response_context = response_context
        return response

    def _learn_from(self, error: CallError) -> None:
        with_origin(error, provider=self.call.provider.name, model=self.call.model)
        if error.code == DROPPED:
            # A kept connection that breaks at once was most likely closed before our request
            # arrived. If it happens twice, the request was more likely read.
            if self._has_dropped:
                error.outcome, error.possibly_billed = Outcome.AMBIGUOUS, True
            self._has_dropped = True
        elif isinstance(error, RateLimitError) and error.retry_after is not None:
            self._limiter.pause(error.retry_after)

    async def _next(self) -> TextDelta | None:
        """Returns the next piece of text, None at the end of the answer."""
        parser, response = self._parser, self._response
        assert parser is not None
        assert response is not None
        try:
            while not parser.done and (data := await response.read()):
                delta = parser.feed(data)
                if parser.begun:
                    self._is_stream, self._document = True, None
                elif not self._is_stream:
                    self._is_stream = self._is_stream_by(data, response)
                if parser.finished and not self._is_ending:
                    response.finish_within(USAGE_S)
                    self._is_ending = True
                if delta is None:
                    continue
                response.content_received()
                if self.timing.first is None:
                    self.timing.first = self.timing.clock()
                delta = delta if self._redactor is None else self._redactor.feed(delta)
                if delta is not None and (delta.text or delta.reasoning):
                    return delta
            if isinstance(parser.error, BadResponseError) and self._document is not None:
                await self._document.read_on(response)
        except CallError as error:  # the connection broke, or a limit passed
            self._failure = error
        return self._end_of_stream(parser, response)

    def _is_stream_by(self, data: bytes, response: StreamingResponse) -> bool:
        """Returns False as long as the body may be one document, and keeps it."""
        if self._document is None:
            self._document = StreamOrDocument(response.headers.get("content-type", ""))
        if self._document.keep(data):
            return False
        self._document = None
        return True

    def _end_of_stream(self, parser: StreamParser, response: StreamingResponse) -> TextDelta | None:
        self.timing.end = self.timing.clock()
        if self._failure is None:
            response.finish_within(LAST_WORDS_S)
        rest = parser.close()  # the last event may lack its closing line
        if rest is not None:
            if self.timing.first is None:
                self.timing.first = self.timing.clock()
            rest = rest if self._redactor is None else self._redactor.feed(rest)
            if rest is not None and (rest.text or rest.reasoning):
                return rest
        if self._answer is not None:
            return None
        body = None
        if not (self._is_stream or parser.begun):
            body = b"" if self._document is None else self._document.body
        if self._failure is not None:
            self._accept_break(self._failure, parser, body)
        if parser.error is not None and not body:
            if self.timing.first is not None:
                parser.error.outcome, parser.error.possibly_billed = Outcome.STREAMED, True
            raise parser.error
        return None if body is None else self._parse_document(response, bytes(body))

    def _accept_break(
        self, failure: CallError, parser: StreamParser, body: bytes | bytearray | None
    ) -> None:
        """Raises *failure*, unless the answer, or the provider's error, had arrived before it."""
        if parser.error is not None and not body:
            return
        is_document = bool(body) and isinstance(parse_json(bytes(body or b"")), dict | list)
        if not (parser.finished or is_document):
            raise failure
        self.call = replace(self.call, warnings=(*self.call.warnings, NO_END))

    async def _leave(self) -> None:
        failure = sys.exception()
        if failure is not None:  # the frames below hold the answer with the keys that it echoes
            without_locals(failure)
        if self.timing.end is None:
            self.timing.end = self.timing.clock()
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

    def _parse_document(self, response: StreamingResponse, body: bytes) -> TextDelta | None:
        # Some servers answer a streaming request with one JSON document.
        document = HttpResponse(response.status, response.headers, body)
        try:
            self._answer = answer = without_keys(self.call.provider.parse_chat(document))
        except ProviderError as error:
            error.retry_after = asked_in(document.json())
            raise
        if not (answer.text or answer.reasoning):
            return None
        return TextDelta(answer.text, answer.reasoning)

    def _retrying(self, error: CallError, attempt: int, wait: float) -> None:
        self._is_billed = self._is_billed or error.possibly_billed
        if isinstance(error, RateLimitError) and error.retry_after is None:
            self._limiter.pause(wait)
        call = self.call
        if self._observer is not None:
            self._observer.retrying(call, error, attempt, wait)
        log.info(
            "Retrying %s (attempt %d/%d) in %.1f s: %s",
            call.provider.label, attempt, call.policy.attempts, wait, error,
        )  # fmt: skip

    def _explain(self, error: CallError) -> None:
        call = self.call
        self.timing.end = self.timing.clock()
        if error.code == DROPPED:  # without a retry, its outcome stays unknown
            error.outcome, error.possibly_billed = Outcome.AMBIGUOUS, True
        self._is_billed = self._is_billed or error.possibly_billed
        with_origin(error, provider=call.provider.name, model=call.model)
        error.possibly_billed = self._is_billed
        error.attempts = self._attempts
        completion = self.completion()
        error.completion = replace(completion, status=status_of(error, completion.text))


def status_of(error: CallError, text: str) -> Status:
    """Returns the status of an answer that *error* ended: `truncated` if its text was cut off."""
    if isinstance(error, StreamInterruptedError):
        return Status.TRUNCATED
    return Status.TRUNCATED if text and isinstance(error, TransportError) else Status.ERROR
