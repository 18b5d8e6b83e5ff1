"""A cost limit holds while a comparison runs; in virtual time."""

from __future__ import annotations

import asyncio
import random

import pytest

from llmkit.catalogue import prices
from llmkit.comparison.arguments import comparison_arguments
from llmkit.comparison.budget import Budget, HighestCost
from llmkit.comparison.estimate import estimated
from llmkit.comparison.limits import highest_cost
from llmkit.errors import SpendLimitError
from llmkit.kit import Kit
from llmkit.retries.rate_limit import RateLimiters
from llmkit.types import Completion, Status, Usage
from tests.fakes.limited import LimitedTransport, TokenBucket, run

KEYS = {"OPENAI_API_KEY": "sk-1234567890abcdef", "ANTHROPIC_API_KEY": "sk-ant-1234567890abcdef"}
LUNA = "openai:gpt-6-luna"
DENSE = "0123456789" * 400  # a fake counts one token for each byte, four times the estimate


def compare(transport, prompts, usd, *, limit=8, **options):
    """Returns the comparison of *prompts* with a limit of *usd*."""
    arguments = comparison_arguments(prompts, LUNA, **options)

    async def compared():
        loop = asyncio.get_running_loop()
        kit = Kit(
            environ=KEYS, transports={"openai": transport}, notify=lambda text: None,
            rate_limiters=RateLimiters(clock=loop.time, sleep=asyncio.sleep), progress_after_s=1e6,
        )  # fmt: skip
        return await kit.compare(arguments.requests, arguments.options, max_calls=10_000,
                                 max_cost_usd=usd, limit=limit)  # fmt: skip

    prices.load()
    return run(compared())


def call_of(prompt, model=LUNA, **options):
    """Returns the planned call of one prompt, and its catalogue."""
    kit = Kit(environ=KEYS)
    arguments = comparison_arguments(prompt, model, **options)
    return asyncio.run(kit.plan_row(arguments.requests[0], arguments.options)).call, (
        kit.registry.catalogue
    )


def spent(comparison):
    return sum(row.completion.cost_usd or 0.0 for row in comparison)


@pytest.mark.parametrize("at_once", [8, 64, 500])
def test_a_budget_is_used_up_and_never_exceeded(at_once):
    """$10 for answers of $0.001 to $0.016: at least 98 % is spent, however many run at once."""
    dice, left = random.Random(4), []
    budget = Budget(10.0, lambda call: HighestCost(0.016))
    lanes = asyncio.Semaphore(at_once)

    async def row():
        account = budget.account()
        async with lanes:
            try:
                await account.reserve(None)
            except SpendLimitError as error:
                left.append(str(error))
                return
            await asyncio.sleep(dice.random())
            cost = 0.001 + 0.015 * dice.random() ** 4
            account.close(Completion(status=Status.COMPLETE, cost_usd=cost))

    async def rows():
        await asyncio.gather(*(row() for _ in range(4000)))

    run(rows())

    assert 9.8 <= budget.spent <= 10.0
    assert left[0] == (
        f"of max_cost_usd=10, ${budget.spent:.2f} is spent, and this answer may cost up to $0.016, "
        "so it was not requested; raise max_cost_usd or lower max_tokens"
    )


@pytest.mark.parametrize("at_once", [1, 8, 64])
def test_prompts_that_take_more_tokens_than_estimated_stop_the_run(at_once):
    """The rows that do not fit are error rows which say so, and the limit holds."""
    transport = LimitedTransport(latency=1.0)
    transport.prompt_tokens = len(DENSE)
    call, catalogue = call_of(DENSE, max_tokens=10)
    usd = 60 * highest_cost(call, catalogue).usd

    found = compare(transport, [DENSE] * 200, usd, limit=at_once, max_tokens=10)

    refused = [row for row in found if row.completion.status is Status.ERROR]
    assert 0.97 * usd <= spent(found) <= usd  # an answer is 1.6 % of it
    assert len(transport.sent.accepted) == len(found) - len(refused)
    assert {(row.error_type, row.completion.attempts) for row in refused} == {
        ("SpendLimitError", 0)
    }
    assert all("is spent, and this answer may cost up to $" in row.error for row in refused)


def test_an_attempt_that_may_have_been_billed_stays_reserved():
    """A request that failed while it was answered counts at its highest cost."""
    transport = LimitedTransport(latency=1.0)
    transport.failures = [500] * 4
    call, catalogue = call_of("question 0", max_tokens=100)
    usd = 4.5 * highest_cost(call, catalogue).usd

    found = compare(transport, [f"question {n}" for n in range(4)], usd, limit=1, max_tokens=100)

    assert {(row.error_type, row.completion.attempts, row.completion.possibly_billed)
            for row in found} == {("SpendLimitError", 1, True)}  # fmt: skip


def test_free_requests_are_sent_also_when_the_limit_is_exceeded():
    """An answer that cost more than was reserved stops only what costs something."""
    budget = Budget(1.0, lambda call: HighestCost(call))
    refused = []

    async def rows():
        paid, free, more = budget.account(), budget.account(), budget.account()
        await paid.reserve(1.0)
        paid.close(Completion(status=Status.COMPLETE, cost_usd=1.5))
        await free.reserve(0.0)
        try:
            await more.reserve(0.1)
        except SpendLimitError as error:
            refused.append(error)

    run(rows())

    assert len(refused) == 1


@pytest.mark.parametrize("at_once", [1, 8, 64])
def test_a_provider_that_charges_more_than_its_list_says_stops_the_run(at_once):
    """Three times the highest cost: the limit is exceeded at most by what was in flight first."""
    budget = Budget(10.0, lambda call: HighestCost(0.01))
    lanes = asyncio.Semaphore(at_once)

    async def row():
        account = budget.account()
        async with lanes:
            try:
                await account.reserve(None)
            except SpendLimitError:
                return
            await asyncio.sleep(1.0)
            account.close(Completion(status=Status.COMPLETE, cost_usd=0.03))

    async def rows():
        await asyncio.gather(*(row() for _ in range(2000)))

    run(rows())

    assert 9.8 <= budget.spent <= 10.0


def test_waiting_for_the_budget_does_not_count_into_the_timeout():
    """A row that failed waits behind all others, for longer than its timeout."""

    class Timed(LimitedTransport):
        def send(self, request, timeouts):
            deadlines.append(timeouts.deadline_s)
            return super().send(request, timeouts)

    deadlines: list[float] = []
    transport = Timed(latency=4.0)
    transport.failures = [500]
    call, catalogue = call_of(DENSE, max_tokens=10)
    usd = 2.9 * highest_cost(call, catalogue).usd

    found = compare(transport, [f"{DENSE}{n}" for n in range(9)], usd, max_tokens=10,
                    timeout=20.0)  # fmt: skip

    assert {row.completion.status for row in found} == {Status.COMPLETE}
    waited_s = {row.completion.attempts: row.completion.waited_s for row in found}
    assert waited_s[2] > 20.0
    assert min(deadlines) > 10.0


def test_refused_attempts_cost_nothing():
    """A rate limit does not use up the budget."""
    transport = LimitedTransport(TokenBucket(5, 1), latency=0.1)
    call, catalogue = call_of("question 0", max_tokens=100)
    usd = 41 * highest_cost(call, catalogue).usd

    found = compare(transport, [f"question {n}" for n in range(40)], usd, max_tokens=100)

    assert transport.sent.refused
    assert {row.completion.status for row in found} == {Status.COMPLETE}


def test_an_unknown_cost_counts_at_its_highest():
    """Answers without token counts say so, and use up the budget."""
    transport = LimitedTransport()
    transport.prompt_tokens = None
    call, catalogue = call_of("question 0", max_tokens=100)
    usd = 3.5 * highest_cost(call, catalogue).usd

    found = compare(transport, [f"question {n}" for n in range(3)] * 2, usd * 2, max_tokens=100)

    assert {row.completion.cost_usd for row in found} == {None}
    assert all("max_cost_usd counts it as $" in row.completion.warnings[-1] for row in found)


@pytest.mark.parametrize(
    ("completion", "usd"),
    [
        (Completion(status=Status.COMPLETE, cost_usd=0.1), 0.1),
        (Completion(status=Status.LENGTH, cost_usd=0.1), 0.1),
        (Completion(status=Status.COMPLETE), 1.0),
        (Completion(status=Status.TRUNCATED, cost_usd=0.1), 1.0),
        (Completion(status=Status.CANCELLED), 1.0),
        (Completion(status=Status.CANCELLED, attempts=0), 0.0),
        (Completion(status=Status.ERROR, possibly_billed=True), 1.0),
        (Completion(status=Status.ERROR), 0.0),
    ],
)
def test_what_a_row_spends(completion, usd):
    """A cost that is known replaces the reservation; one that is not known keeps it."""
    budget = Budget(10.0, lambda call: HighestCost(1.0))

    async def close():
        account = budget.account()
        await account.reserve(None)
        account.close(completion)

    run(close())

    assert budget.spent == usd


def test_an_answer_without_max_tokens_is_not_refused_for_what_it_could_cost():
    """The first goes alone; then twice the costliest so far is reserved, and the limit holds."""
    transport = LimitedTransport(latency=1.0)
    transport.tokens = [3000] * 50
    arguments = [f"question {n}" for n in range(50)]
    call, catalogue = call_of("question 0", max_tokens=3000)
    usd = 20 * highest_cost(call, catalogue).usd
    open_call, _ = call_of("question 0")

    found = compare(transport, arguments, usd)

    answered = [row for row in found if row.completion.status is Status.COMPLETE]
    assert highest_cost(open_call, catalogue).usd > usd
    assert 18 <= len(answered) <= 20
    assert spent(found) <= usd
    starts = transport.sent.accepted
    assert starts[1] >= starts[0] + 1.0 > starts[1] - 1.0
    assert starts[2] == starts[1]
    assert found.notes[-1].startswith("Without max_tokens, one answer may cost up to $")


def test_what_an_answer_without_max_tokens_may_cost_is_said_before():
    """The estimate names it for each model; with max_tokens there is nothing to say."""
    registry = Kit(environ={}).registry
    open_ended = estimated(registry, comparison_arguments("hi", [LUNA, "claude-haiku-5-5"]))
    limited = estimated(registry, comparison_arguments("hi", LUNA, max_tokens=9))
    unknown = estimated(registry, comparison_arguments("hi", "openai:a-model-of-tomorrow"))

    assert "Without max_tokens, one answer may cost up to $" in open_ended.note
    assert f"({LUNA})" in open_ended.note
    assert "(anthropic:claude-haiku-5-5)" in open_ended.note
    assert "Without max_tokens" not in limited.note + unknown.note


@pytest.mark.parametrize(
    "prompt", ["a" * 4000, "\u71b5" * 4000, '"\\\n' * 1000, "\U0001f600" * 1000]
)
@pytest.mark.parametrize("model", [LUNA, "claude-haiku-5-5"])
def test_the_highest_cost_has_at_least_one_token_for_each_byte(model, prompt):
    """No tokenizer makes more tokens of a text than it has bytes."""
    call, catalogue = call_of(prompt, model, max_tokens=100)
    tokens = len(prompt.encode())
    usage = Usage(tokens, 100)
    cost = prices.cost(call.provider.name, call.model, usage, on=None, catalogue=catalogue)

    assert highest_cost(call, catalogue).usd > cost.usd
