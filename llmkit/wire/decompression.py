"""Compressed bodies, unpacked a piece at a time, however much a few bytes hold."""

from __future__ import annotations

import zlib

from ..errors import BadResponseError, Outcome, shorten
from ..secret import redact

PIECE = 256 * 1024  # bytes that one step unpacks at most
PLAIN = ("", "identity")
# What zlib can tell apart by itself (RFC 9110, 8.4.1); x-gzip is an old name.
KNOWN = ("gzip", "x-gzip", "deflate")
HEADER = 2  # bytes by which zlib knows what it has before it
GZIP_OR_ZLIB = 32 + zlib.MAX_WBITS


class Unpacker:
    """Unpacks one body that is gzip or deflate; fed bytes cut anywhere."""

    def __init__(self) -> None:
        self._inflater = zlib.decompressobj(GZIP_OR_ZLIB)
        self._pending = b""
        self._begun = False

    def feed(self, data: bytes) -> None:
        """Takes what came."""
        self._pending += data

    def take(self) -> bytes:
        """The next piece; empty where more has to come first.

        Raises:
            BadResponseError: The body is no such compression.
        """
        if not self._begun and len(self._pending) < HEADER:
            return b""
        while self._pending:
            piece = self._step()
            if piece:
                return piece
        return b""

    def _step(self) -> bytes:
        if self._inflater.eof:  # a body may be several that were joined
            self._inflater = zlib.decompressobj(GZIP_OR_ZLIB)
        data, self._pending = self._pending, b""
        try:
            piece = self._inflater.decompress(data, PIECE)
        except zlib.error as error:
            piece = self._raw(data, error)
        self._begun = True
        self._pending = self._inflater.unconsumed_tail or self._inflater.unused_data
        return piece

    def _raw(self, data: bytes, error: zlib.error) -> bytes:
        # Some servers call it deflate and leave the header of zlib out.
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
    """What unpacks a body with that Content-Encoding, None where it is not packed.

    Raises:
        BadResponseError: It is packed in a way that was not asked for and is not understood.
    """
    name = encoding.strip().lower()
    if name in PLAIN:
        return None
    if name in KNOWN:
        return Unpacker()
    raise BadResponseError(
        f"the server packed its answer as {shorten(redact(encoding), 40)!r}, though it was asked "
        "for a plain one; look for a proxy in between that does so",
        possibly_billed=True,
    )
