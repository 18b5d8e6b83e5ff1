"""Tells the telemetry what became of a call, in plain words and numbers."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Protocol

from ..cell import cell_id
from ..secret import redact
from ..telemetry.event import Event, EventKind
from ..telemetry.log import Telemetry
from ..types import PARAMETERS, Completion

if TYPE_CHECKING:
    from ..errors import CallError
    from .call import Call


class CallObserver(Protocol):
    """Whoever wants to know what becomes of a call; must return at once.

    Attributes:
        session: The id of the session that it is sent over, None before that is known.
    """

    session: str | None

    def retrying(self, call: Call, error: CallError, attempt: int, wait: float) -> None:
        """*call* failed and will be sent again, as attempt number *attempt*."""

    def ended(self, call: Call, completion: Completion, error: BaseException | None) -> None:
        """*call* is over, and *completion* is all that came of it."""


class CallTelemetry:
    """What one call tells of itself; see `CallObserver`."""

    __slots__ = ("_telemetry", "session")

    def __init__(self, telemetry: Telemetry) -> None:
        self._telemetry = telemetry
        self.session: str | None = None

    def retrying(self, call: Call, error: CallError, attempt: int, wait: float) -> None:
        """*call* failed and will be sent again, as attempt number *attempt*."""
        self._telemetry.note(
            Event(
                EventKind.RETRY, datetime.now(UTC), call.provider.name, self.session, cell_id(),
                call.provider.base_url, operation="chat", request_model=call.model,
                error_type=type(error).__name__, attempts=attempt, wait_s=wait,
            )
        )  # fmt: skip

    def ended(self, call: Call, completion: Completion, error: BaseException | None) -> None:
        """*call* is over, and *completion* is all that came of it."""
        telemetry, prompt = self._telemetry, call.prompt
        usage = completion.usage
        event = Event(
            EventKind.REQUEST, datetime.now(UTC), call.provider.name, self.session, cell_id(),
            call.provider.base_url, None, "chat", call.model, completion.response_model,
            completion.status, completion.finish_reason, type(error).__name__ if error else None,
            completion.attempts, None, completion.duration_s, completion.time_to_first_chunk_s,
            usage.input_tokens, usage.output_tokens,
            {n: v for n, v in prompt.parameters.items() if PARAMETERS[n].kind is not str},
        )  # fmt: skip
        if telemetry.with_text():
            turns = [("system", prompt.system)] if prompt.system else []
            turns += [(turn.role, turn.text) for turn in prompt.messages]
            event = event._replace(
                messages=tuple((role, redact(text)) for role, text in turns),
                text=redact(completion.text),
                parameters={name: _redacted(value) for name, value in prompt.parameters.items()},
            )
        telemetry.note(event)


def _redacted(value: object) -> object:
    if isinstance(value, tuple):
        return tuple(map(_redacted, value))
    return redact(value) if isinstance(value, str) else value
