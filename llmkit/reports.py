"""The tables that llmkit gives back: keys, models, sessions, leaks."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import ClassVar, Self

from .authentication.status import AuthStatus
from .catalogue import listing
from .catalogue.entry import Model
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
    """Which providers can be asked, and what to do about the others."""

    title = "Sign-in"
    columns: ClassVar[Mapping[str, str]] = dtypes(columns_of(AuthStatus))

    def tables(self) -> tuple[Table, ...]:
        """One line for each provider, with the advice for it."""
        return (auth_table(self.rows),)


class Models(Report):
    """Standard names, and what each leads to at each provider."""

    title = "Models"
    columns: ClassVar[Mapping[str, str]] = dtypes(listing.COLUMNS)

    def tables(self) -> tuple[Table, ...]:
        """One line for each name, one column for each provider."""
        return (models_table(self.rows),)

    def __str__(self) -> str:
        return tables_text(models_list(self.rows))  # six providers side by side fit no terminal

    __repr__ = __str__


class LiveModels(Report):
    """What a provider's own list names today."""

    title = "Models that the provider lists"
    columns: ClassVar[Mapping[str, str]] = dtypes(columns_of(Model))


class Sessions(Report):
    """Which connections are open, and which cell owns them."""

    title = "Sessions"
    columns: ClassVar[Mapping[str, str]] = {
        name: dtype for name, dtype in dtypes(columns_of(SessionRow)).items() if name != "opened_at"
    }

    def tables(self) -> tuple[Table, ...]:
        """The sessions, and apart from them those that were lost."""
        leaks = leaks_table(self.rows)
        return (sessions_table(self.rows), *([leaks] if leaks.lines else []))


class Leaks(Sessions):
    """Sessions that went without being closed, and the lines that opened them."""

    title = "Leaks"
    columns: ClassVar[Mapping[str, str]] = dtypes(columns_of(SessionRow))

    @classmethod
    def of(cls, items: Iterable[SessionRow]) -> Self:
        """Returns one line for each session that leaked."""
        return super().of(row for row in items if row.status == "leaked")

    def tables(self) -> tuple[Table, ...]:
        """The sessions that were lost."""
        return (leaks_table(self.rows),)


class Events(Report):
    """What happened to sessions, connections and requests; the oldest are forgotten."""

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
        """One line for each event that *source* remembers."""
        lines = []
        for event in source.events():
            prompt = event.messages[-1][1] if event.messages else None
            line = {**event._asdict(), **event.parameters, "kind": str(event.kind)}
            lines.append({**line, "prompt": prompt})
        events = cls(lines)
        events._source = source
        return events

    def watch(self, callback: Callable[[Event], None]) -> Callable[[], None]:
        """Hands every further event to *callback* as it happens; gives the way to stop.

        It is called on the loop that answers come over, and must return at once.
        """
        return self._source.watch(callback)
