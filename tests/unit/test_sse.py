"""Server-sent events: the same events for every cut of the same bytes."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, strategies as st

from llmkit.errors import BadResponseError
from llmkit.wire.sse import ServerSentEvent, SSEDecoder

STREAM = (
    "\ufeff: a comment\r\n"
    "\r\n"
    "data: Zürich\n\n"
    "event: ping\rdata:no space\rid: 7\r\r"
    "data: first\r\ndata:  second\ndata\rretry: 10\r\n\r\n"
    "data: line\u2028separator and next\u0085line\n\n"
    "id: 8\n\n"
    "id: nul\0is ignored\ndata: 🦆\n\n\n"
    "unknown: field\ndata: last\n\n"
    "data: unfinished"
).encode()
EVENTS = [
    ServerSentEvent("Zürich"),
    ServerSentEvent("no space", "ping", "7"),
    ServerSentEvent("first\n second\n", "message", "7"),
    ServerSentEvent("line\u2028separator and next\u0085line", "message", "7"),
    ServerSentEvent("🦆", "message", "8"),
    ServerSentEvent("last", "message", "8"),
]


def fed(decoder: SSEDecoder, *pieces: bytes) -> list[ServerSentEvent]:
    return [item for piece in pieces for item in decoder.feed(piece)]


def read(*pieces: bytes) -> list[ServerSentEvent]:
    return fed(SSEDecoder(), *pieces)


def pieces_of(data: bytes, size: int) -> list[bytes]:
    return [data[start : start + size] for start in range(0, len(data), size)]


def test_every_chunk_size_gives_the_same_events():
    """The size of the network's reads does not matter."""
    sizes = range(1, len(STREAM) + 1)
    other = [size for size in sizes if read(*pieces_of(STREAM, size)) != EVENTS]

    assert other == []


def test_every_single_cut_gives_the_same_events():
    """The place of a single cut does not matter."""
    cuts = range(len(STREAM) + 1)
    other = [cut for cut in cuts if read(STREAM[:cut], STREAM[cut:]) != EVENTS]

    assert other == []


LINES = st.sampled_from(["data: a", "data:é", ": c", "event: e", "id: 1", "", "", "data", "x: y"])
ENDS = st.sampled_from(["\n", "\r", "\r\n"])


@given(st.lists(st.tuples(LINES, ENDS)), st.lists(st.integers(0, 60)))
def test_any_cuts_of_any_stream_give_the_same_events(lines, cuts):
    """For any lines with any line ends, cuts change nothing."""
    data = "".join(line + end for line, end in lines).encode()
    marks = sorted({0, len(data), *(min(cut, len(data)) for cut in cuts)})
    pieces = [data[a:b] for a, b in pairwise(marks)]

    assert read(*pieces) == read(data)


@pytest.mark.parametrize("end", ["\n", "\r", "\r\n"])
def test_an_event_is_given_as_soon_as_its_blank_line_is_there(end):
    """A server that then sends nothing does not delay it."""
    assert read(f"data: x{end}{end}".encode()) == [ServerSentEvent("x")]


def test_two_carriage_return_line_feeds_make_one_blank_line():
    """The line feed after a carriage return belongs to it, also in the next read."""
    decoder = SSEDecoder()
    first = list(decoder.feed(b"data: a\r"))
    second = list(decoder.feed(b"\ndata: b\r"))
    third = list(decoder.feed(b""))
    fourth = list(decoder.feed(b"\n\r\n"))

    assert (first, second, third, fourth) == ([], [], [], [ServerSentEvent("a\nb")])


def test_an_unfinished_event_is_not_among_the_events():
    """An event without its blank line comes only from the end, and once."""
    decoder = SSEDecoder()
    events = list(decoder.feed(b"data: whole\n\ndata: ha"))
    left, then = decoder.end(), decoder.end()

    assert (events, left, then) == ([ServerSentEvent("whole")], [ServerSentEvent("ha")], [])


@pytest.mark.parametrize("size", [1, 2, 3, 7, 100])
def test_bytes_that_are_no_utf8_become_marks_and_are_flagged(size):
    """The text around them stays exact."""
    data = b"data: a\xff\xc3(\xe2\x82\n\ndata: \xc3\xa9\n\n"
    decoder = SSEDecoder()
    events = fed(decoder, *pieces_of(data, size))

    assert events == [ServerSentEvent("a\ufffd\ufffd(\ufffd"), ServerSentEvent("é")]
    assert decoder.replaced is True


def test_a_mark_that_the_server_wrote_is_not_a_replacement():
    """U+FFFD is a character that a model may write."""
    decoder = SSEDecoder()
    events = list(decoder.feed("data: \ufffd\n\n".encode()))

    assert events == [ServerSentEvent("\ufffd")]
    assert decoder.replaced is False


def test_only_the_first_byte_order_mark_goes():
    """Inside a stream it is an ordinary character."""
    stream = "\ufeffdata: a\n\n\ufeffdata: b\n\ndata: \ufeffc\n\n"

    assert read(stream.encode()) == [ServerSentEvent("a"), ServerSentEvent("\ufeffc")]


@pytest.mark.parametrize("size", [1, 5, 64])
def test_an_event_up_to_the_limit_passes(size):
    """The limit itself is allowed."""
    decoder = SSEDecoder(limit=20)
    data = b"data: " + b"x" * 14 + b"\n\n"
    events = fed(decoder, *pieces_of(data, size))

    assert events == [ServerSentEvent("x" * 14)]


@pytest.mark.parametrize("size", [1, 5, 64])
@pytest.mark.parametrize("end", [b"\n\n", b""])
def test_an_event_over_the_limit_is_refused(size, end):
    """Complete or not, in one read or in many."""
    decoder = SSEDecoder(limit=20)
    data = b"data: " + b"x" * 16 + end

    with pytest.raises(BadResponseError, match="over 20 bytes"):
        fed(decoder, *pieces_of(data, size))


def test_events_before_one_over_the_limit_are_given():
    """One read has both, and the good one is not lost."""
    events = SSEDecoder(limit=20).feed(b"data: whole\n\ndata: " + b"x" * 30)

    assert next(events) == ServerSentEvent("whole")
    with pytest.raises(BadResponseError):
        next(events)


def test_a_large_event_in_small_reads_is_exact():
    """Four megabytes in reads of 4 KB."""
    text = "0123456789abcdef" * (1 << 18)

    assert read(*pieces_of(f"data: {text}\n\n".encode(), 4096)) == [ServerSentEvent(text)]
