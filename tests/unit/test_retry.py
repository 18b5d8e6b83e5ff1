"""The rules by which a request is retried, and the waits."""

from __future__ import annotations

import asyncio

import pytest

from llmkit.errors import (
    APIConnectionError,
    AuthenticationError,
    Outcome,
    RateLimitError,
    ServerError,
)
from llmkit.retries.policy import RetryPolicy


class Failing:
    """An attempt that fails with each of *errors* in turn, then gives "done"."""

    def __init__(self, *errors):
        self.errors = list(errors)
        self.numbers = []

    async def __call__(self, number):
        self.numbers.append(number)
        if self.errors:
            raise self.errors.pop(0)
        return "done"


def numbered(lines):
    return [f"{number}. {line}" for number, line in enumerate(lines, 1)]


class Sleeps(list):
    """A clock that records the waits without sleeping."""

    async def __call__(self, seconds):
        self.append(round(seconds, 3))


class Empty:
    """An empty budget."""

    def spend(self):
        return False


THREE = RetryPolicy()


def run(attempt, *, sleeps=None, policy=THREE, **more):
    sleep = Sleeps() if sleeps is None else sleeps
    return asyncio.run(policy.call(attempt, sleep=sleep, rand=lambda: 0.5, **more))


def test_a_refused_request_is_sent_again():
    """Two refusals and an answer are three attempts."""
    attempt = Failing(ServerError("busy"), RateLimitError("slow down"))

    assert run(attempt) == "done"
    assert attempt.numbers == [1, 2, 3]


def test_delays_grow_with_jitter_where_the_server_does_not_say():
    """Half of the range is half of 1, then half of 2 seconds."""
    sleeps = Sleeps()

    run(Failing(ServerError("a"), ServerError("b")), sleeps=sleeps)

    assert sleeps == [0.5, 1.0]


def test_the_servers_wish_wins_and_is_never_cut():
    """The wait is the server's, with a little added."""
    sleeps = Sleeps()

    run(Failing(RateLimitError("x", retry_after=2.0)), sleeps=sleeps)

    assert sleeps == [2.15]


def test_a_fixed_delay_is_kept():
    """Signing in always waits the same time."""
    sleeps = Sleeps()
    policy = RetryPolicy(attempts=3, delay=2.0)

    run(Failing(ServerError("a"), ServerError("b")), sleeps=sleeps, policy=policy)

    assert sleeps == [2.0, 2.0]


@pytest.mark.parametrize(
    "error",
    [
        AuthenticationError("no"),
        APIConnectionError("hung up"),  # ambiguous: it may have been answered
        APIConnectionError("cut", outcome=Outcome.STREAMED),
        RateLimitError("tomorrow", retry_after=3600.0),
        ServerError("final", outcome=Outcome.FINAL),
    ],
)
def test_what_may_have_been_answered_or_cannot_help_is_not_sent_again(error):
    """One attempt, and the error as it was."""
    attempt = Failing(error)

    with pytest.raises(type(error)) as raised:
        run(attempt)

    assert raised.value is error
    assert attempt.numbers == [1]


def test_a_get_may_be_sent_again_whatever_happened():
    """A free request is retried even if it is unknown whether it arrived."""
    attempt = Failing(APIConnectionError("hung up"))

    assert run(attempt, idempotent=True) == "done"


def test_the_last_error_is_raised_with_its_attempts():
    """The caller gets the original error, with all attempts noted, and never tenacity's."""
    last = ServerError("third")

    with pytest.raises(ServerError) as raised:
        run(Failing(ServerError("first"), ServerError("second"), last))

    assert raised.value is last
    assert last.attempts == 3
    assert last.attempt_log == (
        "ServerError: first (waited 0.50 s)",
        "ServerError: second (waited 1.00 s)",
        "ServerError: third",
    )
    assert last.__notes__ == ["\n".join(["gave up after 3 attempts:", *numbered(last.attempt_log)])]


def test_a_wait_beyond_the_deadline_is_not_begun():
    """A hint beyond the deadline raises at once."""
    sleeps = Sleeps()

    with pytest.raises(RateLimitError):
        run(Failing(RateLimitError("x", retry_after=5.0)), sleeps=sleeps, time_left=lambda: 1.0)

    assert sleeps == []


def test_a_backoff_beyond_the_deadline_is_not_begun():
    """Our own delay does not exceed the deadline either, and the error says why it is the last."""
    last = ServerError("busy")

    with pytest.raises(ServerError):
        run(Failing(last), time_left=lambda: 0.4)

    assert last.__notes__ == ["not retried: the wait would exceed the call's timeout"]


def test_an_empty_budget_fails_fast():
    """If too many requests fail, nothing is retried; the error says so."""
    sleeps = Sleeps()
    last = ServerError("busy")

    with pytest.raises(ServerError):
        run(Failing(last), sleeps=sleeps, budget=Empty())

    assert sleeps == []
    assert "retry budget" in last.__notes__[0]


@pytest.mark.parametrize(
    "refusal", [RateLimitError("slow"), ServerError("busy", status=503, retry_after=1.0)]
)
def test_a_refusal_by_a_limit_costs_no_budget(refusal):
    """A rate limit and a busy server that names a wait are retried with an empty budget."""
    assert run(Failing(refusal), budget=Empty()) == "done"


def test_no_retries_means_one_attempt():
    """A policy of one attempt sends once."""
    attempt = Failing(ServerError("busy"))

    with pytest.raises(ServerError):
        run(attempt, policy=RetryPolicy(attempts=1))

    assert attempt.numbers == [1]


def test_the_callback_is_called_before_each_wait():
    """The error, the next attempt and the wait are reported."""
    told = []

    run(Failing(ServerError("a")), on_retry=lambda e, n, s: told.append((str(e), n, round(s, 3))))

    assert told == [("a", 2, 0.5)]
