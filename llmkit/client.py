"""One prompt on its way to one model and back."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from .errors import CallError, Outcome, ProviderError, StreamInterruptedError, TransportError
from .providers.base import Provider, StreamParser, located
from .runtime.carrier import Arriving, Carrier, Limits
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
        self._parser: StreamParser | None = None
        self._answer: Completion | None = None
        self._attempts = 0
        self._billed = False
        self._started: float | None = None
        self._first: float | None = None
        self._ended: float | None = None
        self._started_at: datetime | None = None
        self._request_id: str | None = None

    async def deltas(self) -> AsyncGenerator[TextDelta, None]:
        """The answer's text, one piece for each network read.

        Raises:
            CallError: It failed for good; `.completion` holds what had come.
        """
        clock = asyncio.get_running_loop().time
        self._started, self._started_at = clock(), datetime.now(UTC)
        try:
            first, rest = await self.call.policy.call(
                self._begin, on_retry=self._retrying, time_left=self._time_left
            )
            async with aclosing(rest):
                if first is not None:
                    yield first
                    async for delta in rest:
                        yield delta
        except CallError as error:
            self._ended = clock()
            self._explained(error)
            raise
        finally:
            self._ended = self._ended or clock()
        if self._came().status is Status.TRUNCATED:
            raise self._explained(_cut(self.call))

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

    async def _begin(self, number: int) -> tuple[TextDelta | None, AsyncGenerator[TextDelta, None]]:
        # An attempt lasts until the first text: from there on a second request would be billed
        # and answered a second time.
        self._attempts = number
        self._parser = None
        stream = self._attempt()
        try:
            return await anext(stream, None), stream
        except CallError as error:
            located(error, provider=self.call.provider.name, model=self.call.model)
            raise

    async def _attempt(self) -> AsyncGenerator[TextDelta, None]:
        call = self.call
        request = call.provider.chat_request(
            call.prompt, model=call.model, key=call.key, stream=True
        )
        async with self._carrier.send(request, call.limits) as arriving:
            if arriving.status != 200:
                raise await refusal(call.provider, arriving)
            self._request_id = _request_id(arriving.headers)
            self._parser = parser = call.provider.stream_parser()
            raw = None if _is_stream(arriving) else bytearray()
            async for delta in self._read(arriving, parser, raw):
                yield delta
            parser.end()  # an error event may lack the line that would have closed it
            if parser.error is not None:
                raise self._event_error(parser.error)
            if raw is not None and not parser.finished and self._first is None:
                delta_of_whole = self._whole(arriving, bytes(raw))
                if delta_of_whole is not None:
                    yield delta_of_whole

    async def _read(
        self, arriving: Arriving, parser: StreamParser, raw: bytearray | None
    ) -> AsyncGenerator[TextDelta, None]:
        clock = asyncio.get_running_loop().time
        ending = False
        async with aclosing(arriving.chunks()) as chunks:
            async for data in chunks:
                if raw is not None:
                    raw += data
                delta = parser.feed(data)
                if delta is not None:
                    arriving.content_came()
                    if self._first is None:
                        self._first, raw = clock(), None
                    yield delta
                if parser.done:
                    arriving.ending(LAST_WORDS_S)
                    self._ended = clock()
                    return
                if parser.finished and not ending:
                    arriving.ending(USAGE_S)
                    ending = True

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

    def _explained(self, error: CallError) -> CallError:
        call = self.call
        self._billed = self._billed or error.possibly_billed
        located(error, provider=call.provider.name, model=call.model)
        error.possibly_billed = self._billed
        came = self.completion()
        error.completion = replace(came, status=status_of(error, came.text))
        return error

    def _time_left(self) -> float | None:
        deadline = self.call.limits.deadline_s
        if deadline is None or self._started is None:
            return None
        return self._started + deadline - asyncio.get_running_loop().time()

    def _since_start(self, when: float | None) -> float | None:
        return None if when is None or self._started is None else when - self._started


async def complete(exchange: Exchange) -> Completion:
    """The whole answer of *exchange*.

    Raises:
        CallError: As `Exchange.deltas`.
    """
    async with aclosing(exchange.deltas()) as deltas:
        async for _ in deltas:
            pass
    return exchange.completion()


async def read_whole(arriving: Arriving) -> HttpResponse:
    """An answer read to its end."""
    body = b"".join([data async for data in arriving.chunks()])
    return HttpResponse(arriving.status, arriving.headers, body)


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
