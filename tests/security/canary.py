"""Searches what a test has gathered for a key, or for pieces of one."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

PIECE = 8  # characters in a row; fewer may be chance
PUBLIC = "sk-fake-"  # how the fakes' keys begin, which is public


def traces(key: str, *places: object) -> list[str]:
    """Returns the pieces of *key*'s random body that occur in *places*, in any form.

    A place is text, bytes, a file, a folder with everything below it, or anything with a repr.
    """
    body = key.removeprefix(PUBLIC)
    forms = [body, body[::-1], quote(body, safe=""), body.encode().hex(), *_base64(body)]
    pieces = {form[i : i + PIECE] for form in forms for i in range(len(form) - PIECE + 1)}
    found = [text for place in places for text in _texts(place)]
    return sorted(piece for piece in pieces if any(piece in text for text in found))


def _base64(body: str) -> Iterator[str]:
    for shift in range(3):
        yield b64encode(b"\0" * shift + body.encode()).decode().rstrip("=")[4 if shift else 0 : -1]


def _texts(place: object) -> Iterator[str]:
    if isinstance(place, Path):
        files = [place] if place.is_file() else sorted(p for p in place.rglob("*") if p.is_file())
        for file in files:
            data = file.read_bytes()
            # Databases and widget states may store text with two bytes per character.
            yield data.decode("latin-1")
            yield data.replace(b"\0", b"").decode("latin-1")
    elif isinstance(place, bytes):
        yield place.decode("latin-1")
    else:
        yield place if isinstance(place, str) else repr(place)
