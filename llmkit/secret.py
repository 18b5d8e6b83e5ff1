"""Removes API keys and control characters from text that is shown, logged or saved."""

from __future__ import annotations

import re
import threading
import unicodedata
from binascii import b2a_base64
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from contextlib import suppress
from functools import wraps
from types import FrameType, FunctionType, TracebackType
from typing import Any, NoReturn, ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")
E = TypeVar("E", bound=BaseException)

_PACKAGE = __name__.partition(".")[0]
MASK = "***"
SHOWN = 4  # characters of a long key that may be shown
PIECE = 8  # consecutive characters of a key that are redacted
DIFFERENT = 4  # characters of such a piece; pictures in base64 have long runs of one letter
SPARED = 5  # characters of a key, after its public prefix, that may be shown

# "sk-proj-", "sk-ant-api03-", "sk-or-v1-": the public prefix of a provider's keys.
_PUBLIC = re.compile(r"(?:[a-z]{1,7}\d{0,2}[-_]){0,3}")
# Known prefixes of keys: only a second check, because Mistral's keys have none.
_SHAPE = re.compile(r"\b(?:(?:sk|pk|rk|gsk|xai|hf|pplx|nvapi|r8)[-_]|AIza)[\w-]{16,}")
_UNMARKED = re.compile(r"(?=[a-z\d]*[A-Z])(?=[A-Za-z]*\d)[A-Za-z\d]{32,}")
_SCHEME = re.compile("(?i:(?:bearer|basic|token|apikey) +)?")  # in a header, before the key
_WORD = re.compile(rf"[!-~]{{{PIECE},}}")
_CLASSES = (re.compile("[a-z]"), re.compile("[A-Z]"), re.compile("[0-9]"))

# Characters without a glyph have the category Cf, Zl or Zp, or are in _FILLERS: the rest of the
# property Default_Ignorable_Code_Point (DerivedCoreProperties.txt of Unicode 17, read 2026-11-30).
_UNSEEN = frozenset({"Cf", "Zl", "Zp"})
_MARKS = frozenset({"Mn", "Me"})
STACKED = 10  # marks in a row; letters of Tibetan have up to 8
_ACTIVE = frozenset({"Cc", "Cs", "Co", "Cn"})
_SELECTORS = frozenset(map(chr, (*range(0x180B, 0x1810), *range(0xFE00, 0xFE10))))
_FILLERS = _SELECTORS.union(
    "\u034f\u115f\u1160\u17b4\u17b5\u3164\uffa0", map(chr, range(0xE0100, 0xE01F0))
)
# Prepended_Concatenation_Mark: these have the category Cf, and a glyph.
_SIGNS = frozenset(
    "\u0600\u0601\u0602\u0603\u0604\u0605\u06dd\u070f\u0890\u0891\u08e2\U000110bd\U000110cd"
)
# A joiner or a selector stays if it shapes the characters beside it: symbols and emoji, or letters
# of the scripts that join them.
_EMOJI = (
    "\xa9\xae\u203c\u2049\u2122\u2139\u2190-\u21ff\u2300-\u23ff\u2460-\u24ff\u25a0-\u27bf"
    "\u2900-\u297f\u2b00-\u2bff\u3030\u303d\u3297\u3299\U0001f000-\U0001faff"
)
_LETTERS = (
    "\u0600-\u061b\u061d-\u109f\u1780-\u17b3\u17b6-\u180a\u1810-\u1cff\ua800-\uabff"
    "\ufb50-\ufdff\ufe70-\ufefc\U00010a00-\U00011fff\U0001e900-\U0001e95f"
)
SHAPED = _EMOJI + _LETTERS  # for the brackets of a pattern
_SHAPING = frozenset("\u200c\u200d\ufe0e\ufe0f")
_WITHOUT_EFFECT = re.compile(
    rf"[\u200c\u200d\ufe0e\ufe0f](?<![{_EMOJI}][\ufe0e\ufe0f])(?<![{_LETTERS}][\u200c\u200d])"
    rf"(?!(?<=[#*\d]\ufe0f)\u20e3)"  # a keycap
    rf"(?!(?:(?<=[{_EMOJI}]\u200d)|(?<=[{_EMOJI}]\ufe0f\u200d))[{_EMOJI}])"
)
# The flags of England, Scotland and Wales. Any other sequence of tags is an invisible text.
_FLAG = re.compile(
    "(\U0001f3f4\U000e0067\U000e0062(?:\U000e0065\U000e006e\U000e0067|\U000e0073\U000e0063\U000e0074"
    "|\U000e0077\U000e006c\U000e0073)\U000e007f)"
)


class HeaderValue(str):
    """A header's value with a masked repr, also of its parts, which cannot be copied or pickled.

    aiohttp sends a `str` subclass as it is, and only `repr` reaches tracebacks and logs.
    `__str__` must stay: overriding it makes aiohttp send the mask (measured, aiohttp 3.14.5).
    """

    __slots__ = ()

    def __repr__(self) -> str:
        return repr(MASK)

    def __getitem__(self, index: Any) -> HeaderValue:
        # rich prints the first characters of a long text, and the number of the others.
        return HeaderValue(super().__getitem__(index))

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise TypeError("a key cannot be pickled or copied; pass the object itself")


_lock = threading.Lock()
# Each of them is masked too, because a traceback may print these variables.
_wholes: tuple[HeaderValue, ...] = ()  # the longest first: a key may contain a shorter one
_long: tuple[tuple[HeaderValue, HeaderValue], ...] = ()
_pieces: frozenset[HeaderValue] = frozenset()
_held = 0


class Secret:
    """A key, readable only through `reveal()`.

    `redact` removes its value until the process ends, even after the object is deleted: a provider
    may echo an old key. A word, such as the dummy key of a manual, stays; see `text.words`.

    Attributes:
        place: Where the key was found, as messages name it, such as a variable.
        rival: A sentence about another key for the same provider, "" for none.
    """

    __slots__ = ("_value", "place", "rival")

    def __init__(self, value: str, place: str = "", rival: str = "") -> None:
        if not isinstance(value, str):
            raise TypeError(f"a key must be text, got {type(value).__name__}")
        self._value, self.place, self.rival = HeaderValue(value), place, rival
        if value not in _wholes:
            _remember(self._value)

    def reveal(self) -> HeaderValue:
        """Returns the key for a header; its repr is masked."""
        return self._value

    @property
    def tail(self) -> str:
        """The last four characters of a long key, else "": lets a user tell two keys apart."""
        return str(self._value)[-SHOWN:] if len(self._value) >= 4 * SHOWN else ""

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
        raise TypeError("a Secret cannot be pickled or copied; pass the object itself")


def bearer(key: Secret) -> HeaderValue:
    """Returns the value of an Authorization header."""
    return HeaderValue("Bearer " + key.reveal())


def redact(text: str) -> str:
    """Returns *text* without the keys that this process has held, whole or in 8-character pieces.

    Their base64 and percent-encoded forms are masked too. Of a long key that consists of words only
    the whole key is masked, and a key that is a word stays.
    """
    for value in _wholes:
        if value in text:
            text = text.replace(value, MASK)
    return _WORD.sub(_masked, text) if _pieces and len(text) >= PIECE else text


def redact_all(text: str) -> str:
    """Returns *text* without keys and without what only looks like one; for llmkit's messages."""
    return redact(_SHAPE.sub(MASK, text))


def looks_like_key(word: str) -> bool:
    """Returns True if *word* is very probably an API key."""
    return bool(_SHAPE.match(word) or _UNMARKED.fullmatch(word)) or redact(word) != word


def keys_seen() -> int:
    """Returns how many keys `redact` masks, those of the process so far; 0 if none."""
    return _held


def long_keys() -> tuple[tuple[HeaderValue, HeaderValue], ...]:
    """Returns the keys too long to be a word, each with the beginning of it that may be shown.

    This beginning is the public prefix of the provider's keys and a few characters more.
    """
    return _long


def _public_part(key: str) -> int:
    """Returns the length of the prefix that all keys of the provider share."""
    return _PUBLIC.match(key).end()  # type: ignore[union-attr]  # it may be empty


def _remember(value: HeaderValue) -> None:
    from .text.words import LONG, is_word_like, is_words  # not needed without a key

    global _wholes, _long, _pieces, _held
    value = value[_SCHEME.match(value).end() :]  # type: ignore[union-attr]  # it may be empty
    if is_word_like(value):
        return
    with _lock:
        _wholes = tuple(sorted({*_wholes, value}, key=len, reverse=True))
        _long = tuple((k, k[: _public_part(k) + SPARED]) for k in _wholes if len(k) >= LONG)
        body = value[_public_part(value) :]
        is_mixed = sum(bool(kind.search(body)) for kind in _CLASSES) >= 2
        if len(body) >= LONG and is_mixed and not is_words(body):
            forms = (body, _percent_encoded(body), *_base64_forms(body))
            pieces = {form[i : i + PIECE] for form in forms for i in range(len(form) - PIECE + 1)}
            _pieces |= {piece for piece in pieces if len(set(piece)) >= DIFFERENT}
        _held += 1


def _percent_encoded(body: HeaderValue) -> HeaderValue:
    # urllib's function would have the key in its variables.
    return HeaderValue(
        "".join([c if c.isalnum() or c in "_.-~" else f"%{ord(c):02X}" for c in body])
    )


def _base64_forms(body: HeaderValue) -> Iterator[HeaderValue]:
    # Three bytes become four characters, so the text before the key shifts it by 0, 1 or 2. The
    # characters at both edges depend on the neighbouring text and are left out.
    for shift in range(3):
        padded = HeaderValue(b2a_base64(b"\0" * shift + body.encode(), newline=False).decode())
        base64_text = HeaderValue(padded.rstrip("="))[4 if shift else 0 : -1]
        yield base64_text
        yield HeaderValue(base64_text.replace("+", "-").replace("/", "_"))


def _masked(match: re.Match[str]) -> str:
    word = match[0]
    bare = word.strip(".,;:!?()\"'")
    if bare.isalpha() and bare[1:].islower():  # most words of prose
        return word
    pieces, parts, end = _pieces, list[str](), 0
    for i in range(len(word) - PIECE + 1):
        if word[i : i + PIECE] in pieces:
            if i > end or not parts:  # not in touch with the piece before it
                parts += [word[end:i], MASK]
            end = i + PIECE
    return "".join([*parts, word[end:]])


def is_unseen(character: str) -> bool:
    """Returns True if *character* has no glyph: a format character, a filler or a selector."""
    return character in _FILLERS or (
        unicodedata.category(character) in _UNSEEN and character not in _SIGNS
    )


def without_locals(error: E) -> E:
    """Returns *error*; removes local variables and API keys from it and its causes.

    Tracebacks keep each file, line and function. IPython's Verbose mode, rich and others print the
    variables of every frame, which may hold an answer before its keys are masked. Only the frames
    of the user's program (`__main__`) keep theirs.
    """
    try:
        _clear(error)
    except BaseException as interrupt:  # its context is *error*
        _clear(interrupt)
        raise
    return error


def _clear(error: BaseException) -> None:
    errors: list[BaseException] = [error]
    seen = set[int]()
    while errors:
        link = errors.pop()
        if id(link) in seen:
            continue
        seen.add(id(link))
        errors += [e for e in (link.__cause__, link.__context__) if e is not None]
        errors += getattr(link, "exceptions", ())
        link.__traceback__ = _hollow(link.__traceback__)
        if _held and not type(link).__module__.startswith(f"{_PACKAGE}."):  # ours are clean
            _redact_words(link)


def hides_locals(function: Callable[P, Awaitable[T]]) -> Callable[P, Coroutine[Any, Any, T]]:
    """Decorates a coroutine function: what it raises passes through `without_locals`."""

    @wraps(function)
    async def guarded(*args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return await function(*args, **kwargs)
        except BaseException as error:
            del args, kwargs  # the next line may be interrupted
            without_locals(error)
            raise

    return guarded


def _redact_words(error: BaseException) -> None:
    """Redacts the texts of *error*: a library's error may quote what a server sent."""
    error.args = tuple(map(_redacted, error.args))
    for name, value in tuple(vars(error).items()):
        with suppress(Exception):  # a read-only property, or a repr that fails
            masked = _redacted(value)
            if masked is value and not isinstance(value, BaseException):
                masked = redact(repr(value))
                masked = value if masked == repr(value) else masked
            if masked is not value:
                setattr(error, name, masked)


def _redacted(value: Any) -> Any:
    if isinstance(value, bytes):
        return redact(value.decode("latin-1")).encode("latin-1")
    return redact(value) if isinstance(value, str) else value


def _nothing() -> Iterator[None]:
    yield


# Positions without columns, all on the first line (Objects/locations.md in CPython, 3.11 to 3.14).
_ONE_LINE = bytes((0x80 | 13 << 3 | 7, 0)) * (len(_nothing.__code__.co_code) // 16 + 1)


def _hollow(trace: TracebackType | None) -> TracebackType | None:
    """Returns *trace* with frames that have no variables."""
    entries = []
    while trace is not None:
        entries.append(trace)
        trace = trace.tb_next
    for entry in reversed(entries):
        frame, line = entry.tb_frame, entry.tb_lineno
        if frame.f_globals.get("__name__") != "__main__":
            frame = _hollow_frame(frame, line)
        lasti = 0 if frame is not entry.tb_frame else entry.tb_lasti
        trace = TracebackType(trace, frame, lasti, line)
    return trace


def _hollow_frame(frame: FrameType, line: int) -> FrameType:
    code = frame.f_code
    empty = _nothing.__code__.replace(
        co_filename=code.co_filename, co_name=code.co_name, co_qualname=code.co_qualname,
        co_firstlineno=line, co_linetable=_ONE_LINE,
    )  # fmt: skip
    # A generator that never began: a frame that ran would refer to its caller's.
    generator = FunctionType(empty, {"__name__": frame.f_globals.get("__name__")})()
    hollow: FrameType = generator.gi_frame
    generator.close()
    return hollow


def escape_controls(text: object) -> str:
    """Returns *text* with each character that acts on a terminal or hides text shown by its code.

    Line ends and tabs stay. Controls, lone surrogates, private and unassigned characters and those
    without a glyph become `\\xNN`, `\\uNNNN` or `\\UNNNNNNNN`. Joiners and variation selectors stay
    between the parts of an emoji and after letters that they shape. Marks that are stacked on one
    letter stay up to `STACKED`: more of them would cover the lines above.
    """
    value = str(text)
    if value.isascii() and value.isprintable():
        return value
    characters = set(value).difference("\n\t")
    hidden = {c for c in characters if is_unseen(c) or _acts(c)}
    value = _unstacked(value, {c for c in characters - hidden if unicodedata.category(c) in _MARKS})
    if not hidden:
        return value
    codes = {ord(c): _code(c) for c in hidden - _SHAPING}
    if hidden.isdisjoint(_SHAPING) and "\U000e007f" not in hidden:
        return value.translate(codes)
    parts = _FLAG.split(value)  # every second part is a flag
    parts[::2] = (_WITHOUT_EFFECT.sub(lambda match: _code(match[0]), p) for p in parts[::2])
    if codes:  # the slowest step
        parts[::2] = (part.translate(codes) for part in parts[::2])
    return "".join(parts)


def _unstacked(text: str, marks: set[str]) -> str:
    if not marks:
        return text
    pattern = rf"[{re.escape(''.join(sorted(marks | _SHAPING)))}]{{{STACKED + 1},}}"
    return re.sub(pattern, _with_codes, text)


def _with_codes(match: re.Match[str]) -> str:
    # The codec writes the same codes as `_code`, ten times as fast.
    return match[0][:STACKED] + match[0][STACKED:].encode("ascii", "backslashreplace").decode()


def _acts(character: str) -> bool:
    is_emoji = "\U0001f000" <= character <= "\U0001faff"  # of a newer Unicode than this Python's
    return unicodedata.category(character) in _ACTIVE and not is_emoji


def _code(character: str) -> str:
    number = ord(character)
    if number < 0x100:
        return f"\\x{number:02x}"
    return f"\\u{number:04x}" if number < 0x10000 else f"\\U{number:08x}"
