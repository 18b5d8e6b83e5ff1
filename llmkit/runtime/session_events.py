"""Notes openings, reuses, closes and leaks of sessions in the telemetry."""

from __future__ import annotations

from datetime import UTC, datetime

from ..telemetry.event import Event, EventKind
from ..telemetry.log import Telemetry
from .session import Session


class SessionEvents:
    """What one registry's sessions tell the telemetry."""

    def __init__(self, telemetry: Telemetry) -> None:
        self._telemetry = telemetry
        self._open_ids: set[str] = set()

    def changed(self, session: Session) -> None:
        """Notes an opening, a close or a leak; for `SessionRegistry.watch`."""
        if session.closed_by is not None:
            self._open_ids.discard(session.id)
            self._note(EventKind.LEAK if session.leaked else EventKind.CLOSE, session)
        elif session.id not in self._open_ids:
            self._open_ids.add(session.id)
            self._note(EventKind.OPENING, session)

    def reused(self, session: Session) -> None:
        """Notes that an open session serves again."""
        self._note(EventKind.REUSE, session)

    def _note(self, kind: EventKind, session: Session) -> None:
        cell = session.cell.id if session.cell else None
        self._telemetry.note(
            Event(
                kind, datetime.now(UTC), session.provider, session.id, cell, session.base_url,
                session.closed_by,
            )
        )  # fmt: skip
