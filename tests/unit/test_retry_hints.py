"""How long a server asks us to wait."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from llmkit.wire.retry_hints import retry_after

NOW = datetime(2026, 11, 24, 12, 0, 0, tzinfo=UTC)
GOOGLE = b'{"error":{"details":[{"@type":"RetryInfo","retryDelay":"34.5s"}]}}'


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
        ({"retry-after": "Tue, 24 Nov 2026 11:00:00 GMT"}, b"", 0.0),
        ({"retry-after": "0"}, b"", 0.0),
        ({"retry-after": "garbage"}, b"", None),
        ({"retry-after": "-1"}, b"", None),
        ({"retry-after": "nan"}, b"", None),
        ({"retry-after": ""}, b"", None),
        ({}, GOOGLE, 34.5),
        ({}, b"[" + GOOGLE + b"]", 34.5),
        ({}, b'{"error":{"retry_after":3}}', 3.0),
        ({"x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": "6m1s"}, b"", 361.0),
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
        ({}, b"<html>", None),
        ({}, b'{"error":"busy"}', None),
    ],
)
def test_each_form_of_a_hint_is_understood(headers, body, seconds):
    """Headers, dates, durations and bodies; what cannot be meant is ignored."""
    found = retry_after(headers, body, now=NOW)

    assert found == (seconds if seconds is None else pytest.approx(seconds))
