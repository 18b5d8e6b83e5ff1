"""Decompresses a body in pieces of limited size, whatever its compression ratio."""

from __future__ import annotations

import zlib

from ..errors import BadResponseError, Outcome, shorten
from ..secret import redact

PIECE = 256 * 1024  # most bytes that one step decompresses
INPUT = 4 * 1024  # most bytes that one step reads
PLAIN = ("", "identity")
# The encodings that zlib can tell apart (RFC 9110, 8.4.1); x-gzip is an old name.
KNOWN = ("gzip", "x-gzip", "deflate")
HEADER = 2  # bytes that zlib needs to recognise the format
GZIP_OR_ZLIB = 32 + zlib.MAX_WBITS


class Unpacker:
    """Decompresses one gzip or deflate body; its bytes may be cut anywhere."""

    def __init__(self) -> None:
        self._inflater = zlib.decompressobj(GZIP_OR_ZLIB)
        self._pending = b""
        self._at = 0  # of its bytes, this many are read
        self._begun = False

    def feed(self, data: bytes) -> None:
        """Adds received bytes."""
        self._pending = self._pending[self._at :] + data
        self._at = 0

    def take(self) -> bytes:
        """Returns the next piece, empty if more bytes must be fed first.

        Raises:
            BadResponseError: The body is neither gzip nor deflate.
        """
        if not self._begun and len(self._pending) < HEADER:
            return b""
        while self._at < len(self._pending):
            piece = self._step()
            if piece:
                return piece
        return b""

    def _step(self) -> bytes:
        if self._inflater.eof:  # a body may consist of several members
            self._inflater = zlib.decompressobj(GZIP_OR_ZLIB)
        # zlib copies the bytes that it leaves, so a body of small members must not be passed whole.
        data = self._pending[self._at : self._at + INPUT]
        try:
            piece = self._inflater.decompress(data, PIECE)
        except zlib.error as error:
            piece = self._raw(data, error)
        self._begun = True
        self._at += len(data) - len(self._inflater.unconsumed_tail or self._inflater.unused_data)
        return piece

    def _raw(self, data: bytes, error: zlib.error) -> bytes:
        # Some servers send deflate without the zlib header.
        if not self._begun:
            self._inflater = zlib.decompressobj(-zlib.MAX_WBITS)
            try:
                return self._inflater.decompress(data, PIECE)
            except zlib.error:
                pass
        raise BadResponseError(
            f"the server's compressed answer is damaged ({error}); try again",
            outcome=Outcome.STREAMED,
            possibly_billed=True,
        ) from None


def unpacker(encoding: str) -> Unpacker | None:
    """Returns a decompressor for that Content-Encoding, None if the body is not compressed.

    Raises:
        BadResponseError: The encoding was not requested and is not supported.
    """
    name = encoding.strip().lower()
    if name in PLAIN:
        return None
    if name in KNOWN:
        return Unpacker()
    raise BadResponseError(
        f"the answer's Content-Encoding must be gzip, deflate or identity, got "
        f"{shorten(redact(encoding), 40)!r}; check for a proxy that compresses answers",
        possibly_billed=True,
    )
