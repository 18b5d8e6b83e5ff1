"""Defines the planned rows of a comparison, and converts them to final rows."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from ..catalogue.resolution import Resolution
from ..chat.call import Call
from ..chat.fallback import PASSED_OVER, FallbackSource, empty_completion
from ..chat.requests import PlannedRequest
from ..errors import LlmkitError
from ..types import Completion, Status
from ..views.answers.place import Place
from ..views.rows import Row
from .asked import address_of, conversation_of, masked, sent_with


@dataclass(frozen=True, slots=True)
class PlannedRow:
    """An answer of `ask` or a row of a comparison, before its call is sent.

    Attributes:
        call: The call to send; None if the row failed while it was planned.
        fallbacks: The source of fallback models, None for no fallback.
        same_as: An earlier row with an identical request, which is sent once for both.
        highest_usd: In a run with a cost limit, the highest cost of an answer whose request has no
            max_tokens, in US dollars; infinite if it is not known.
    """

    request: PlannedRequest
    resolution: Resolution | None = None
    call: Call | None = None
    error: LlmkitError | None = None
    fallbacks: Callable[[], FallbackSource] | None = None
    same_as: int | None = None
    highest_usd: float | None = None

    def unsent(self) -> Completion:
        """Returns a completion without text, for a row that was not sent."""
        if self.call is not None:
            return empty_completion(self.call)
        provider = self.resolution.provider if self.resolution else ""
        return Completion(status=Status.ERROR, provider=provider, attempts=0)


def row_of(
    planned_row: PlannedRow,
    run_id: str,
    completion: Completion,
    error: Exception | None,
    cell: str | None,
    call: Call | None = None,
) -> Row:
    """Returns the final row of *planned_row*; *call* is the last one, if it is a fallback's."""
    request, resolution = planned_row.request, planned_row.resolution
    call = call or planned_row.call
    prompt_input = request.prompt_input
    message = None
    if error is not None:
        # The error's message, followed by why each fallback model was not used.
        notes = [note for note in getattr(error, "__notes__", ()) if note.startswith(PASSED_OVER)]
        others = ", ".join(note.removeprefix(PASSED_OVER) for note in notes)
        message = f"{error}; {PASSED_OVER}{others}" if others else str(error)
    return Row(
        run_id=run_id, row=request.row, prompt_id=prompt_input.id, prompt=prompt_input.text,
        system=request.prompt.system, repeat=request.repeat,
        parameters={**request.parameters, **request.prompt.parameters},
        asked=request.asked, provider=completion.provider or request.provider,
        request_model=completion.request_model or (resolution.model if resolution else None),
        how=resolution.how if resolution else None,
        lifecycle=resolution.lifecycle if resolution else None,
        substituted=bool(completion.fallback), completion=completion,
        error_type=type(error).__name__ if error else None, error=message, cell=cell,
        extra=prompt_input.extra, messages=conversation_of(request.prompt),
        options=masked(dict(request.prompt.options)),
        sent=sent_with(call) if call is not None and completion.attempts else None,
        base_url=None if call is None else address_of(call),
    )  # fmt: skip


def shared_row(planned_row: PlannedRow, twin: Row) -> Row:
    """Returns the final row of a request that was sent once, for *twin*.

    It has the values of that request and its answer, except that it costs nothing.
    """
    answer, call = twin.completion, planned_row.call
    # A fallback model may take other parameters than the one that both rows name.
    ignored = answer.ignored_parameters if call is None or answer.fallback else call.ignored
    foreign = tuple(f"{n} was not sent" for n in answer.ignored_parameters if n not in ignored)
    warnings = tuple(
        text for text in answer.warnings if not foreign or not text.startswith(foreign)
    )
    note = f"the same request as row {twin.row}, sent and billed once for both"
    answer = replace(
        answer, cost_usd=0.0, cost_source=f"shared with row {twin.row}",
        ignored_parameters=ignored, warnings=(*warnings, note),
    )  # fmt: skip
    row = row_of(planned_row, twin.run_id, answer, None, twin.cell)
    return replace(
        row, error_type=twin.error_type, error=twin.error, shared_with=twin.row,
        sent=twin.sent, base_url=twin.base_url,
    )  # fmt: skip


def planned_place(planned_row: PlannedRow) -> Place:
    """Returns where the answer of *planned_row* stands, which is known before it is sent."""
    request, found = planned_row.request, planned_row.resolution
    provider = found.provider if found else request.provider
    model = found.model if found else request.asked
    return Place(
        request.prompt_input.id, request.prompt_input.text,
        f"{provider}:{model}" if provider else model,
        {**request.parameters, **request.prompt.parameters}, request.repeat,
    )  # fmt: skip


def merge_identical(plan: Iterable[PlannedRow]) -> tuple[PlannedRow, ...]:
    """Returns *plan* with `same_as` set on each row whose request equals an earlier one's.

    Grid points are identical if they differ only in parameters that the model ignores. Repeats
    of one request are never merged.
    """
    first: dict[object, int] = {}
    rows = []
    for planned_row in plan:
        call, row = planned_row.call, planned_row.request.row
        earlier = row
        if call is not None and call.ignored:
            key = (call.provider.name, call.model, repr(call.prompt), planned_row.request.repeat)
            earlier = first.setdefault(key, row)
        rows.append(planned_row if earlier == row else replace(planned_row, same_as=earlier))
    return tuple(rows)


def open_ended_notes(costs: Iterable[tuple[Call | None, float | None]]) -> tuple[str, ...]:
    """Returns what an answer may cost at most, for each model whose requests have no max_tokens."""
    from ..views.answers.summary import dollars  # few runs have a cost limit

    highest: dict[str, float] = {}
    for call, usd in costs:
        if call is not None and usd is not None:
            name = f"{call.provider.name}:{call.model}"
            highest[name] = max(usd, highest.get(name, 0.0))
    known = [f"{dollars(usd)} ({name})" for name, usd in highest.items() if usd < math.inf]
    unknown = [name for name, usd in highest.items() if usd == math.inf]
    notes = []
    if known:
        notes.append(f"Without max_tokens, one answer may cost up to {', '.join(known)}.")
    if unknown:
        notes.append(
            f"Without max_tokens, the highest cost of an answer of {', '.join(unknown)} is not "
            "known, so the cost may exceed max_cost_usd."
        )
    return tuple(notes)
