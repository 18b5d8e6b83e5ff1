"""Records sign-ins in the telemetry."""

from __future__ import annotations

from datetime import UTC, datetime

from ..cell import cell_id
from ..errors import CallError
from ..providers.base import Provider
from ..telemetry.event import Event, EventKind
from ..telemetry.log import Telemetry
from .status import AuthStatus


def sign_in_retried(
    telemetry: Telemetry, provider: Provider, error: CallError, attempt: int, wait: float
) -> None:
    """Records that attempt number *attempt* will check a key again after *wait* seconds."""
    telemetry.note(
        Event(
            EventKind.RETRY, datetime.now(UTC), provider.name, None, cell_id(), provider.base_url,
            operation="sign_in", error_type=type(error).__name__, attempts=attempt, wait_s=wait,
        )
    )  # fmt: skip


def signed_in(telemetry: Telemetry, status: AuthStatus) -> None:
    """Records the requests of a completed check of a key."""
    if status.attempts:
        telemetry.note(
            Event(
                EventKind.REQUEST, datetime.now(UTC), status.provider, None, cell_id(),
                status.base_url, operation="sign_in",
                status="complete" if status.ready else "error",
                error_type=None if status.ready else str(status.state),
                attempts=status.attempts, duration_s=status.latency_s,
            )
        )  # fmt: skip
