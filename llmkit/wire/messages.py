"""An HTTP request and its response, as values that no socket has touched."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Literal

import msgspec

from ..errors import BadResponseError, ConfigError
from .text_pieces import fix_surrogates, snippet

SNIPPET = 200  # characters of a body that a message may carry


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
