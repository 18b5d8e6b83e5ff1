"""Compressed bodies are decompressed, at most one piece at a time."""

from __future__ import annotations

import gzip
import zlib

import pytest

from llmkit.errors import BadResponseError
from llmkit.wire.decompression import PIECE, unpacker

TEXT = b"A river carries silt. " * 400


def raw_deflate(data):
    packer = zlib.compressobj(wbits=-15)
    return packer.compress(data) + packer.flush()


def unpacked(encoding, packed, size):
    """Returns the output for *packed*, fed in cuts of *size* bytes."""
    found, out = unpacker(encoding), []
    for start in range(0, len(packed), size):
        found.feed(packed[start : start + size])
        while piece := found.take():
            out.append(piece)
    return out


@pytest.mark.parametrize("size", [1, 7, 10_000])
@pytest.mark.parametrize(
    ("encoding", "packed"),
    [
        ("gzip", gzip.compress(TEXT)),
        ("X-GZIP", gzip.compress(TEXT)),
        ("gzip", gzip.compress(TEXT[:500]) + gzip.compress(TEXT[500:])),
        ("deflate", zlib.compress(TEXT)),
        ("deflate", raw_deflate(TEXT)),
    ],
    ids=["gzip", "an old name", "two joined", "zlib", "raw"],
)
def test_every_cut_gives_the_same_text(encoding, packed, size):
    """With any compression and any cut."""
    assert b"".join(unpacked(encoding, packed, size)) == TEXT


def test_many_small_members_are_read_in_turn():
    """A body may consist of thousands of members, also of empty ones, in one read."""
    empty, last = gzip.compress(b""), gzip.compress(TEXT)

    assert b"".join(unpacked("gzip", empty * 2000 + last + empty + last, 100_000)) == TEXT * 2


def test_a_bomb_comes_out_in_pieces():
    """A few bytes that expand to many megabytes give at most one piece at once."""
    bomb = gzip.compress(b"\0" * 8 * PIECE)

    pieces = unpacked("gzip", bomb, len(bomb))

    assert max(map(len, pieces)) <= PIECE
    assert sum(map(len, pieces)) == 8 * PIECE


@pytest.mark.parametrize("encoding", ["", "identity", " Identity "])
def test_a_plain_body_needs_nothing(encoding):
    """An uncompressed body is unchanged."""
    assert unpacker(encoding) is None


@pytest.mark.parametrize("encoding", ["br", "zstd", "gzip, br", "\x1b[31m"])
def test_an_unrequested_compression_is_named(encoding):
    """The message names the encoding and what to check."""
    with pytest.raises(BadResponseError, match="Content-Encoding must be"):
        unpacker(encoding)


def test_garbage_is_an_error_of_ours():
    """Bytes that are not compressed, and compressed data that turns into others."""
    for packed in (b"hello, world", gzip.compress(TEXT)[:40] + b"\xff" * 50):
        with pytest.raises(BadResponseError, match="damaged"):
            unpacked("gzip", packed, 1000)
