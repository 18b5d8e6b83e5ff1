"""The number of retries for a failing provider."""

from __future__ import annotations

from llmkit.retries.budget import RetryBudget
from llmkit.retries.rate_limit import RateLimiter


class Clock:
    """A clock that moves only when a test moves it."""

    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now


def taken(budget, wishes):
    """Returns how many of *wishes* retries are granted."""
    return sum(budget.spend() for _ in range(wishes))


def test_few_calls_have_a_reserve():
    """One call may be retried, though a fifth of it is less than one."""
    budget = RetryBudget(Clock())
    budget.calls += 1

    assert taken(budget, 20) == 10


def test_a_fifth_of_the_calls_may_be_sent_again():
    """If the bucket has enough tokens, the share of the calls decides."""
    budget = RetryBudget(Clock())
    budget.calls += 100

    assert taken(budget, 200) == 20


def test_the_bucket_empties():
    """35 retries empty it, even if the share would allow more."""
    budget = RetryBudget(Clock())
    for _ in range(1000):
        budget.calls += 1

    assert taken(budget, 200) == 35


def test_answers_fill_the_bucket():
    """Tokens return one by one, up to the former number."""
    limiter = RateLimiter(clock=Clock())
    limiter.accepted()
    limiter.budget.calls = 1000
    taken(limiter.budget, 35)
    for _ in range(14):
        limiter.accepted()

    assert taken(limiter.budget, 5) == 1


def test_a_quiet_minute_renews_it():
    """After a quiet time a provider has its full budget again."""
    clock = Clock()
    budget = RetryBudget(clock)
    budget.calls += 1
    taken(budget, 11)
    clock.now = 61.0

    assert taken(budget, 20) == 10


def test_a_wish_keeps_old_trouble_fresh():
    """Further failures do not count as a quiet time."""
    clock = Clock()
    budget = RetryBudget(clock)
    taken(budget, 11)
    for clock.now in (50.0, 100.0):
        assert taken(budget, 1) == 0
