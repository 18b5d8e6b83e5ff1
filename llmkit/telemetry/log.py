"""Keeps the last events of sessions, connections and requests, and forwards them.

An event holds names, counts and times, and never a key. It holds prompt and answer only if
`with_text` is set. Sessions and calls have events, chunks have none.
"""

from __future__ import annotations

import sys
from collections import deque
from collections.abc import Callable
from datetime import UTC, datetime

from .event import Event, EventKind
from .listeners import Listeners

REMEMBERED = 2000  # events; the oldest are dropped
# One of these modules is loaded if the program uses OpenTelemetry.
SDK, METRICS = "opentelemetry.sdk", "opentelemetry.metrics"

Subscriber = Callable[[Event], None]


class Telemetry:
    """The last events of one kit; thread-safe.

    Attributes:
        with_text: True adds prompt and answer to the event of each request.
        exported: True exports events to OpenTelemetry, if the program has loaded it.
    """

    def __init__(
        self, *, with_text: bool = False, exported: bool = True, remembered: int = REMEMBERED
    ) -> None:
        self.with_text = with_text
        self.exported = exported
        self._ring: deque[Event] = deque(maxlen=remembered)
        self._listeners: Listeners[Event] = Listeners("the telemetry")
        self._exporter: Listeners[Event] | None = None

    def events(self) -> tuple[Event, ...]:
        """Returns the remembered events, oldest first."""
        return tuple(self._ring)

    def watch(self, callback: Subscriber) -> Callable[[], None]:
        """Calls *callback* with every event; returns a function that removes it.

        The callback runs on the event loop of the calls, so it must return at once.
        """
        return self._listeners.add(callback)

    def note(self, event: Event) -> None:
        """Stores *event* and passes it to the subscribers."""
        self._ring.append(event)
        if self._listeners.functions:
            self._listeners.tell(event)
        # `opentelemetry` alone may be loaded without use: Mistral's SDK imports its API.
        modules = sys.modules
        if (SDK in modules or METRICS in modules) and self.exported:
            if self._exporter is None:
                from .opentelemetry import exporter

                self._exporter = Listeners("OpenTelemetry")
                self._exporter.add(exporter())
            self._exporter.tell(event)

    def connected(self, provider: str, base_url: str, session: str | None, seconds: float) -> None:
        """Notes a new connection, which took *seconds*."""
        self.note(
            Event(
                EventKind.CONNECTION, datetime.now(UTC), provider, session, base_url=base_url,
                duration_s=seconds,
            )
        )  # fmt: skip

    def __repr__(self) -> str:
        return f"<Telemetry events={len(self._ring)} of {self._ring.maxlen}>"
