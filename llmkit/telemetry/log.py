"""What happened to sessions, connections and requests, as a bounded list of events.

An event holds names, counts and times; a prompt or an answer only where that was asked for, and
a key never. It is written once for each session and call, not for each chunk.
"""

from __future__ import annotations

import sys
from collections import deque
from collections.abc import Callable
from datetime import UTC, datetime

from .event import Event, EventKind
from .listeners import Listeners

REMEMBERED = 2000  # events; the oldest go first
# One of these is loaded where somebody collects OpenTelemetry's data.
SDK, METRICS = "opentelemetry.sdk", "opentelemetry.metrics"

Subscriber = Callable[[Event], None]


class Telemetry:
    """The last events of one kit; may be used by any thread.

    Attributes:
        with_text: True puts prompt and answer of each request into its event.
        exported: True hands events to OpenTelemetry, if the program has loaded it.
    """

    def __init__(
        self,
        *,
        with_text: bool = False,
        exported: bool = True,
        remembered: int = REMEMBERED,
    ) -> None:
        self.with_text = with_text
        self.exported = exported
        self._ring: deque[Event] = deque(maxlen=remembered)
        self._listeners: Listeners[Event] = Listeners("the telemetry")
        self._exporter: Listeners[Event] | None = None

    def events(self) -> tuple[Event, ...]:
        """The remembered events, the oldest first."""
        return tuple(self._ring)

    def watch(self, callback: Subscriber) -> Callable[[], None]:
        """Hands every event to *callback*, where and when it happens; gives the way to stop.

        It is called on the loop that answers come over, and must return at once.
        """
        return self._listeners.add(callback)

    def note(self, event: Event) -> None:
        """Remembers *event* and hands it on."""
        self._ring.append(event)
        if self._listeners.functions:
            self._listeners.tell(event)
        # Nobody else should pay for it: Mistral's SDK, too, imports OpenTelemetry's API.
        modules = sys.modules
        if (SDK in modules or METRICS in modules) and self.exported:
            if self._exporter is None:
                from .opentelemetry import exporter

                self._exporter = Listeners("OpenTelemetry's data")
                self._exporter.add(exporter())
            self._exporter.tell(event)

    def connected(self, provider: str, base_url: str, session: str | None, seconds: float) -> None:
        """Notes a connection that took *seconds* to make."""
        self.note(
            Event(
                EventKind.CONNECTION, datetime.now(UTC), provider, session, base_url=base_url,
                duration_s=seconds,
            )
        )  # fmt: skip

    def __repr__(self) -> str:
        return f"<Telemetry events={len(self._ring)} of {self._ring.maxlen}>"
