"""How fast calls pass through a server's rate limit, in virtual time."""

from __future__ import annotations

import math

import pytest

from tests.fakes.limited import SERVERS, TokenBucket, Windows, calls, run

MOST = 5000  # calls of one test
LIMITS = [(*server, min(count, MOST)) for *server, count in SERVERS] + [(5, 1, 0.05, 8, 100)]


@pytest.mark.parametrize("form", [None, "exact"])
@pytest.mark.parametrize(("rate", "size", "latency", "at_once", "count"), LIMITS)
def test_calls_pass_a_rate_limit_almost_as_fast_as_it_allows(
    rate, size, latency, at_once, count, form
):
    """No call is lost, it takes at most 1.3 times the shortest time, and few calls are refused."""
    sent = run(calls(TokenBucket(rate, size), count=count, at_once=at_once, latency=latency,
                     form=form))  # fmt: skip

    ideal_s = max((count - size) / rate, count / at_once * latency - latency)
    assert len(sent.accepted) == count
    assert sent.seconds <= 1.3 * ideal_s
    assert sent.refused_later <= (0.25 * count if rate >= 5 else count)


@pytest.mark.parametrize(("rate", "size", "latency", "at_once", "count"), LIMITS)
def test_pauses_in_whole_seconds_cost_little_more(rate, size, latency, at_once, count):
    """A server that rounds every wait up to whole seconds is paused for as long as it asks."""
    sent = run(calls(TokenBucket(rate, size), count=count, at_once=at_once, latency=latency,
                     form="whole"))  # fmt: skip

    assert len(sent.accepted) == count
    assert sent.seconds <= 1.5 * (count - size) / rate
    assert sent.refused_later <= (0.25 * count if rate >= 5 else count)


@pytest.mark.parametrize("form", [None, "exact"])
@pytest.mark.parametrize(
    ("most", "at_once", "count"), [(20, 8, 100), (60, 16, 200), (300, 64, 1000), (1000, 64, 3000)]
)
def test_a_limit_for_each_minute_is_used_up_soon_after_it_begins(most, at_once, count, form):
    """A closed window is asked ever less often; when it opens, the rate of before is back.

    Such counters are common in gateways
    (https://github.com/express-rate-limit/express-rate-limit/issues/207, read 2026-11-30).
    """
    sent = run(calls(Windows(most), count=count, at_once=at_once, latency=0.1, form=form))

    ideal_s = 60.0 * ((count - 1) // most)
    assert len(sent.accepted) == count
    assert sent.seconds <= 1.2 * ideal_s
    # Few are refused while a window is closed; a small one has less to divide them by.
    windows = math.ceil(count / most)
    assert len(sent.refused) <= (160 if form is None else 70) * windows
