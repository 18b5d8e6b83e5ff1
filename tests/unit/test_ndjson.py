"""Newline-delimited JSON: the same lines for every cut of the same bytes."""

from __future__ import annotations

import pytest

from llmkit.errors import BadResponseError
from llmkit.wire.sse import NDJSONDecoder, ServerSentEvent

STREAM = '\ufeff{"a":"é"}\n\r\n{"b":"🦆"}\r\n \n{"c":"\u2028\u0085"}\n{"d":1}'.encode()
LINES = ['{"a":"é"}', '{"b":"🦆"}', '{"c":"\u2028\u0085"}', '{"d":1}']


def fed(decoder: NDJSONDecoder, *pieces: bytes) -> list[str]:
    return [event.data for piece in pieces for event in decoder.feed(piece)]


def read(*pieces: bytes) -> list[str]:
    decoder = NDJSONDecoder()
    return [*fed(decoder, *pieces), *(event.data for event in decoder.end())]


def pieces_of(data: bytes, size: int) -> list[bytes]:
    return [data[start : start + size] for start in range(0, len(data), size)]


def test_every_chunk_size_gives_the_same_lines():
    """The size of the network's reads does not matter."""
    sizes = range(1, len(STREAM) + 1)
    other = [size for size in sizes if read(*pieces_of(STREAM, size)) != LINES]

    assert other == []


def test_every_single_cut_gives_the_same_lines():
    """The place of a single cut does not matter."""
    cuts = range(len(STREAM) + 1)
    other = [cut for cut in cuts if read(STREAM[:cut], STREAM[cut:]) != LINES]

    assert other == []


def test_the_last_line_needs_no_end():
    """Unlike an unfinished event, it is returned, once."""
    decoder = NDJSONDecoder()
    lines = fed(decoder, b'{"a":1}\n{"b"')
    left, then = decoder.end(), decoder.end()

    assert (lines, left, then) == (['{"a":1}'], [ServerSentEvent('{"b"')], [])


@pytest.mark.parametrize("size", [1, 2, 100])
def test_bytes_that_are_no_utf8_become_marks_and_are_flagged(size):
    """The lines around them stay exact."""
    decoder = NDJSONDecoder()
    data = b'{"a":"\xff"}\n{"b":"\xc3\xa9"}\n'
    lines = fed(decoder, *pieces_of(data, size))

    assert lines == ['{"a":"\ufffd"}', '{"b":"é"}']
    assert decoder.replaced is True


@pytest.mark.parametrize("size", [1, 5, 64])
@pytest.mark.parametrize("end", [b"\n", b""])
def test_a_line_over_the_limit_is_refused(size, end):
    """Complete or not, in one read or in many."""
    decoder = NDJSONDecoder(limit=20)

    with pytest.raises(BadResponseError, match="over 20 bytes"):
        fed(decoder, *pieces_of(b"x" * 21 + end, size))


@pytest.mark.parametrize("size", [1, 5, 64])
def test_a_line_up_to_the_limit_passes(size):
    """The limit itself is allowed."""
    decoder = NDJSONDecoder(limit=20)
    data = b"x" * 20 + b"\n"

    assert fed(decoder, *pieces_of(data, size)) == ["x" * 20]
