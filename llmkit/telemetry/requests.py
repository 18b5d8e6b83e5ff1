"""Records requests other than chats, such as reading a list of models."""

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
    """Records one request when it ends, with or without an error."""
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
