"""An HTTP request and its response as values, and what is read from JSON and error bodies."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any, Literal

import msgspec

from ..errors import MESSAGE_LIMIT, BadResponseError, ConfigError, shorten
from ..secret import redact

SNIPPET = 200  # characters of a body that a message may carry
_TITLE = re.compile(r"<title[^>]*>(.*?)</title", re.IGNORECASE | re.DOTALL)
_PAGE = re.compile(r"\s*(<!doctype|<html|<\?xml|<head|<body|<h1|<center)", re.IGNORECASE)
_TAG = re.compile(r"<[^>]*>?")
_MARKUP = re.compile(
    r"</|<!|<(html|head|body|title|script|style|svg|img|a|b|i|p|br|hr|div|span|h\d|pre)\b",
    re.IGNORECASE,
)
_KEY = 2_000  # characters; no key is longer
_READ = 20_000  # characters of a body that are looked at


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """What to send.

    Attributes:
        headers: Without the ones that belong to the connection; they carry the key.
        body: Empty for a GET.
        stream: True where the answer is to be read as it comes.
        fresh: True where it must not go over a connection that was used before.
    """

    method: Literal["GET", "POST"]
    url: str
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: bytes = field(default=b"", repr=False)
    stream: bool = False
    fresh: bool = False


@dataclass(frozen=True, slots=True)
class HttpResponse:
    """What came back, read to its end.

    Attributes:
        headers: Names in lower case.
    """

    status: int
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)  # a key may be echoed
    body: bytes = field(default=b"", repr=False)

    @property
    def text(self) -> str:
        """The body as text; bytes that are not UTF-8 become U+FFFD."""
        return self.body.decode("utf-8", "replace")

    def json(self) -> Any:
        """The body as JSON, None where it is not."""
        return parse_json(self.body)

    def json_object(self) -> dict[str, Any]:
        """The body as a JSON object.

        Raises:
            BadResponseError: It is something else; the message shows its beginning.
        """
        value = self.json()
        if isinstance(value, dict):
            return value
        start = snippet(self.text, SNIPPET)
        raise BadResponseError(
            f"the server answered {self.status} with something that is not a JSON object: {start}; "
            "check that the base URL is an API's and not a web page's",
            status=self.status,
            possibly_billed=self.status == 200,
        )


def post_json(
    url: str, body: Mapping[str, object], headers: Mapping[str, str], *, stream: bool = False
) -> HttpRequest:
    """A POST of *body* as JSON.

    Lone surrogates cannot be sent as UTF-8 and become U+FFFD.

    Raises:
        ConfigError: *body* holds something that JSON has no form for.
    """
    try:
        data = write_json(body)
    except (TypeError, ValueError, RecursionError) as error:
        raise ConfigError(
            f"the request cannot be written as JSON ({error}); check the further options"
        ) from None
    return HttpRequest(
        "POST", url, {**headers, "Content-Type": "application/json"}, data, stream=stream
    )


def write_json(value: object) -> bytes:
    """*value* as JSON in UTF-8.

    Raises:
        TypeError: There is something in it that JSON has no form for.
        ValueError: There is a number in it that JSON has no form for, or a circle.
    """
    try:
        data = _encoder.encode(value)
        # msgspec writes NaN as null, which no one has asked for, and that of Decimal as it is.
        if b"null" not in data and b"NaN" not in data and b"Infinity" not in data:
            return data
    except (TypeError, ValueError, OverflowError, RecursionError):
        pass  # half an emoji, a subclass of a number
    text = json.dumps(
        value, ensure_ascii=False, separators=(",", ":"), allow_nan=False, default=_plain
    )
    return fix_surrogates(text).encode()


def _plain(value: object) -> object:
    """What msgspec makes of *value*, for which the standard library has no form."""
    return float(value) if isinstance(value, Decimal) else msgspec.to_builtins(value)


_encoder = msgspec.json.Encoder(decimal_format="number")
_decode = msgspec.json.Decoder().decode


def parse_json(data: bytes | bytearray | str) -> Any:
    """*data* as JSON in UTF-8, None if it is not JSON or is nested beyond reason."""
    try:
        return _decode(data)
    except RecursionError:
        return None
    except (msgspec.DecodeError, ValueError):
        pass
    try:
        # msgspec refuses a byte order mark, half an emoji, NaN and 1e999, which servers in other
        # languages send.
        return json.loads(data if isinstance(data, str) else data.decode("utf-8-sig"))
    except (ValueError, RecursionError):
        return None


def as_dict(value: object) -> dict[str, Any]:
    """*value* if it is a JSON object, else an empty one."""
    return value if isinstance(value, dict) else {}


def as_dicts(value: object) -> list[dict[str, Any]]:
    """The JSON objects in *value* if it is an array, else none."""
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def as_strings(value: object) -> list[str]:
    """The strings in *value* if it is an array, else none."""
    return [item for item in value if isinstance(item, str)] if isinstance(value, list) else []


def as_str(value: object) -> str | None:
    """*value* if it is a string that says something, else None."""
    return value if isinstance(value, str) and value else None


def as_int(value: object) -> int | None:
    """*value* if it is a whole number from 0 up, else None."""
    whole = isinstance(value, int) and not isinstance(value, bool)
    return value if whole and value >= 0 else None  # type: ignore[operator,return-value]  # an int


def as_date(value: object) -> date | None:
    """The day that *value*, an ISO 8601 date or time, begins with; else None."""
    try:
        return date.fromisoformat(value[:10]) if isinstance(value, str) else None
    except ValueError:
        return None


def fix_surrogates(text: str) -> str:
    """*text* with halves of a character joined, and lone ones replaced by U+FFFD."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return text


def snippet(text: str, limit: int = MESSAGE_LIMIT) -> str:
    """What *text* says, in at most *limit* characters; a web page is called one."""
    # Keys go before the text is cut, so that no first half of one is left; what is longer than
    # any key is cut before, because a body may have millions of characters.
    text = redact(text[: _READ + _KEY])[:_READ]
    if not text.strip():
        return "an empty body"
    if _PAGE.match(text):
        title = _TITLE.search(text)
        heading = shorten(_TAG.sub(" ", title[1]), limit - 20) if title else ""
        return f'a web page, "{heading}"' if heading else "a web page"
    return shorten(_TAG.sub(" ", text) if _MARKUP.search(text) else text, limit)
