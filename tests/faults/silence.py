"""Rows in which a server is slow: silence, heartbeats, dripping, missing ends."""

from __future__ import annotations

import asyncio

from llmkit.chat.call import NO_END
from llmkit.errors import APITimeoutError, Outcome
from llmkit.types import Status
from tests.fakes import raw
from tests.fakes.misbehaviour import breaking_off, never_ending
from tests.fakes.reply import Reply, stream
from tests.patience import NEVER_S

from .world import FIVE, World, row

LIMIT_S = 1.5  # a busy machine must have passed on the bytes before the silence


@row("P02", *FIVE)
async def accepts_and_never_answers(world: World) -> None:
    """Nothing arrives: the first-byte limit passes, and no request is sent again."""
    world.says(Reply(headers_after_s=NEVER_S))
    world.billed = 1
    world.limits(first_byte_timeout_s=LIMIT_S)

    told = await world.ask(within_s=LIMIT_S)

    assert isinstance(told.error, APITimeoutError)
    assert "no answer began" in str(told.error)
    assert (told.error.outcome, len(world.posts)) == (Outcome.AMBIGUOUS, 1)


@row("P03", *FIVE)
async def headers_and_then_silence(world: World) -> None:
    """An answer begins without a body: the idle limit passes."""
    world.says(stream(world.provider, ending="silence", first_after_s=NEVER_S))
    world.limits(idle_timeout_s=LIMIT_S)

    told = await world.ask(within_s=LIMIT_S)

    assert isinstance(told.error, APITimeoutError)
    assert f"sent no data for {LIMIT_S} s" in str(told.error)
    assert (told.text, len(world.posts)) == ("", 1)


@row("P04", *FIVE)
async def some_text_and_then_silence(world: World) -> None:
    """The text is kept to the last character."""
    world.says(breaking_off(world.provider, "Hello", " w\u00f6r", ending="silence"))
    world.limits(idle_timeout_s=LIMIT_S)

    told = await world.ask(within_s=LIMIT_S)

    assert isinstance(told.error, APITimeoutError)
    assert (told.text, told.status) == ("Hello w\u00f6r", Status.TRUNCATED)
    assert len(world.posts) == 1


@row("P05", *FIVE)
async def signs_of_life_for_ever(world: World) -> None:
    """Comments, pings or blank lines are not content."""
    world.says(never_ending(world.provider, "signs of life"))
    await only_pings(world)


@row("P05", *FIVE)
async def empty_deltas_for_ever(world: World) -> None:
    """Events without text are not content either."""
    world.says(never_ending(world.provider, "empty deltas"))
    await only_pings(world)


async def only_pings(world: World) -> None:
    world.limits(idle_content_timeout_s=2 * LIMIT_S)

    told = await world.ask(within_s=2 * LIMIT_S)

    assert isinstance(told.error, APITimeoutError)
    assert "only pings" in str(told.error)
    assert (told.text, told.status) == ("A river", Status.TRUNCATED)


@row("P05", *FIVE)
async def pings_and_no_text_at_all(world: World) -> None:
    """Heartbeats before the first word do not extend the limit on content either."""
    endless = never_ending(world.provider, "signs of life")
    world.says(Reply(pieces=(), headers=endless.headers, ending="drip", drip=endless.drip))
    world.limits(idle_content_timeout_s=2 * LIMIT_S)

    told = await world.ask(within_s=2 * LIMIT_S)

    assert isinstance(told.error, APITimeoutError)
    assert told.text == ""


@row("P09", *FIVE)
async def headers_drip_for_ever(world: World) -> None:
    """Bytes of endless headers are not an answer yet."""
    world.limits(first_byte_timeout_s=LIMIT_S)
    world.billed = 1
    with raw.RawServer(raw.dripping) as server:
        world.elsewhere(server.root)
        told = await world.ask(within_s=LIMIT_S)

    assert isinstance(told.error, APITimeoutError)
    assert "no answer began" in str(told.error)
    assert server.came == 1


@row("P10", *FIVE)
async def the_connection_stays_open_after_the_end(world: World) -> None:
    """The provider's end event ends the answer; the connection's end is not waited for.

    Gemini has no such event, so its stream ends at the idle limit, with a warning.
    """
    world.says(stream(world.provider, ending="silence"))
    if world.provider == "google":
        world.limits(idle_timeout_s=LIMIT_S)

    told = await world.ask(within_s=5.0)

    assert told.status is Status.COMPLETE
    assert told.text.startswith("A river carries silt")
    assert told.came.warnings == ((NO_END,) if world.provider == "google" else ())


@row("P10", *FIVE)
async def the_deadline_bounds_a_living_stream(world: World) -> None:
    """A stream that never ends is stopped at the call's deadline; its text is kept."""
    endless = breaking_off(world.provider, "A river")
    drip = endless.pieces[-1]
    world.says(breaking_off(world.provider, "A river", ending="drip", drip=drip))

    # Long enough for the answer to begin in time, even if the loop is busy with other rows.
    told = await world.ask(within_s=10.0, timeout=10.0)

    assert isinstance(told.error, APITimeoutError)
    assert "within the call's 10 s; increase timeout= or deadline_s" in str(told.error)
    assert set(told.text.split("A river")) == {""}
    assert len(told.text) > len("A river")


@row("P02")
async def the_deadline_counts_what_was_waited_before(world: World) -> None:
    """A second attempt gets the time left after the first and the wait, not the full time."""
    world.says(Reply(503, (b"busy",), {"retry-after-ms": "20"}), Reply(headers_after_s=NEVER_S))
    world.billed = 1
    begun = asyncio.get_running_loop().time()

    # Long enough to read the first answer in time, even if the loop is busy with other rows.
    told = await world.ask(within_s=10.0, timeout=10.0)

    assert isinstance(told.error, APITimeoutError)
    assert told.came.attempts == 2
    # The sleeps before an attempt advance the clock of the call, but take no time here.
    assert asyncio.get_running_loop().time() - begun + sum(world.waits.slept) >= 9.9
