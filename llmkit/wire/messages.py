"""Defines HTTP requests and responses as values, and reads JSON and error bodies."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from typing import Any, Literal

import msgspec

from ..errors import MESSAGE_LIMIT, ConfigError, shorten
from ..secret import Secret, redact

SNIPPET = 200  # characters of a body in an error message
A_PAGE = "a web page"  # what a message says instead of one
# No part can match beyond the next tag: a page may consist of titles that never end.
_TITLE = re.compile(r"<title[^<>]*>([^<]*)", re.IGNORECASE)
_PAGE = re.compile(r"\s*(<!doctype|<html|<\?xml|<head|<body|<h1|<center)", re.IGNORECASE)
_TAG = re.compile(r"<[^>]*>?")
_MARKUP = re.compile(
    r"</|<!|<(html|head|body|title|script|style|svg|img|a|b|i|p|br|hr|div|span|h\d|pre)\b",
    re.IGNORECASE,
)
_KEY = 2_000  # characters; no key is longer
_READ = 20_000  # characters of a body that `snippet` reads
LONGEST_REASON = _READ + _KEY  # characters; of a longer text the rest is not searched
LARGEST_NUMBER = 10**15  # of a server's numbers; the sum of several must fit into 64 bits


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """A request to a provider.

    Attributes:
        headers: The key is among them; headers of the connection are not.
        stream: True if the answer is streamed.
    """

    method: Literal["GET", "POST"]
    url: str
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: bytes = field(default=b"", repr=False)
    stream: bool = False

    def with_headers(self, headers: Mapping[str, Secret]) -> HttpRequest:
        """Returns the request with *headers*, which replace those of the same name."""
        names = set(map(str.lower, headers))
        others = {name: v for name, v in self.headers.items() if name.lower() not in names}
        revealed = {name: secret.reveal() for name, secret in headers.items()}
        return replace(self, headers={**others, **revealed})


@dataclass(frozen=True, slots=True)
class HttpResponse:
    """A response read to its end; names of *headers* are in lower case.

    Attributes:
        model: The id of the model that was asked, "" for another request.
    """

    status: int
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)  # a key may be echoed
    body: bytes = field(default=b"", repr=False)
    model: str = ""

    @property
    def text(self) -> str:
        """The body as text; bytes that are not UTF-8 become U+FFFD."""
        return self.body.decode("utf-8", "replace")

    def json(self) -> Any:
        """Returns the body as JSON, None if it is not JSON; lone surrogates become U+FFFD."""
        value = parse_json(self.body)
        if rb"\ud" in self.body.lower():
            try:
                return parse_json(write_json(value))
            except (ValueError, RecursionError):  # NaN, which servers send
                pass
        return value


def post_json(
    url: str, body: Mapping[str, object], headers: Mapping[str, str], *, stream: bool = False
) -> HttpRequest:
    """Returns a POST of *body* as JSON; lone surrogates become U+FFFD.

    Raises:
        ConfigError: *body* holds a value that JSON cannot represent.
    """
    try:
        data = write_json(body)
    except (TypeError, ValueError, RecursionError) as error:
        raise ConfigError(
            f"the request cannot be written as JSON ({error}); check the extra options"
        ) from None
    return HttpRequest(
        "POST", url, {**headers, "Content-Type": "application/json"}, data, stream=stream
    )


def write_json(value: object) -> bytes:
    """Returns *value* as JSON in UTF-8.

    Raises:
        TypeError: JSON cannot represent one of the types.
        ValueError: JSON cannot represent one of the numbers, or *value* contains itself.
    """
    try:
        data = _encoder.encode(value)
        # msgspec writes a float NaN as null, and a Decimal NaN as NaN.
        if b"null" not in data and b"NaN" not in data and b"Infinity" not in data:
            return data
    except (TypeError, ValueError, OverflowError, RecursionError):
        pass  # a lone surrogate or a subclass of a number
    text = json.dumps(
        value, ensure_ascii=False, separators=(",", ":"), allow_nan=False, default=_plain
    )
    return fix_surrogates(text).encode()


def _plain(value: object) -> object:
    return float(value) if isinstance(value, Decimal) else msgspec.to_builtins(value)


_encoder = msgspec.json.Encoder(decimal_format="number")
_decode = msgspec.json.Decoder().decode


def parse_json(data: bytes | bytearray | str) -> Any:
    """Returns the value of the JSON in *data*, None if it is invalid or nested too deeply."""
    try:
        return _decode(data)
    except RecursionError:
        return None
    except (msgspec.DecodeError, ValueError):
        pass
    try:
        # msgspec rejects a byte order mark, a lone surrogate, NaN and 1e999; servers send them.
        return json.loads(data if isinstance(data, str) else data.decode("utf-8-sig"))
    except (ValueError, RecursionError):
        return None


def as_dict(value: object) -> dict[str, Any]:
    """Returns *value* if it is a JSON object, else an empty one."""
    return value if isinstance(value, dict) else {}


def as_dicts(value: object) -> list[dict[str, Any]]:
    """Returns the JSON objects in *value* if it is an array, else none."""
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def as_strings(value: object) -> list[str]:
    """Returns the strings in *value* if it is an array, else none."""
    return [item for item in value if isinstance(item, str)] if isinstance(value, list) else []


def texts_in(value: object) -> list[str]:
    """Returns the texts in *value*: a text, an object that holds one, or an array of these."""
    texts = []
    for item in value if isinstance(value, list) else [value]:
        fields = item if isinstance(item, dict) else {"text": item}
        found = (fields.get(name) for name in ("text", "summary", "content"))
        texts.extend([text for text in found if text and isinstance(text, str)][:1])
    return texts


def as_str(value: object) -> str | None:
    """Returns *value* if it is a string that is not empty, else None."""
    return value if isinstance(value, str) and value else None


def as_int(value: object) -> int | None:
    """Returns *value* if it is an integer from 0 to `LARGEST_NUMBER`, else None."""
    whole = isinstance(value, int) and not isinstance(value, bool)
    return value if whole and 0 <= value <= LARGEST_NUMBER else None  # type: ignore[operator,return-value]  # an int


def as_date(value: object) -> date | None:
    """Returns the day of *value* if it is an ISO 8601 date or time, else None."""
    try:
        return date.fromisoformat(value[:10]) if isinstance(value, str) else None
    except ValueError:
        return None


def fix_surrogates(text: str) -> str:
    """Joins surrogate pairs in *text*, and replaces lone surrogates by U+FFFD."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return text


def snippet(text: str, limit: int = MESSAGE_LIMIT) -> str:
    """Returns *text* redacted, without markup and in at most *limit* characters."""
    # Redaction comes before the second cut, which could leave the first half of a key. The first
    # cut keeps a body of millions of characters from being searched.
    text = redact(text[:LONGEST_REASON])[:_READ]
    if not text.strip():
        return "an empty body"
    if _PAGE.match(text):
        title = _TITLE.search(text)
        heading = shorten(_TAG.sub(" ", title[1]), limit - 20) if title else ""
        return f'{A_PAGE}, "{heading}"' if heading else A_PAGE
    return shorten(_TAG.sub(" ", text) if _MARKUP.search(text) else text, limit)
