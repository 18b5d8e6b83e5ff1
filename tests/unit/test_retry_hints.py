"""The wait that a server asks for."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from llmkit.wire.retry_hints import request_rate, retry_after

NOW = datetime(2026, 11, 24, 12, 0, 0, tzinfo=UTC)
GOOGLE = b'{"error":{"details":[{"@type":"RetryInfo","retryDelay":"34.5s"}]}}'
# OpenRouter reports its own window in the headers that it repeats inside the error.
PASSED_ON = (
    b'{"error":{"code":429,"metadata":{"headers":{"X-RateLimit-Remaining":"0",'
    b'"X-RateLimit-Reset":"1795521660000"}}}}'
)


@pytest.mark.parametrize(
    ("headers", "body", "seconds"),
    [
        ({}, b"", None),
        ({"retry-after": "20"}, b"", 20.0),
        ({"retry-after": "1.5"}, b"", 1.5),
        ({"retry-after-ms": "250", "retry-after": "20"}, b"", 0.25),
        ({"retry-after": "Tue, 24 Nov 2026 12:00:02 GMT"}, b"", 2.0),
        ({"retry-after": "Tuesday, 24-Nov-26 12:00:02 GMT"}, b"", 2.0),
        ({"retry-after": "Tue Nov 24 12:00:02 2026"}, b"", 2.0),
        (
            {
                "retry-after": "Tue, 24 Nov 2026 13:00:02 GMT",
                "date": "Tue, 24 Nov 2026 13:00:00 GMT",
            },
            b"",
            2.0,
        ),
        ({"retry-after": "Tue, 24 Nov 2026 11:00:00 GMT"}, b"", None),
        ({"retry-after": "0"}, b"", None),
        ({"retry-after": "1, 7"}, b"", 7.0),
        ({"retry-after": "2"}, b'{"retry_after": 5}', 2.0),
        ({}, b'{"retry_after": 5, "error": {"retry_after": 3}}', 5.0),
        ({"retry-after-ms": "0", "retry-after": "3"}, b"", 3.0),
        ({"retry-after": "inf"}, b'{"retry_after": true}', None),
        ({"retry-after-ms": "1e999"}, b'{"retry_after": %s}' % (b"9" * 400), None),
        ({"retry-after": "garbage"}, b"", None),
        ({"retry-after": "-1"}, b"", None),
        ({"retry-after": "nan"}, b"", None),
        ({"retry-after": ""}, b"", None),
        ({}, GOOGLE, 34.5),
        ({}, b"[" + GOOGLE + b"]", 34.5),
        ({}, b'{"error":{"retry_after":3}}', 3.0),
        ({"x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": "6m1s"}, b"", 20.0),
        ({"x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": "120ms"}, b"", 0.12),
        ({"x-ratelimit-remaining-requests": "5", "x-ratelimit-reset-requests": "6m0s"}, b"", None),
        (
            {
                "anthropic-ratelimit-tokens-remaining": "0",
                "anthropic-ratelimit-tokens-reset": "2026-11-24T12:00:30Z",
            },
            b"",
            30.0,
        ),
        ({"x-ratelimit-remaining": "0", "x-ratelimit-reset": "1795521605000"}, b"", 5.0),
        # A point in time, where the standard has seconds.
        ({"retry-after": "1795521605"}, b"", 5.0),
        ({"retry-after": "2026-11-24T12:00:05Z"}, b"", 5.0),
        ({}, PASSED_ON, 60.0),
        ({}, b"<html>", None),
        (
            {"retry-after": "1" * 200, "date": "1" * 200},
            b'{"retry_after": "%s"}' % (b"1" * 200),
            None,
        ),
        ({}, b'{"error": {"details": [{"retryDelay": "%s"}]}}' % (b"1" * 200), None),
        ({"x-ratelimit-remaining": "0", "x-ratelimit-reset": "1" * 5000}, b"", None),
        ({}, b'{"error": {"metadata": {"headers": {"x-ratelimit-remaining": [0]}}}}', None),
        ({}, b'{"error":"busy"}', None),
    ],
)
def test_each_form_of_a_hint_is_understood(headers, body, seconds):
    """Headers, dates, durations and bodies; implausible values are ignored."""
    found = retry_after(headers, body, now=NOW)

    assert found == (seconds if seconds is None else pytest.approx(seconds))


# Mistral's names: https://github.com/mistralai/client-ts/issues/169 (read 2026-11-30).
@pytest.mark.parametrize(
    ("headers", "rate"),
    [
        ({}, None),
        ({"x-ratelimit-limit-requests": "600"}, 10.0),
        ({"x-ratelimit-limit-requests": "600", "x-ratelimit-remaining-requests": "0"}, 10.0),
        (
            {
                "x-ratelimit-limit-requests": "600",
                "x-ratelimit-remaining-requests": "0",
                "x-ratelimit-reset-requests": "2m0s",
            },
            5.0,
        ),
        (
            {
                "x-ratelimit-limit-requests": "20",
                "x-ratelimit-remaining-requests": "0",
                "x-ratelimit-reset-requests": "1s",
            },
            20.0,
        ),
        # Other limits refused these: requests are left.
        ({"x-ratelimit-limit-requests": "14400", "x-ratelimit-remaining-requests": "9"}, None),
        ({"anthropic-ratelimit-requests-limit": "50"}, 50 / 60),
        (
            {
                "anthropic-ratelimit-requests-limit": "50",
                "anthropic-ratelimit-requests-remaining": "0",
                "anthropic-ratelimit-requests-reset": "2026-11-24T12:00:25Z",
            },
            2.0,
        ),
        (
            {
                "anthropic-ratelimit-requests-limit": "60",
                "anthropic-ratelimit-requests-remaining": "0",
                "anthropic-ratelimit-requests-reset": "2026-11-24T11:00:00Z",
            },
            1.0,
        ),
        ({"x-ratelimit-limit-req-minute": "30", "x-ratelimit-remaining-req-minute": "0"}, 0.5),
        ({"x-ratelimit-limit-requests": "many"}, None),
        ({"x-ratelimit-limit-requests": "0"}, None),
        ({"x-ratelimit-limit-requests": "inf"}, None),
        ({"x-ratelimit-limit-requests": "nan"}, None),
        ({"x-ratelimit-limit-requests": "9" * 200}, None),
    ],
)
def test_the_rate_of_a_limit_on_requests_is_read(headers, rate):
    """Requests per second, of a limit that is used up; implausible values are ignored."""
    assert request_rate(headers, now=NOW) == (rate and pytest.approx(rate))
