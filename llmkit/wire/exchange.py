"""An HTTP request and its response, as values that no socket has touched."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache, partial
from importlib import import_module
from typing import Any, Literal, cast

from ..errors import BadResponseError, ConfigError
from .pieces import encoded
from .snippet import snippet

LARGE = 2**20  # characters; orjson sets aside ten times the size of a text (measured, 3.13)
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
        shown = snippet(self.text, SNIPPET)
        raise BadResponseError(
            f"the server answered {self.status} with something that is not a JSON object: {shown}; "
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
    data = _quickly(body) or _carefully(body)
    return HttpRequest(
        "POST", url, {**headers, "Content-Type": "application/json"}, data, stream=stream
    )


def _quickly(body: Mapping[str, object]) -> bytes | None:
    """*body* by orjson; None without it, and where it is more lenient than JSON or less."""
    dumps = _dumper()
    if dumps is None:
        return None
    try:
        data = dumps(body)
    except TypeError:  # half a character, a number of more than 64 bits, or no JSON at all
        return None
    return None if b"null" in data else data  # so it writes NaN as well


def _carefully(body: Mapping[str, object]) -> bytes:
    try:
        return encoded(_written(body))
    except (TypeError, ValueError) as error:
        raise ConfigError(
            f"the request cannot be written as JSON ({error}); check the further options"
        ) from None


# Made once: json.dumps makes one for every call that is not all defaults.
_written = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode


def parse_json(data: bytes | bytearray | str) -> Any:
    """*data* as JSON in UTF-8, None where it is not that or is nested beyond reason."""
    try:
        text = data if isinstance(data, str) else data.decode("utf-8-sig")
    except ValueError:
        return None
    loads = _loader() if len(text) < LARGE else json.loads
    try:
        return loads(text)
    except (ValueError, RecursionError):
        # orjson refuses an escaped half of an emoji and NaN, which servers in other languages send.
        return None if loads is json.loads else _second_opinion(text)


def _second_opinion(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


@cache
def _dumper() -> Callable[[object], bytes] | None:
    try:
        orjson = import_module("orjson")
    except ImportError:
        return None
    only = (
        orjson.OPT_PASSTHROUGH_DATACLASS | orjson.OPT_PASSTHROUGH_DATETIME
        | orjson.OPT_PASSTHROUGH_SUBCLASS
    )  # fmt: skip
    return partial(orjson.dumps, option=only)


@cache
def _loader() -> Callable[[str], Any]:
    try:
        return cast("Callable[[str], Any]", import_module("orjson").loads)
    except ImportError:
        return json.loads
