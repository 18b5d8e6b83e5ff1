"""Reads how long a server asks the caller to wait, from its headers or its body."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from .messages import as_dict, parse_json

# "6m0s", "120ms", "1.5s": durations in Go's format, as in OpenAI's headers.
DURATION = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h)")
UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}
EPOCH = 1_000_000_000  # a larger number is a point in time, a smaller one a duration in seconds
# OpenAI's resets say when a window is full again; one request fits much sooner.
FULL_REFILL_S = 20.0
MILLISECONDS = 100_000_000_000  # a larger time is in milliseconds
LONGEST = 100  # characters of a hint; dates and patterns take the square of a longer text
# Headers with the limit on requests, those left, and the time until none is used. Mistral names the
# minute (https://github.com/mistralai/client-ts/issues/169, read 2026-11-30). It is an assumption
# that a limit of OpenAI or Anthropic without a reset is per minute, too.
REQUEST_LIMITS = (
    ("x-ratelimit-limit-requests", "x-ratelimit-remaining-requests", "x-ratelimit-reset-requests"),
    (
        "anthropic-ratelimit-requests-limit",
        "anthropic-ratelimit-requests-remaining",
        "anthropic-ratelimit-requests-reset",
    ),
    ("x-ratelimit-limit-req-minute", "x-ratelimit-remaining-req-minute", ""),  # Mistral
)
MINUTE_S = 60.0


def retry_after(headers: Mapping[str, str], body: bytes, *, now: datetime) -> float | None:
    """Returns the seconds that the server asks the caller to wait, None if it does not ask.

    The first source that has a positive number wins: `retry-after-ms`, which is the most exact,
    `retry-after`, the body, rate limit windows that are used up. Each source's longest wait counts.

    Args:
        headers: Names in lower case.
        body: Some providers give the wait only here.
        now: Used if the answer has no Date header.
    """
    answer_time = _date(headers.get("date", "")) or now
    wish = _short(headers.get("retry-after"))
    # A header that was sent twice arrives as one, joined by a comma; a date contains a comma too.
    waits = [_until(part, answer_time) for part in wish.split(",")]
    when = _date(wish) if _scaled(wish, 1.0) is None else None
    if when is not None:
        waits.append((when - answer_time).total_seconds())
    document = parse_json(body)
    # OpenRouter's error contains the headers of its upstream provider.
    metadata = as_dict(as_dict(as_dict(document).get("error")).get("metadata"))
    upstream_headers = as_dict(metadata.get("headers"))
    inner = {name.lower(): _short(value) for name, value in upstream_headers.items()}
    return (
        _longest([_scaled(headers.get("retry-after-ms"), 0.001)])
        or _longest(waits)
        or _longest(_in_body(document))
        or _longest([*_resets(headers, answer_time), *_resets(inner, answer_time)])
    )


def request_rate(headers: Mapping[str, str], *, now: datetime) -> float | None:
    """Returns the requests per second that the headers of a refusal allow, None if they do not say.

    A limit of which requests are left did not refuse this one, and is ignored.
    """
    answer_time = _date(headers.get("date", "")) or now
    for limit, remaining, reset in REQUEST_LIMITS:
        most, left = _scaled(headers.get(limit), 1.0), _scaled(headers.get(remaining), 1.0)
        if most is None or not 1 <= most < math.inf or (left or 0.0) >= 1:
            continue
        text = headers.get(reset)
        full_s = _until(text, answer_time) if text and "T" in text else _duration(text)
        is_known = full_s is not None and 0 < full_s < math.inf
        return most / (full_s if is_known and full_s is not None else MINUTE_S)
    return None


def asked_in(event: object) -> float | None:
    """Returns the seconds that an error inside a stream asks for, None if it does not ask."""
    return _longest(_in_body(event))


def _longest(waits: Iterable[float | None]) -> float | None:
    seconds = [s for s in waits if s is not None and math.isfinite(s) and s > 0]
    return max(seconds, default=None)


def _in_body(value: Any) -> Iterator[float | None]:
    """Yields `retry_after` beside or in the error, and Google's `RetryInfo.retryDelay`."""
    if isinstance(value, list):
        value = value[0] if value else None
    if not isinstance(value, dict):
        return
    error = value.get("error")
    for holder in (value, error):
        if isinstance(holder, dict):
            yield _scaled(holder.get("retry_after"), 1.0)
    details = error.get("details") if isinstance(error, dict) else None
    for detail in details if isinstance(details, list) else ():
        if isinstance(detail, dict):
            yield _duration(detail.get("retryDelay"))


def _resets(headers: Mapping[str, str], answer_time: datetime) -> Iterator[float | None]:
    """Yields the seconds until used-up windows refill; other windows did not refuse the request."""
    for kind in ("requests", "tokens"):
        if headers.get(f"x-ratelimit-remaining-{kind}") == "0":
            full = _duration(headers.get(f"x-ratelimit-reset-{kind}"))
            yield None if full is None else min(full, FULL_REFILL_S)
    for kind in ("requests", "tokens", "input-tokens", "output-tokens"):
        if headers.get(f"anthropic-ratelimit-{kind}-remaining") == "0":
            yield _until(headers.get(f"anthropic-ratelimit-{kind}-reset"), answer_time)
    if headers.get("x-ratelimit-remaining") == "0":
        yield _until(headers.get("x-ratelimit-reset"), answer_time)


def _short(value: object) -> str:
    """Returns a hint as text, "" if it is too long for one or an array or an object."""
    if isinstance(value, int | float):
        return str(value) if abs(value) < 10**LONGEST else ""
    return value if isinstance(value, str) and len(value) <= LONGEST else ""


def _scaled(value: object, factor: float) -> float | None:
    if isinstance(value, bool) or (isinstance(value, str) and len(value) > LONGEST):
        return None
    try:
        return float(value) * factor  # type: ignore[arg-type]  # float() checks it
    except (TypeError, ValueError, OverflowError):
        return None


def _duration(text: object) -> float | None:
    if not isinstance(text, str) or len(text) > LONGEST or DURATION.sub("", text) or not text:
        return _scaled(text, 1.0)
    return sum(float(number) * UNITS[unit] for number, unit in DURATION.findall(text))


def _until(text: str | None, answer_time: datetime) -> float | None:
    number = _scaled(text, 1.0)
    if number is not None:
        if number < EPOCH:
            return number
        return (number / 1000 if number > MILLISECONDS else number) - answer_time.timestamp()
    try:
        when = datetime.fromisoformat(_short(text))
    except ValueError:
        return None
    return (_aware(when) - answer_time).total_seconds()


def _date(text: str) -> datetime | None:
    try:  # reads all three forms of an HTTP date
        return _aware(parsedate_to_datetime(_short(text)))
    except (TypeError, ValueError, IndexError, OverflowError):
        return None


def _aware(when: datetime) -> datetime:
    return when if when.tzinfo else when.replace(tzinfo=UTC)
