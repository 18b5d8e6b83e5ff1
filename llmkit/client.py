"""One prompt on its way to one model and back."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from .errors import CallError, Outcome, ProviderError, StreamInterruptedError, TransportError
from .providers.base import Provider, StreamParser, located
from .runtime.carrier import STALE, Arriving, Carrier, Limits
from .runtime.retry import RetryPolicy
from .secret import Secret
from .types import Completion, FallbackStep, Prompt, Status, TextDelta
from .wire.exchange import HttpResponse
from .wire.retry_hints import retry_after

log = logging.getLogger(__name__)

LAST_WORDS_S = 0.1  # for the end of the body, once the answer has ended
USAGE_S = 2.0  # for token counts and the closing mark, once a finish reason came
STREAMS = ("text/event-stream", "application/x-ndjson", "application/stream+json")
FINAL_STATUSES = (401, 402, 403)  # no header makes sending these again worth while


@dataclass(frozen=True, slots=True)
class Call:
    """All that one request needs to know.

    Attributes:
        prompt: Already fitted to the model.
        ignored: The parameters that fitting left out.
    """

    provider: Provider
    model: str
    prompt: Prompt
    key: Secret | None
    limits: Limits
    policy: RetryPolicy
    ignored: tuple[str, ...] = ()
    fallback: tuple[FallbackStep, ...] = ()
    warnings: tuple[str, ...] = ()


class Exchange:
    """One call, its retries included, and what has come of it so far. Serves once."""

    def __init__(self, call: Call, carrier: Carrier) -> None:
        self.call = call
        self._carrier = carrier
        self._sending: AbstractAsyncContextManager[Arriving] | None = None
        self._arriving: Arriving | None = None
        self._parser: StreamParser | None = None
        self._raw: bytearray | None = None  # a body that may turn out to be no stream
        self._ending = False
        self._answer: Completion | None = None
        self._attempts = 0
        self._billed = False
        self._stale = False
        self._started: float | None = None
        self._first: float | None = None
        self._ended: float | None = None
        self._started_at: datetime | None = None
        self._request_id: str | None = None

    async def whole(self, heard: Callable[[TextDelta], None] | None = None) -> Completion:
        """The answer; *heard* is told of each piece as it comes.

        Raises:
            CallError: It failed for good; `.completion` holds what had come.
        """
        try:
            delta = await self._first_piece()
            while delta is not None:
                if heard is not None:
                    heard(delta)
                delta = await self._next()
            self._require_end()
        except CallError as error:
            self._explain(error)
            raise
        finally:
            await self._leave()
        return self.completion()

    async def deltas(self) -> AsyncGenerator[TextDelta, None]:
        """The answer's text, one piece for each network read; see `whole`.

        Whoever stops reading early closes it (contextlib.aclosing).

        Raises:
            CallError: It failed for good; `.completion` holds what had come.
        """
        try:
            delta = await self._first_piece()
            while delta is not None:
                yield delta
                delta = await self._next()
            self._require_end()
        except CallError as error:
            self._explain(error)
            raise
        finally:
            await self._leave()

    def completion(self, status: Status | None = None) -> Completion:
        """What has come so far; *status* says why it ended, if not by the provider's own word."""
        answer, call = self._came(), self.call
        ignored = tuple(
            f"{name} was not sent: {call.model} cannot take it" for name in call.ignored
        )
        return replace(
            answer,
            status=status or answer.status,
            provider=call.provider.name,
            request_model=call.model,
            request_id=answer.request_id or self._request_id,
            started_at=self._started_at,
            time_to_first_chunk_s=self._since_start(self._first),
            duration_s=self._since_start(self._ended),
            attempts=max(self._attempts, 1),
            ignored_parameters=call.ignored,
            fallback=call.fallback,
            warnings=(*answer.warnings, *call.warnings, *ignored),
            possibly_billed=self._billed,
        )

    def _came(self) -> Completion:
        return self._answer or (self._parser.end() if self._parser else Completion())

    async def _first_piece(self) -> TextDelta | None:
        self._started, self._started_at = asyncio.get_running_loop().time(), datetime.now(UTC)
        return await self.call.policy.call(
            self._begin, on_retry=self._retrying, time_left=self._time_left
        )

    def _require_end(self) -> None:
        if self._came().status is Status.TRUNCATED:
            raise _cut(self.call)

    async def _begin(self, number: int) -> TextDelta | None:
        # An attempt lasts until the first text: from there on a second request would be billed
        # and answered a second time.
        call = self.call
        self._attempts = number
        self._parser = None
        request = call.provider.chat_request(
            call.prompt, model=call.model, key=call.key, stream=True
        )
        sending = self._carrier.send(request, call.limits)
        try:
            self._arriving = arriving = await sending.__aenter__()
            self._sending = sending
            if arriving.status != 200:
                raise await refusal(call.provider, arriving)
            self._request_id = _request_id(arriving.headers)
            self._parser = call.provider.stream_parser()
            self._raw = None if _is_stream(arriving) else bytearray()
            return await self._next()
        except BaseException as error:
            await self._release()
            if isinstance(error, CallError):
                located(error, provider=call.provider.name, model=call.model)
                self._allow_one_stale(error)
            raise

    def _allow_one_stale(self, error: CallError) -> None:
        # A kept connection that breaks at once was most likely closed before our request came;
        # that this happens twice in a row is less likely than that the request was read.
        if error.code != STALE:
            return
        if self._stale:
            error.outcome, error.possibly_billed = Outcome.AMBIGUOUS, True
        self._stale = True

    async def _next(self) -> TextDelta | None:
        """The next piece of text, None at the end of the answer."""
        parser, arriving = self._parser, self._arriving
        assert parser is not None
        assert arriving is not None
        while not parser.done and (data := await arriving.read()):
            if self._raw is not None:
                self._raw += data
            delta = parser.feed(data)
            if parser.finished and not self._ending:
                arriving.ending(USAGE_S)
                self._ending = True
            if delta is not None:
                arriving.content_came()
                if self._first is None:
                    self._first, self._raw = asyncio.get_running_loop().time(), None
                return delta
        return self._finish(parser, arriving)

    def _finish(self, parser: StreamParser, arriving: Arriving) -> TextDelta | None:
        self._ended = asyncio.get_running_loop().time()
        arriving.ending(LAST_WORDS_S)
        parser.end()  # an error event may lack the line that would have closed it
        if parser.error is not None:
            raise self._event_error(parser.error)
        if self._raw is None or parser.finished or self._answer is not None:
            return None
        return self._whole(arriving, bytes(self._raw))

    async def _leave(self) -> None:
        if self._ended is None:
            self._ended = asyncio.get_running_loop().time()
        await self._release()

    async def _release(self) -> None:
        sending, self._sending = self._sending, None
        if sending is not None:
            await sending.__aexit__(None, None, None)

    def _whole(self, arriving: Arriving, body: bytes) -> TextDelta | None:
        # Some servers answer a request for a stream with one JSON document.
        response = HttpResponse(arriving.status, arriving.headers, body)
        self._answer = answer = self.call.provider.parse_chat(response)
        if not (answer.text or answer.reasoning):
            return None
        return TextDelta(answer.text, answer.reasoning)

    def _event_error(self, error: ProviderError) -> ProviderError:
        if self._first is not None:
            error.outcome = Outcome.STREAMED
            error.possibly_billed = True
        return error

    def _retrying(self, error: CallError, attempt: int, wait: float) -> None:
        self._billed = self._billed or error.possibly_billed
        call = self.call
        log.info(
            "Retrying %s (attempt %d/%d) in %.1f s: %s",
            call.provider.label, attempt, call.policy.attempts, wait, error,
        )  # fmt: skip

    def _explain(self, error: CallError) -> None:
        call = self.call
        self._ended = asyncio.get_running_loop().time()
        self._billed = self._billed or error.possibly_billed
        located(error, provider=call.provider.name, model=call.model)
        error.possibly_billed = self._billed
        came = self.completion()
        error.completion = replace(came, status=status_of(error, came.text))

    def _time_left(self) -> float | None:
        deadline = self.call.limits.deadline_s
        if deadline is None or self._started is None:
            return None
        return self._started + deadline - asyncio.get_running_loop().time()

    def _since_start(self, when: float | None) -> float | None:
        return None if when is None or self._started is None else when - self._started


async def read_whole(arriving: Arriving) -> HttpResponse:
    """An answer read to its end."""
    parts = []
    while data := await arriving.read():
        parts.append(data)
    return HttpResponse(arriving.status, arriving.headers, b"".join(parts))


async def refusal(provider: Provider, arriving: Arriving) -> ProviderError:
    """The error that an answer other than 200 means, with the server's wish for a delay."""
    try:
        response = await read_whole(arriving)
    except CallError:  # the status alone has to do
        response = HttpResponse(arriving.status, arriving.headers)
    error = provider.error_from(response)
    error.retry_after = retry_after(response.headers, response.body, now=datetime.now(UTC))
    wish = response.headers.get("x-should-retry", "").lower()
    if wish in ("true", "false") and error.status not in FINAL_STATUSES:
        error.outcome = Outcome.REFUSED if wish == "true" else Outcome.FINAL
    return error


def status_of(error: CallError, text: str) -> Status:
    """How an answer that *error* ended is called: text that was cut off is `truncated`."""
    if isinstance(error, StreamInterruptedError):
        return Status.TRUNCATED
    return Status.TRUNCATED if text and isinstance(error, TransportError) else Status.ERROR


def _cut(call: Call) -> StreamInterruptedError:
    return StreamInterruptedError(
        f"{call.provider.label} ended the answer of {call.model} without saying that it was "
        "finished; the text so far is in .completion",
        possibly_billed=True,
    )


def _is_stream(arriving: Arriving) -> bool:
    return arriving.headers.get("content-type", "").lower().startswith(STREAMS)


def _request_id(headers: Mapping[str, str]) -> str | None:
    names = ("x-request-id", "request-id", "x-generation-id", "mistral-correlation-id")
    return next((headers[name] for name in names if headers.get(name)), None)
