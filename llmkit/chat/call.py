"""Turns a resolved name, a prompt and the options into a call, and notes what becomes of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from time import monotonic

from ..catalogue import lifecycle
from ..catalogue.entry import Catalogue
from ..catalogue.resolution import Resolution
from ..cell import cell_id
from ..errors import CallError, ConfigError, ModelNotFoundError, RetiredModelError
from ..providers.base import Provider
from ..retries.policy import RetryPolicy
from ..secret import Secret, redact
from ..settings import Settings
from ..telemetry.event import Event, EventKind
from ..telemetry.log import Telemetry
from ..transport.timeouts import Timeouts, timeouts_for
from ..types import PARAMETERS, Completion, FallbackStep, How, Lifecycle, Prompt
from .options import Options


@dataclass(frozen=True, slots=True)
class Call:
    """Everything that one request needs.

    Attributes:
        prompt: Fitted to the model.
        ignored: Parameters that fitting removed.
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
    fitting = provider.fit(prompt, model)
    if fitting.ignored and options.strict:
        names = " and ".join(fitting.ignored)
        raise ConfigError(f"{model} cannot take {names}; leave it out, or drop strict=True")
    warnings = []
    if resolution.lifecycle is Lifecycle.DEPRECATED and model == resolution.id:
        when = f" on {resolution.retires_on}" if resolution.retires_on else ""
        warnings.append(f"{model} will be retired{when}")
    if resolution.ambiguous and resolution.how is not How.VERBATIM:
        others = ", ".join(resolution.alternatives)
        warnings.append(f"{resolution.asked} could also mean {others}")
    retries = settings.retries if options.retries is None else options.retries
    return Call(
        provider=provider, model=model, prompt=fitting.prompt, key=key(provider),
        timeouts=timeouts_for(settings, options.timeout), policy=_policy(1 + retries),
        ignored=fitting.ignored,
        fallback=() if model == resolution.id else (_translated(resolution, catalogue),),
        warnings=tuple(warnings),
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
            message += ', or allow it with fallback="equivalent"'
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
        first: When the first piece of the answer came.
        end: When nothing more came.
        began_at: The wall-clock time of `start`, in UTC.
    """

    clock: Callable[[], float] = monotonic
    deadline: float | None = None
    start: float | None = None
    first: float | None = None
    end: float | None = None
    began_at: datetime | None = None

    def limit(self, seconds: float) -> None:
        """Sets the deadline to *seconds* from now."""
        self.deadline = self.clock() + seconds

    def remaining(self) -> float | None:
        """Returns the seconds until the deadline, negative after it; None without one."""
        return None if self.deadline is None else self.deadline - self.clock()


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
