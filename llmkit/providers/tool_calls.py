"""Assembles the tool calls of an answer from pieces, and tells parallel calls apart."""

from __future__ import annotations

import json
from dataclasses import dataclass, field

from ..errors import BadResponseError
from ..types import ToolCall
from ..wire.messages import as_str, fix_surrogates, parse_json

LATEST = ""  # the place of the latest call
MOST_CHECKS = 50  # of the arguments of one call, each of which reads all of them


@dataclass(slots=True)
class _Call:
    name: str = ""
    id: str | None = None
    parts: list[str] = field(default_factory=list)
    length: int = 0  # of the arguments, in characters
    checks: int = 0

    @property
    def arguments(self) -> str:
        return "".join(self.parts)

    def differs(self, name: str, id: str | None) -> bool:
        """Returns True if *name* and *id* are those of another call."""
        if id and self.id:
            return id != self.id
        return bool(self.parts) and name != self.name

    def is_whole(self) -> bool:
        """Returns True if the arguments so far are a JSON object."""
        if not (self.parts and self.parts[-1].rstrip().endswith("}")):
            return False
        self.checks += 1
        return self.checks <= MOST_CHECKS and isinstance(parse_json(self.arguments), dict)


class ToolCalls:
    """The tool calls of one answer so far."""

    def __init__(self) -> None:
        self._calls: list[_Call] = []
        self._places: dict[tuple[str, str | None], _Call] = {}
        self._latest: _Call | None = None

    def add(self, place: object, name: object, id: object, arguments: object) -> None:
        """Adds a piece to the call at *place*; None adds a complete call.

        Servers send parallel calls at one place: a new id begins another call, and so does a name
        after arguments that are complete.

        Raises:
            BadResponseError: *arguments* is an object that is nested too deeply.
        """
        name, id, call = as_str(name), as_str(id), None
        added = arguments if isinstance(arguments, str) else _text_of(arguments)
        key = str(place) if isinstance(place, int | str) else None
        if key is not None:
            call = self._places.get((key, id)) or self._places.get((key, None))
        if call is not None and name:
            # A server may repeat id and name in each piece, and the arguments at the end.
            is_next = added.lstrip().startswith("{") and call.is_whole()
            if is_next and id and id == call.id and added == call.arguments:
                return
            if is_next or call.differs(name, id):
                call = None
        if call is None:
            call = _Call()
            self._calls.append(call)
        if key is not None and (id or call is not self._latest):
            self._latest = call
            for where in (key, LATEST):
                self._places[where, None] = self._places[where, id] = call
        call.name, call.id = call.name or name or "", call.id or id
        if added:
            call.parts.append(added)
            call.length += len(added)

    def knows(self, id: str) -> bool:
        """Returns True if a call with *id* has begun."""
        return (LATEST, id) in self._places

    def complete(self, others: ToolCalls) -> None:
        """Adds what *others*, all calls of a whole message, have beyond these."""
        for mine, other in zip(self._calls, others._calls, strict=False):
            # Takes no longer than reading *others* did.
            if other.length > mine.length and other.arguments.startswith(mine.arguments):
                mine.parts, mine.length = other.parts, other.length
        self._calls += others._calls[len(self._calls) :]

    def result(self) -> tuple[ToolCall, ...]:
        """Returns the calls that have a name."""
        return tuple(
            ToolCall(
                fix_surrogates(call.name),
                fix_surrogates(call.arguments) or "{}",
                fix_surrogates(call.id) if call.id else None,
            )
            for call in self._calls
            if call.name
        )


def _text_of(arguments: object) -> str:
    try:  # some providers send an object
        return json.dumps(arguments, ensure_ascii=False) if arguments else ""
    except RecursionError:
        raise BadResponseError(
            "the arguments of a tool call are nested too deeply; ask again", possibly_billed=True
        ) from None
