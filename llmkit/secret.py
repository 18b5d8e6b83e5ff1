"""Keeps keys and control characters out of what is shown."""

from __future__ import annotations

import re
import threading
import unicodedata
from collections.abc import Iterator
from typing import NoReturn

MASK = "***"
SHOWN = 4  # characters of a key that may be shown, and only of a key long enough to spare them
SHORTEST_REDACTED = 6  # a shorter "key" would tear holes into ordinary text
PIECE = 8  # so many characters of a key in a row are a piece of it
SPARED = 5  # so many of a key's own characters tell nothing
RANDOM = 16  # a key's body of fewer characters may be a word, whose pieces stand in any text

# "sk-proj-", "sk-ant-api03-", "sk-or-v1-": what every key of a provider begins with.
_PUBLIC = re.compile(r"(?:[a-z]{1,7}\d{0,2}[-_]){0,3}")
# What looks like a key of some service: a second net only, for Mistral's have no such mark.
_SHAPE = re.compile(r"\b(?:(?:sk|pk|rk|gsk|xai|hf|pplx|nvapi|r8)[-_]|AIza)[\w-]{16,}")
_UNMARKED = re.compile(r"(?=[a-z\d]*[A-Z])(?=[A-Za-z]*\d)[A-Za-z\d]{32,}")
_WORD = re.compile(rf"[!-~]{{{PIECE},}}")
_CLASSES = (re.compile("[a-z]"), re.compile("[A-Z]"), re.compile("[0-9]"))

# Format characters that hide or reorder what follows them; joiners of emoji are harmless.
HIDDEN = {"\u200b", "\u2060", "\ufeff", "\u00ad"}
BIDI = {*"\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"}

_lock = threading.Lock()
_wholes: tuple[str, ...] = ()  # the longest first, so that no key is hidden by a part of it
_long: tuple[tuple[str, str], ...] = ()
_pieces: frozenset[str] = frozenset()
_held = 0


class HeaderValue(str):
    """A header's text whose repr is masked, and which is neither copied nor pickled.

    aiohttp sends a `str` subclass as it is, and only `repr` reaches tracebacks and logs.
    `__str__` must stay: overriding it makes aiohttp send the mask (measured, aiohttp 3.14.5).
    """

    __slots__ = ()

    def __repr__(self) -> str:
        return repr(MASK)

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise TypeError("a key is not pickled or copied: pass the object itself")


class Secret:
    """A key, readable only through `reveal()`.

    Lives as long as whoever holds it; its value is taken out of every message that passes
    `redact` for as long as the process lives, because a provider may echo an old key too.
    """

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = HeaderValue(value)
        if value not in _wholes:
            _remember(str(value))

    def reveal(self) -> str:
        """The key itself, for a header; its repr is masked."""
        return self._value

    @property
    def tail(self) -> str:
        """At most the last four characters, for a person to tell two keys apart."""
        return self._value[-SHOWN:] if len(self._value) >= 4 * SHOWN else ""

    def __repr__(self) -> str:
        return f"Secret({MASK})"

    __str__ = __repr__

    def __format__(self, spec: str) -> str:
        return repr(self)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and str(self._value) == str(other._value)

    def __hash__(self) -> int:
        return hash(str(self._value))

    def __bool__(self) -> bool:
        return bool(self._value)

    def __reduce__(self) -> NoReturn:
        raise TypeError("a Secret is not pickled or copied: pass the object itself")


def bearer(key: Secret) -> HeaderValue:
    """The value of an Authorization header."""
    return HeaderValue("Bearer " + key.reveal())


def redact(text: str) -> str:
    """*text* without any key that this process has held, nor an eight-character piece of one.

    Keys are also found in their base64 and their percent-encoded form. A key shorter than six
    characters stays, and of one that looks like a word only the whole is taken out.
    """
    for value in _wholes:
        if value in text:
            text = text.replace(value, MASK)
    return _WORD.sub(_masked, text) if _pieces and len(text) >= PIECE else text


def redact_all(text: str) -> str:
    """`redact`, and without what only looks like a key; for messages, whose words are ours."""
    return redact(_SHAPE.sub(MASK, text))


def looks_like_key(word: str) -> bool:
    """True where *word* is in all probability somebody's key."""
    return bool(_SHAPE.match(word) or _UNMARKED.fullmatch(word)) or redact(word) != word


def keys_seen() -> int:
    """How often this process has come to hold another key; 0 while `redact` has nothing to do."""
    return _held


def long_keys() -> tuple[tuple[str, str], ...]:
    """The keys that are too long to be a word, each with so much of its beginning as may be shown.

    That is what all keys of its provider begin with, and a few characters more.
    """
    return _long


def _public_part(key: str) -> int:
    """How many characters at the beginning of *key* every key of its provider shares."""
    match = _PUBLIC.match(key)
    return match.end() if match else 0


def _remember(value: str) -> None:
    global _wholes, _long, _pieces, _held
    with _lock:
        if len(value) >= SHORTEST_REDACTED:
            _wholes = tuple(sorted({*_wholes, value}, key=len, reverse=True))
            long = (key for key in _wholes if len(key) >= RANDOM)
            _long = tuple((key, key[: _public_part(key) + SPARED]) for key in long)
        body = value[_public_part(value) :]
        if len(body) >= RANDOM and sum(bool(kind.search(body)) for kind in _CLASSES) >= 2:
            from urllib.parse import quote  # only a process that holds a key pays for these

            forms = (body, quote(body, safe=""), *_base64_forms(body))
            _pieces |= {form[i : i + PIECE] for form in forms for i in range(len(form) - PIECE + 1)}
        _held += 1


def _base64_forms(body: str) -> Iterator[str]:
    from base64 import b64encode

    # Three bytes become four characters, so the text before the key shifts it by 0, 1 or 2; what
    # stands at its edges also depends on its neighbours and is left away.
    for shift in range(3):
        base64_text = (
            b64encode(b"\0" * shift + body.encode()).decode().rstrip("=")[4 if shift else 0 : -1]
        )
        yield from {base64_text, base64_text.replace("+", "-").replace("/", "_")}


def _masked(match: re.Match[str]) -> str:
    word = match[0]
    bare = word.strip(".,;:!?()\"'")
    if bare.isalpha() and bare[1:].islower():  # nearly all there is in prose
        return word
    pieces = _pieces
    places = [i for i in range(len(word) - PIECE + 1) if word[i : i + PIECE] in pieces]
    while places:  # the last stretch first
        end = start = places.pop()
        while places and places[-1] >= start - PIECE:
            start = places.pop()
        word = f"{word[:start]}{MASK}{word[end + PIECE :]}"
    return word


def escape_controls(text: object) -> str:
    """*text* with every character that would act on a terminal or a page shown as its code.

    Line ends and tabs stay; escapes, other controls, bidirectional overrides and lone surrogates
    become `\\xNN` or `\\uNNNN`.
    """
    value = str(text)
    if value.isprintable() and not BIDI.intersection(value):
        return value
    characters = []
    for c in value:
        is_active = c in BIDI or c in HIDDEN or unicodedata.category(c) in ("Cc", "Cs", "Co", "Cn")
        if is_active and c not in "\n\t":
            c = f"\\x{ord(c):02x}" if ord(c) < 256 else f"\\u{ord(c):04x}"
        characters.append(c)
    return "".join(characters)
