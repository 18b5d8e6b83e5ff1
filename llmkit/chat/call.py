"""Turns a resolved name, a prompt and the options into a call, and reads what becomes of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from time import monotonic

from ..catalogue import lifecycle
from ..catalogue.entry import Catalogue
from ..catalogue.price_rules import STANDARD_TERMS, Terms
from ..catalogue.resolution import Resolution
from ..cell import cell_id
from ..errors import (
    BadResponseError,
    CallError,
    ConfigError,
    ModelNotFoundError,
    Outcome,
    ProviderError,
    RetiredModelError,
)
from ..providers.base import Provider
from ..providers.redaction import StreamRedactor, without_keys
from ..retries.policy import RetryPolicy
from ..secret import Secret, keys_seen, redact
from ..settings import Settings
from ..telemetry.event import Event, EventKind
from ..telemetry.log import Telemetry
from ..transport.base import StreamingResponse
from ..transport.responses import StreamOrDocument
from ..transport.timeouts import Timeouts, timeouts_for
from ..types import (
    PARAMETERS,
    Completion,
    FallbackStep,
    How,
    Lifecycle,
    Prompt,
    TextDelta,
)
from ..wire.messages import HttpResponse, parse_json
from ..wire.retry_hints import asked_in
from .foreign_words import refuse_at
from .options import Options

LAST_WORDS_S = 0.1  # for the end of the body, after the end of the answer
USAGE_S = 2.0  # for token counts and the end mark, after the finish reason
NO_END = "the response broke off after the finish reason; token counts or text may be missing"


@dataclass(frozen=True, slots=True)
class Call:
    """Everything that one request needs.

    Attributes:
        prompt: Fitted to the model.
        ignored: Parameters that fitting removed.
        rerouted: True if the provider is known to answer this id with another model, else None.
        terms: What decides its price besides the model and its tokens.
        stream: False asks for the whole answer in one document.
    """

    provider: Provider
    model: str
    prompt: Prompt
    key: Secret | None
    timeouts: Timeouts
    policy: RetryPolicy
    ignored: tuple[str, ...] = ()
    fallback: tuple[FallbackStep, ...] = ()
    warnings: tuple[str, ...] = ()
    rerouted: bool | None = None
    terms: Terms = STANDARD_TERMS
    stream: bool = True


def call_for(
    resolution: Resolution,
    prompt: Prompt,
    options: Options,
    *,
    catalogue: Catalogue,
    provider: Provider,
    settings: Settings,
    key: Callable[[Provider], Secret | None],
) -> Call:
    """Returns the call that sends *prompt* to the model of *resolution*.

    *key* is called last: errors that no key can solve, such as a retired model, come first.

    Raises:
        ModelNotFoundError: The model is retired; or its provider's own list lacks it, and the
            options allow a fallback.
        ConfigError: The model is not known to have a needed capability, or `strict` is set and
            the model cannot take a parameter.
    """
    model = resolution.model
    if not options.verbatim:
        _refuse(resolution, options, catalogue)
    if prompt.options:
        refuse_at(provider, prompt, options.as_they_are)
    fitting = provider.fit(prompt, model)
    if fitting.ignored and options.strict:
        names = " and ".join(fitting.ignored)
        raise ConfigError(f"{model} cannot take {names}; leave it out, or drop strict=True")
    warnings = [] if provider.note is None else [provider.note]
    if resolution.reroutes_on and model == resolution.id:
        word = "since" if resolution.lifecycle is Lifecycle.REROUTED else "from"
        other = resolution.successor or "another model"
        warnings.append(f"{word} {resolution.reroutes_on} {other} answers for {model}")
    elif resolution.lifecycle is Lifecycle.DEPRECATED and model == resolution.id:
        when = f" on {resolution.retires_on}" if resolution.retires_on else ""
        warnings.append(f"{model} will be retired{when}")
    is_unknown = resolution.how is How.VERBATIM and not (resolution.verified or options.verbatim)
    # A fine-tune is the user's own, as are the models of Ollama and of added servers.
    is_own = model.startswith("ft:") or provider.facts.kind not in ("maker", "reseller")
    if is_unknown and not is_own and provider.name in catalogue.providers:
        place = f"{provider.name}:{model}"
        warnings.append(f"the catalogue of {catalogue.as_of} does not know {place}; sent as is")
    warnings += resolution.warnings
    if resolution.ambiguous and resolution.how is not How.VERBATIM:
        others = ", ".join(resolution.alternatives)
        warnings.append(f"{resolution.asked} could also mean {others}")
    retries = settings.retries if options.retries is None else options.retries
    return Call(
        provider=provider, model=model, prompt=fitting.prompt, key=key(provider),
        timeouts=timeouts_for(settings, options.timeout), policy=_policy(1 + retries),
        ignored=fitting.ignored,
        fallback=() if model == resolution.id else (_translated(resolution, catalogue),),
        warnings=tuple(warnings), stream=options.stream,
        rerouted=(resolution.lifecycle is Lifecycle.REROUTED and model == resolution.id) or None,
        terms=Terms(
            fitting.prompt.options, provider.base_url, settings.list_prices == "all",
            is_free=not provider.facts.priced,
        ),
    )  # fmt: skip


# A run has the same few values in all its calls.
_policy = lru_cache(maxsize=64)(RetryPolicy)


def _refuse(resolution: Resolution, options: Options, catalogue: Catalogue) -> None:
    provider, model = resolution.provider, resolution.model
    if resolution.lifecycle is Lifecycle.RETIRED and model == resolution.id:
        when = f" on {resolution.retires_on}" if resolution.retires_on else ""
        message = f"{provider} retired {resolution.id}{when}"
        if resolution.live is None:
            message += ", and the catalogue knows no model to call instead; see models()"
        else:
            message += f'; ask for "{provider}:{resolution.live}"'
        if resolution.live is not None and not options.fallback.rules:
            policy = "equivalent" if resolution.live_rule == lifecycle.CLASS else "successor"
            message += f', or allow it with fallback="{policy}"'
        raise RetiredModelError(message, provider=provider, model=model)
    # The list may be an hour old: without a fallback, the provider decides.
    is_listed: bool | None = True
    if options.fallback.rules:
        is_original = model == resolution.id
        is_listed = (
            resolution.listed if is_original else lifecycle.is_listed(catalogue, provider, model)
        )
    if is_listed is False:
        raise ModelNotFoundError(
            f"{provider}'s own list has no {model}; read it again with "
            f'llmkit.refresh("{provider}"), or pass verbatim=True',
            provider=provider,
            model=model,
        )
    missing_needs: list[str] = []
    if options.needs:
        capabilities = lifecycle.known_capabilities(catalogue, provider, model)
        missing_needs = [need for need in options.needs if need not in capabilities]
    if missing_needs:
        raise ConfigError(
            f"{provider}:{model} is not known to have {' and '.join(missing_needs)}; "
            f'models(capability="{missing_needs[0]}") lists models that are'
        )


def _translated(resolution: Resolution, catalogue: Catalogue) -> FallbackStep:
    from ..catalogue import fallback  # few names are substituted

    query = fallback.FallbackQuery(resolution.provider, resolution.id)
    choice = fallback.Candidate(resolution.provider, resolution.model, resolution.live_rule or "")
    reason = f"{resolution.id}, its peer of that time, is {resolution.lifecycle}"
    return fallback.step(catalogue, query, choice, reason)


@dataclass(slots=True)
class CallTiming:
    """Times of one call, in seconds of *clock*, and how long the call may still take.

    Attributes:
        deadline: When the call must be over; None for no limit.
        start: When its turn came; waiting for a turn is not the provider's time.
        end: When nothing more came.
        began_at: The wall-clock time of `start`, in UTC.
    """

    clock: Callable[[], float] = monotonic
    deadline: float | None = None
    start: float | None = None
    end: float | None = None
    began_at: datetime | None = None

    def limit(self, seconds: float) -> None:
        """Sets the deadline to *seconds* from now."""
        self.deadline = self.clock() + seconds

    def remaining(self) -> float | None:
        """Returns the seconds until the deadline, negative after it; None without one."""
        return None if self.deadline is None else self.deadline - self.clock()


class AnswerReader:
    """Reads the answer in a *response* of *provider*, piece by piece. Serves once.

    Attributes:
        parser: The parser of the stream.
        redactor: Removes keys that the answer echoes; None if no key is known.
        document: The answer, if the response was one JSON document.
        warnings: About the end of the response.
        pieces: The number of network reads with content.
        times: When the first piece, reasoning and text came, by *clock*, under the names of
            Completion's times.
        end_at: When nothing more came.
    """

    def __init__(
        self, provider: Provider, response: StreamingResponse, clock: Callable[[], float]
    ) -> None:
        self._provider = provider
        self._response = response
        self._clock = clock
        self.parser = provider.stream_parser()
        self.redactor = StreamRedactor() if keys_seen() else None
        self._body: StreamOrDocument | None = None
        self._failure: CallError | None = None  # of the last read
        self._is_stream = False  # certainly, and not a document
        self._is_ending = False
        self.document: Completion | None = None
        self.warnings: tuple[str, ...] = ()
        self.pieces = 0
        self.times: dict[str, float] = {}
        self.end_at: float | None = None

    async def next(self) -> TextDelta | None:
        """Returns the next piece of text, None at the end of the answer.

        Raises:
            CallError: The response broke off, or holds an error.
        """
        parser, response = self.parser, self._response
        try:
            while not parser.done and (data := await response.read()):
                delta = parser.feed(data)
                if parser.begun:
                    self._is_stream, self._body = True, None
                elif not self._is_stream:
                    self._is_stream = self._is_stream_by(data)
                is_news = delta is not None or not self._is_ending
                if parser.finished and is_news and not parser.ends_with_body:
                    # Some servers send neither an end mark nor the end of the body, others send a
                    # reason with every chunk (https://github.com/maximhq/bifrost/issues/6784 and
                    # https://github.com/su-kaka/gcli2api/issues/403, read 2026-11-30).
                    goes_on = self._is_ending or (delta and delta.reasoning and not delta.text)
                    response.finish_within(None if goes_on else USAGE_S)
                    self._is_ending = True
                if delta is None:
                    continue
                response.content_received()
                if (delta := self._noted(delta)) is not None:
                    return delta
            if isinstance(parser.error, BadResponseError) and self._body is not None:
                await self._body.read_on(response)
        except CallError as error:  # the connection broke, or a limit passed
            self._failure = error
        return self._end()

    def _is_stream_by(self, data: bytes) -> bool:
        """Returns False as long as the body may be one document, and keeps it."""
        if self._body is None:
            self._body = StreamOrDocument(self._response.headers.get("content-type", ""))
        if self._body.keep(data):
            return False
        self._body = None
        return True

    def _noted(self, piece: TextDelta) -> TextDelta | None:
        """Notes when *piece* came; returns what the redactor gives of it, None for nothing."""
        self.pieces += 1
        if len(self.times) < 3:
            now = self._clock()
            self.times.setdefault("time_to_first_chunk_s", now)
            if piece.reasoning:
                self.times.setdefault("time_to_first_reasoning_s", now)
            if piece.text:
                self.times.setdefault("time_to_first_text_s", now)
        delta = piece if self.redactor is None else self.redactor.feed(piece)
        return delta if delta is not None and (delta.text or delta.reasoning) else None

    def _end(self) -> TextDelta | None:
        parser = self.parser
        self.end_at = self._clock()
        if self._failure is None:
            self._response.finish_within(LAST_WORDS_S)
        rest = parser.close()  # the last event may lack its closing line
        if rest is not None and (rest := self._noted(rest)) is not None:
            return rest
        return self._close()

    def _close(self) -> TextDelta | None:
        """Returns the text of a document; raises the error that ended the answer."""
        parser, failure = self.parser, self._failure
        body = None
        if not (self._is_stream or parser.begun):
            body = b"" if self._body is None else bytes(self._body.body or b"")
        if self.document is not None:
            return None
        if failure is not None and (parser.error is None or body):
            # The answer may have arrived before the break.
            if not (parser.finished or (body and isinstance(parse_json(body), dict | list))):
                raise failure
            self.warnings = (NO_END,)
        if parser.error is not None and not (body and isinstance(parser.error, BadResponseError)):
            if self.pieces:
                parser.error.outcome, parser.error.possibly_billed = Outcome.STREAMED, True
            raise parser.error
        return None if body is None else self._parse_document(body)

    def _parse_document(self, body: bytes) -> TextDelta | None:
        # Some servers answer a streaming request with one JSON document.
        document = HttpResponse(self._response.status, self._response.headers, body)
        try:
            self.document = answer = without_keys(self._provider.parse_chat(document))
        except ProviderError as error:
            error.retry_after = asked_in(document.json())
            self.document = error.completion
            raise
        return TextDelta(answer.text, answer.reasoning) if answer.text or answer.reasoning else None


@dataclass(slots=True)
class CallTelemetry:
    """Notes the retries and the end of one call in *telemetry*.

    Attributes:
        session: The id of the session that sends it, None before that is known.
    """

    telemetry: Telemetry
    session: str | None = None

    def retrying(self, call: Call, error: CallError, attempt: int, wait: float) -> None:
        """Notes that *call* failed and is sent again in *wait* seconds, as attempt *attempt*."""
        self.telemetry.note(
            Event(
                EventKind.RETRY, datetime.now(UTC), call.provider.name, self.session, cell_id(),
                call.provider.base_url, operation="chat", request_model=call.model,
                error_type=type(error).__name__, attempts=attempt, wait_s=wait,
            )
        )  # fmt: skip

    def ended(self, call: Call, completion: Completion, error: BaseException | None) -> None:
        """Notes that *call* has ended with *completion*."""
        telemetry, prompt = self.telemetry, call.prompt
        usage, parameters = completion.usage, prompt.parameters
        numbers = {}
        if parameters:
            numbers = {n: v for n, v in parameters.items() if PARAMETERS[n].kind is not str}
        event = Event(
            EventKind.REQUEST, datetime.now(UTC), call.provider.name, self.session, cell_id(),
            call.provider.base_url, None, "chat", call.model, completion.response_model,
            completion.status, completion.finish_reason, type(error).__name__ if error else None,
            completion.attempts, None, completion.duration_s, completion.time_to_first_chunk_s,
            usage.input_tokens, usage.output_tokens, numbers,
        )  # fmt: skip
        if telemetry.with_text:
            turns = [("system", prompt.system)] if prompt.system else []
            turns += [(turn.role, turn.text) for turn in prompt.messages]
            event = event._replace(
                messages=tuple((role, redact(text)) for role, text in turns),
                text=redact(completion.text),
                parameters={name: _redacted(value) for name, value in parameters.items()},
            )
        telemetry.note(event)


def _redacted(value: object) -> object:
    if isinstance(value, tuple):
        return tuple(map(_redacted, value))
    return redact(value) if isinstance(value, str) else value
