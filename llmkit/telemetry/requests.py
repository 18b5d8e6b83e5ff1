"""Notes requests that are no chats, such as the reading of a list."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

from ..cell import cell_id
from ..providers.base import Provider
from .event import Event, EventKind
from .log import Telemetry


@contextmanager
def record_request(
    telemetry: Telemetry, provider: Provider, operation: str, session: str | None = None
) -> Iterator[None]:
    """Notes one request that is no chat, however it ends."""
    start = time.monotonic()
    try:
        yield
    finally:
        error = sys.exception()
        telemetry.note(
            Event(
                EventKind.REQUEST, datetime.now(UTC), provider.name, session, cell_id(),
                provider.base_url, operation=operation, status="error" if error else "complete",
                error_type=type(error).__name__ if error else None, attempts=1,
                duration_s=time.monotonic() - start,
            )
        )  # fmt: skip
