"""Defines the tables that public functions return: keys, models, sessions, leaks, telemetry."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import ClassVar, Self

from .authentication.status import AuthStatus
from .catalogue import listing
from .catalogue.entry import Model
from .cell import InterruptGuard
from .fields import WHEN
from .runtime.session import SessionRow
from .telemetry.event import Event
from .telemetry.log import Telemetry
from .types import PARAMETERS
from .views.columns import columns_of, dtypes
from .views.tables.auth import auth_table
from .views.tables.models import models_list, models_table
from .views.tables.report import Report
from .views.tables.sessions import leaks_table, sessions_table
from .views.tables.table import Table, tables_text


class AuthReport(Report):
    """The sign-in state of each provider, with advice."""

    title = "Sign-in"
    columns: ClassVar[Mapping[str, str]] = dtypes(columns_of(AuthStatus))

    def tables(self) -> tuple[Table, ...]:
        """Returns one line for each provider."""
        return (auth_table(self.rows),)


class Models(Report):
    """The standard names, and the model that each resolves to at each provider."""

    title = "Models"
    columns: ClassVar[Mapping[str, str]] = dtypes(listing.COLUMNS)

    def tables(self) -> tuple[Table, ...]:
        """Returns one line for each name, one column for each provider."""
        return (models_table(self.rows),)

    @InterruptGuard()
    def __str__(self) -> str:
        return tables_text(models_list(self.rows))  # six provider columns are too wide for it

    __repr__ = __str__


class LiveModels(Report):
    """The models in a provider's own list."""

    title = "Models that the provider lists"
    columns: ClassVar[Mapping[str, str]] = dtypes(columns_of(Model))


class Sessions(Report):
    """The open sessions and the cells that own them."""

    title = "Sessions"
    columns: ClassVar[Mapping[str, str]] = {
        name: dtype for name, dtype in dtypes(columns_of(SessionRow)).items() if name != "opened_at"
    }

    def tables(self) -> tuple[Table, ...]:
        """Returns the sessions, then the leaked ones if there are any."""
        leaks = leaks_table(self.rows)
        return (sessions_table(self.rows), *([leaks] if leaks.lines else []))


class Leaks(Sessions):
    """The sessions that were never closed, and the lines that opened them."""

    title = "Leaks"
    columns: ClassVar[Mapping[str, str]] = dtypes(columns_of(SessionRow))

    @classmethod
    def of(cls, items: Iterable[SessionRow]) -> Self:
        """Returns one line for each session that leaked."""
        return super().of(row for row in items if row.status == "leaked")

    def tables(self) -> tuple[Table, ...]:
        """Returns the leaked sessions."""
        return (leaks_table(self.rows),)


class Events(Report):
    """The events of sessions, connections and requests; the oldest are discarded."""

    title = "Telemetry"
    columns: ClassVar[Mapping[str, str]] = {
        "at": WHEN, "kind": "string", "provider": "string", "session": "string", "cell": "string",
        "base_url": "string", "operation": "string", "request_model": "string",
        "response_model": "string", "status": "string", "finish_reason": "string",
        "error_type": "string", "attempts": "Int64", "wait_s": "float64", "duration_s": "float64",
        "time_to_first_chunk_s": "float64", "input_tokens": "Int64", "output_tokens": "Int64",
        **{name: row.dtype for name, row in PARAMETERS.items() if row.dtype != "object"},
        "closed_by": "string", "prompt": "string", "text": "string",
    }  # fmt: skip
    shown: ClassVar[tuple[str, ...]] = (
        "at", "kind", "provider", "session", "request_model", "status", "error_type", "attempts",
        "duration_s", "input_tokens", "output_tokens", "closed_by",
    )  # fmt: skip
    _source: Telemetry

    @classmethod
    def of(cls, source: Telemetry) -> Events:
        """Returns one line for each event that *source* still holds."""
        lines = []
        for event in source.events():
            prompt = event.messages[-1][1] if event.messages else None
            line = {**event._asdict(), **event.parameters, "kind": str(event.kind)}
            lines.append({**line, "prompt": prompt})
        events = cls(lines)
        events._source = source
        return events

    def watch(self, callback: Callable[[Event], None]) -> Callable[[], None]:
        """Calls *callback* with each further event, and returns the function that stops it.

        The callback runs on the event loop of the calls, and must return at once.
        """
        return self._source.watch(callback)
