"""Reads the text of a stream's most frequent event without parsing it again and again.

Nearly all events of an answer are one and the same document but for the piece of text in it. Once
such a document was parsed, those behind it that differ in nothing else need no parser, and all of
them that one network read brings are read at once.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from ..wire.exchange import parse_json

Path = tuple[str | int, ...]


class Paths(NamedTuple):
    """Where in a dialect's events something is.

    Attributes:
        text: The answer's text; where there are several places, the first that is filled counts.
        thought: Its reasoning.
        varying: Words that change from event to event and mean nothing.
    """

    text: tuple[Path, ...]
    thought: tuple[Path, ...] = ()
    varying: tuple[Path, ...] = ()


# What plain events in a row say, True where that is reasoning, and where the next event begins.
Run = tuple[str, bool, int]

TRIALS = 3
EARNED = 8  # runs that were read by a pattern earn new trials
AFTER = 3  # events; a short answer is not worth it
STAND_IN = "\u2603"
GAPS = ('":"', '": "')
SPAN = 2**24  # characters; more than one network read brings
KEY = 24  # characters; a longer text is looked for more slowly (measured, 3.11)


@dataclass(frozen=True, slots=True)
class Pattern:
    """One event's text with holes in it.

    Attributes:
        head: What stands before the first hole.
        between: What stands behind each hole: behind an event's last one all that comes before the
            first one of the next event.
        tail: What stands behind the last hole.
        mark: What stands between two events, None where they come one by one.
        said: The hole that holds the answer's text.
        thought: True where that is reasoning.
    """

    head: str
    between: tuple[str, ...]
    tail: str
    mark: str | None
    said: int
    thought: bool

    def reach(self, text: str, at: int, span: int) -> tuple[int, bool]:
        """Where the events end that may be of this form, and True where they are several.

        They begin at *at*, and all but the last of them within *span* characters.
        """
        mark, tail = self.mark, self.tail
        end = event_end(text, at, mark)
        if not mark or end == len(text):
            return end, False
        joint = self.between[-1]
        last = text.rfind(joint, at, at + span)
        if last < 0:
            return end, False
        begin = last + len(tail) + len(mark)
        end = event_end(text, begin, mark)
        return (end if text.endswith(tail, begin, end) else last + len(tail)), True

    def said_in(self, text: str, at: int, end: int, *, several: bool) -> str | None:
        """What the events from *at* to *end* add, None where one of them is not of this form.

        The first begins as this form does.
        """
        start, stop = at + len(self.head), end - len(self.tail)
        if start > stop or not text.endswith(self.tail, at, end):
            return None
        inner = text[start:stop]
        columns = self._columns(inner) if several else self._row(inner)
        # Written again it must be what was read: then everything stands where it should.
        if not columns or (several and _written(columns, self.between) != inner):
            return None
        pieces = columns.pop(self.said)
        return joined(pieces) if all(map(_bare, map("".join, columns))) else None

    def _row(self, inner: str) -> list[list[str]]:
        """What stands in each hole of one event; nothing where it is not of this form."""
        row = []
        for part in self.between[:-1]:
            piece, found, inner = inner.partition(part)
            if not found:
                return []
            row.append([piece])
        return [*row, [inner]]

    def _columns(self, inner: str) -> list[list[str]]:
        """What stands in each hole, from event to event."""
        *parts, joint = self.between
        rest = inner.split(joint[-KEY:])
        columns = []
        for part in parts:
            rows = [piece.partition(part) for piece in rest]
            columns.append([row[0] for row in rows])
            rest = [row[2] for row in rows]
        stem = joint[:-KEY]
        return [*columns, [piece.removesuffix(stem) for piece in rest]]


class PlainDeltas:
    """What the plain events of one stream look like; serves one stream."""

    def __init__(self, paths: Paths) -> None:
        self._paths = paths
        self._parsed = self._trials = self._runs = 0
        self._span = SPAN
        self._pattern: Pattern | None = None

    def run(self, text: str, at: int) -> Run | None:
        """What the plain events at *at* add; None where another stands there."""
        pattern, several = self._pattern, True
        if pattern is None or not text.startswith(pattern.head, at):
            return None
        while several:
            end, several = pattern.reach(text, at, self._span)
            said = pattern.said_in(text, at, end, several=several)
            if said:
                self._runs += 1
                self._span = min(2 * self._span, SPAN)
                return said, pattern.thought, end + len(pattern.mark or "")
            # One of them is of another form. Next time fewer are tried, until they fit again.
            self._span = min(self._span, end - at) // 2
        return None

    def curious(self) -> bool:
        """Asked at each event that is parsed: True where what it said is worth telling."""
        self._parsed += 1
        if self._runs >= EARNED:
            self._trials = self._runs = 0
        return self._pattern is not None or (self._parsed > AFTER and self._trials < TRIALS)

    def forget(self) -> None:
        """Has every event parsed until a new pattern is learned."""
        self._pattern = None

    def learn(
        self,
        text: str,
        body: dict[str, Any],
        said: str,
        *,
        thought: bool,
        mark: str | None,
        body_of: Callable[[str], Any],
    ) -> None:
        """Takes *text*, an event all of whose meaning was *said*, as the pattern of what will come.

        *mark* stands between two events; *body* is what is in this one, as *body_of* tells of any.
        """
        if self._trials >= TRIALS or not _bare(said):
            return
        places = self._paths.thought if thought else self._paths.text
        path = next((path for path in places if _at(body, path) == said), None)
        if path is None:
            return
        self._trials += 1
        found = _holes(text, body, (path, *self._paths.varying), body_of)
        if found is not None:
            (head, *between, tail), hole = found
            between.append(f"{tail}{mark or ''}{head}")
            self._pattern = Pattern(head, tuple(between), tail, mark, hole, thought)


def _written(columns: list[list[str]], between: Sequence[str]) -> str:
    """Undoes `_columns`."""
    every = 2 * len(between)
    pieces = [""] * (every * len(columns[0]))
    for hole, (column, part) in enumerate(zip(columns, between, strict=True)):
        pieces[2 * hole :: every] = column
        pieces[2 * hole + 1 :: every] = [part] * len(column)
    return "".join(pieces[:-1])


def event_end(text: str, at: int, mark: str | None) -> int:
    """Where the event ends that begins at *at*."""
    found = text.find(mark[0], at) if mark else -1  # one character is found much more quickly
    while mark and found >= 0 and not text.startswith(mark, found):
        found = text.find(mark[0], found + 1)
    return found if found >= 0 else len(text)


def joined(pieces: list[str]) -> str | None:
    """What the contents of JSON strings say together, None where one of them is no such thing."""
    text = "".join(pieces)
    if _bare(text):
        return text
    # Without a bare quote in any piece each is one string of this array. Should one end in half an
    # escape, all behind it are turned inside out, and that is no JSON.
    marks = "\n".join(pieces).replace("\\\\", "").replace('\\"', "")
    if '"' in marks:
        return None
    strings = parse_json('["' + '","'.join(pieces) + '"]')
    return "".join(strings) if isinstance(strings, list) else None


def _bare(text: str) -> bool:
    """True where *text* stands in JSON as it is."""
    return text.isprintable() and '"' not in text and "\\" not in text


def _holes(
    text: str, body: dict[str, Any], paths: Sequence[Path], body_of: Callable[[str], Any]
) -> tuple[tuple[str, ...], int] | None:
    """*text* around holes at those of *paths* that it has, and which of them is the first path's.

    None where it cannot be proven.
    """
    found = ((_place(text, path[-1], _at(body, path)), path) for path in paths)
    holes = {place: path for place, path in found if place}
    if paths[0] not in holes.values():  # it is written with escapes
        return None
    places = sorted(holes)
    ends = [0, *(end for _, end in places)]
    starts = [*(start for start, _ in places), len(text)]
    parts = tuple(text[end:start] for end, start in zip(ends, starts, strict=True))
    said = [holes[place] for place in places].index(paths[0])
    changed = body_of(STAND_IN.join(parts))
    for path in holes.values():
        if _at(changed, path) != STAND_IN:
            return None
        _put(changed, path, _at(body, path))
    return (parts, said) if changed == body else None


def _place(text: str, name: str | int, value: object) -> tuple[int, int] | None:
    """Where in *text* the string *value* of the field *name* stands."""
    if not isinstance(value, str) or not _bare(value):
        return None
    for gap in GAPS:
        lead = f'"{name}{gap}'
        at = text.find(f'{lead}{value}"')
        if at >= 0:
            return at + len(lead), at + len(lead) + len(value)
    return None


def _at(body: Any, path: Path) -> Any:
    """What is at *path*; None where it is not, and where a list on the way has several items."""
    for step in path:
        if isinstance(step, int):
            body = body[step] if isinstance(body, list) and len(body) == 1 else None
        else:
            body = body.get(step) if isinstance(body, dict) else None
    return body


def _put(body: Any, path: Path, value: object) -> None:
    *way, last = path
    for step in way:
        body = body[step]
    body[last] = value
