"""What a comparison will send: one planned call for each row, and the row that it becomes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from ..catalogue.resolution import Resolution
from ..chat.call import Call
from ..chat.fallback import PASSED_OVER, Instead, unsent
from ..chat.parameters import Spot
from ..errors import LlmkitError
from ..types import Completion, Row, Status


@dataclass(frozen=True, slots=True)
class Lane:
    """One row to be, and what is sent for it.

    Attributes:
        call: None where an error is known before anything is sent.
        instead: Who else may answer where the call fails; None for nobody.
        same_as: The row whose identical request is sent once for both.
    """

    spot: Spot
    resolution: Resolution | None = None
    call: Call | None = None
    error: LlmkitError | None = None
    instead: Instead | None = None
    same_as: int | None = None

    def unsent(self) -> Completion:
        """What there is of its answer before anything is sent."""
        if self.call is not None:
            return unsent(self.call)
        provider = self.resolution.provider if self.resolution else ""
        return Completion(status=Status.ERROR, provider=provider, attempts=0)


def row_of(
    lane: Lane,
    run_id: str,
    completion: Completion,
    error: Exception | None,
    cell: str | None,
) -> Row:
    """The row that *lane* became."""
    spot, resolution = lane.spot, lane.resolution
    question = spot.question
    told = None
    if error is not None:
        # Its message, and of everybody in its place why not they.
        notes = [note for note in getattr(error, "__notes__", ()) if note.startswith(PASSED_OVER)]
        others = ", ".join(note.removeprefix(PASSED_OVER) for note in notes)
        told = f"{error}; {PASSED_OVER}{others}" if others else str(error)
    return Row(
        run_id=run_id,
        row=spot.row,
        prompt_id=question.id,
        prompt=question.text,
        system=spot.prompt.system,
        repeat=spot.repeat,
        parameters=spot.parameters,
        asked=spot.asked,
        provider=completion.provider or spot.provider,
        request_model=completion.request_model or (resolution.model if resolution else None),
        how=resolution.how if resolution else None,
        lifecycle=resolution.lifecycle if resolution else None,
        substituted=bool(completion.fallback),
        completion=completion,
        error_type=type(error).__name__ if error else None,
        error=told,
        cell=cell,
        extra=question.extra,
    )


def expected(lane: Lane) -> Row:
    """The row that *lane* will become, as far as it is known before anything is sent."""
    return row_of(lane, "", lane.unsent(), lane.error, None)


def merge_equal(lanes: Iterable[Lane]) -> tuple[Lane, ...]:
    """*lanes*, with those marked whose request is the same as an earlier one's.

    Parameters that a model ignores make grid points fall together; each repeat stays apart.
    """
    first: dict[object, int] = {}
    merged = []
    for lane in lanes:
        call, row = lane.call, lane.spot.row
        earlier = row
        if call is not None and call.ignored:
            request = (call.provider.name, call.model, repr(call.prompt), lane.spot.repeat)
            earlier = first.setdefault(request, row)
        merged.append(lane if earlier == row else replace(lane, same_as=earlier))
    return tuple(merged)
