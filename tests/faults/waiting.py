"""Rows in which a server asks the caller to wait; waits are recorded, not slept."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

from llmkit.errors import RateLimitError
from llmkit.retries.rate_limit import RateLimiters
from llmkit.types import Status
from tests.fakes.reply import Reply, refusal

from .world import FIVE, World, row


def busy(provider: str, status: int = 429, **headers: str) -> Reply:
    """Returns a refusal with the provider's message and these headers."""
    name = str(status) if status != 429 or provider != "ollama" else "503"
    said = refusal(provider, name) if (provider, name) != ("mistral", "503") else Reply(503)
    kept = {"content-type": "application/json"}
    dashed = {field.replace("_", "-"): value for field, value in headers.items()}
    return Reply(status, said.pieces, kept | dashed)


async def waited(world: World, *replies: Reply) -> list[float]:
    """Returns the waits before the answer."""
    world.says(*replies)

    told = await world.ask()

    assert told.status is Status.COMPLETE
    assert told.came.attempts == 1 + len(replies)
    return [seconds for seconds in world.waits.slept if seconds >= 0.05]


@row("P21", *FIVE)
async def a_limit_that_names_its_seconds(world: World) -> None:
    """Retry-After: 2."""
    (seconds, *_) = await waited(world, busy(world.provider, retry_after="2"))

    assert 2.0 <= seconds <= 2.6


@row("P22", *FIVE)
async def a_limit_that_names_its_milliseconds(world: World) -> None:
    """retry-after-ms: 250."""
    (seconds, *_) = await waited(world, busy(world.provider, retry_after_ms="250"))

    assert 0.25 <= seconds <= 0.5


@row("P23", *FIVE)
async def a_busy_server_that_names_a_date(world: World) -> None:
    """An HTTP date two seconds ahead."""
    now = datetime.now(UTC) + timedelta(hours=1)  # by the server's clock, which is wrong
    ahead = format_datetime(now + timedelta(seconds=2), usegmt=True)
    reply = busy(world.provider, 503, date=format_datetime(now, usegmt=True), retry_after=ahead)
    (seconds, *_) = await waited(world, reply)

    assert 2.0 <= seconds <= 2.3


@row("P24", *FIVE)
async def a_wish_that_is_none(world: World) -> None:
    """Garbage, negative, not a number, empty, missing: ordinary waits, without hammering."""
    for said in ("soon", "-1", "nan", "", "0"):
        world.waits.slept.clear()
        (seconds, *_) = await waited(world, busy(world.provider, 503, retry_after=said))

        assert 0.05 <= seconds <= 1.0


@row("P25", *FIVE)
async def milliseconds_beside_seconds(world: World) -> None:
    """The more exact header wins."""
    reply = busy(world.provider, retry_after_ms="250", retry_after="7")
    (seconds, *_) = await waited(world, reply)

    assert 0.25 <= seconds <= 0.5


@row("P25", "google")
async def a_wish_inside_the_body(world: World) -> None:
    """Gemini gives the wait in its error."""
    body = b'{"error":{"code":429,"message":"slow","details":[{"retryDelay":"1.5s"}]}}'
    (seconds, *_) = await waited(world, Reply(429, (body,)))

    assert 1.5 <= seconds <= 1.75


@row("P21", *FIVE)
async def a_wish_longer_than_anybody_waits(world: World) -> None:
    """An hour is not waited for: the rate limit is raised at once, with the time to retry."""
    world.says(busy(world.provider, retry_after="3600"))

    told = await world.ask()

    assert told.error is not None
    assert told.error.retry_after == 3600.0
    assert (len(world.posts), world.waits.slept) == (1, [])
    world.kit.configure(base_urls={})
    await world.waits.sleep(61.0)


@row("P21")
async def one_limit_stops_everybody(world: World) -> None:
    """While one call waits for the reset, the others are not sent either."""
    world.says(busy(world.provider, retry_after="30"))
    await world.ask(retries=0)

    told = await world.ask(timeout=5.0)

    assert isinstance(told.error, RateLimitError)
    assert told.error.retry_after is not None
    assert 0.0 < told.error.retry_after <= 30.0
    assert (told.came.attempts, len(world.posts)) == (0, 1)
    assert "nothing was sent" in str(told.error)


@row("P28", *(name for name in FIVE if name != "ollama"), alone=True)
async def fifty_calls_and_ten_a_second(world: World) -> None:
    """All are answered, and few are refused."""
    world.kit._limiters = RateLimiters()  # this one uses real time
    world.room.limit(world.provider, 10)

    told = await asyncio.gather(*(world.ask(within_s=60.0) for _ in range(50)))

    assert {one.status for one in told} == {Status.COMPLETE}
    # Refused are those that were under way at the first refusal, more of them on a slow machine.
    assert len(world.posts) <= 65
    world.room.limit(world.provider, 1000)
