"""Spoiling a fake's reply leaves everything else in it unchanged."""

from __future__ import annotations

import zlib

import pytest

from llmkit.providers.base import StreamParser
from llmkit.providers.builtin import PROVIDERS
from llmkit.types import Status
from tests.fakes import misbehaviour
from tests.fakes.reply import Reply, stream
from tests.fakes.routes import ROUTES

SIX = sorted(ROUTES)
WORDS = ("Hello w\u00f6rld", " \U0001f3de", ' and "on"\n')


def parsed(provider, reply):
    """Returns the result of llmkit's own parser for a stream."""
    parser: StreamParser = PROVIDERS[provider]().stream_parser()
    for piece in reply.pieces:
        parser.feed(piece)
    return parser.end()


@pytest.mark.parametrize("provider", SIX)
def test_any_texts_can_be_said(provider):
    """A stream of the given deltas is complete and has exactly their text."""
    end = parsed(provider, misbehaviour.saying(provider, *WORDS))

    assert (end.text, end.status) == ("".join(WORDS), Status.COMPLETE)


@pytest.mark.parametrize("provider", SIX)
def test_a_failure_comes_after_the_texts_that_were_asked_for(provider):
    """The deltas come before the error, which is the provider's own."""
    broken = misbehaviour.failing_after(provider, *WORDS)
    good = misbehaviour.saying(provider, *WORDS)

    shared = [piece for piece in broken.pieces if piece in good.pieces]
    assert len(shared) >= len(WORDS)
    assert b"error" in broken.pieces[-1] + broken.pieces[-2]


@pytest.mark.parametrize("provider", SIX)
def test_only_the_terminal_mark_is_taken_away(provider):
    """The finish reason stays, so the answer is complete except for the end mark."""
    whole, unmarked = stream(provider), misbehaviour.without_terminal_mark(provider)

    assert unmarked.pieces == whole.pieces[: len(unmarked.pieces)]
    assert len(whole.pieces) - len(unmarked.pieces) == len(misbehaviour.TERMINAL[provider])


def test_line_ends_are_the_only_change():
    """Line ends alternate as requested."""
    spoiled = misbehaviour.with_line_ends(Reply(pieces=(b"a\nb\n", b"\nc\n")), b"\r\n", b"\r")

    assert misbehaviour.body_of(spoiled) == b"a\r\nb\r\r\nc\r"


@pytest.mark.parametrize("how", ["gzip", "deflate"])
def test_compressed_events_are_not_held_back(how):
    """Every compressed piece gives its plain piece at once."""
    plain, packed = stream("openai"), misbehaviour.compressed(stream("openai"), how)
    unpack = zlib.decompressobj(wbits=47)

    pieces = [unpack.decompress(piece) for piece in packed.pieces]

    assert tuple(pieces) == (*plain.pieces, b"")
    assert unpack.eof
    assert packed.headers["content-encoding"] == how


def test_one_body_can_be_written_in_many_ways():
    """Whole, in single bytes, after a byte order mark, with invalid UTF-8."""
    body = misbehaviour.body_of(stream("openai"))
    single = misbehaviour.byte_by_byte(stream("openai"))
    marked = misbehaviour.with_bom(stream("openai"))
    broken = misbehaviour.with_bytes(stream("openai"), b"A river", b"A r\xffver")

    assert misbehaviour.in_one_piece(stream("openai")).pieces == (body,)
    assert {len(piece) for piece in single.pieces} == {1}
    assert misbehaviour.body_of(single) == body
    assert misbehaviour.body_of(marked) == b"\xef\xbb\xbf" + body
    assert misbehaviour.body_of(broken) == body.replace(b"A river", b"A r\xffver")
