"""Answers that are read once a frame are the same answers, however they come and end."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from dataclasses import replace

import pytest

from llmkit.client import Exchange
from llmkit.errors import APIConnectionError, APITimeoutError, Outcome, StreamInterruptedError
from llmkit.runtime.carrier import Limits
from llmkit.types import Status
from tests.fakes.reply import Reply, cut_stream, stream
from tests.loopback.test_providers import PATIENT, QUICK, ROADS, ask, call, carrying
from tests.patience import SOON_S

FRAME_S = 0.02
FRAMED = replace(PATIENT, frame_s=FRAME_S)


def untimed(answer):
    return replace(answer, started_at=None, time_to_first_chunk_s=None, duration_s=None)


def deltas_of(fakes, provider, limits):
    async def read():
        async with carrying(fakes, provider) as carrier:
            exchange = Exchange(call(fakes, provider, limits=limits), carrier)
            async with aclosing(exchange.deltas()) as deltas:
                return [delta async for delta in deltas]

    return asyncio.run(read())


@pytest.mark.parametrize("provider", ROADS, ids=repr)
@pytest.mark.parametrize("gap_s", [0.0, 0.003, 0.03], ids=["burst", "fast", "slow"])
def test_frames_change_nothing_of_an_answer(fakes, provider, gap_s):
    """Text, status, usage, warnings and all the rest, whatever the pace at which it comes."""
    fakes.answer(provider, stream(provider, gap_s=gap_s), stream(provider, gap_s=gap_s))

    at_once, framed = ask(fakes, provider), ask(fakes, provider, limits=FRAMED)

    assert untimed(framed) == untimed(at_once)


@pytest.mark.parametrize("provider", ROADS, ids=repr)
def test_bytes_one_by_one_are_the_same_in_frames(fakes, provider):
    """Frames cut an answer where they want: within events, lines and characters."""
    whole = stream(provider)
    single = tuple(bytes([byte]) for byte in b"".join(whole.pieces))
    reply = Reply(pieces=single, headers=whole.headers)
    fakes.answer(provider, reply, reply)

    at_once, framed = ask(fakes, provider), ask(fakes, provider, limits=FRAMED)

    assert untimed(framed) == untimed(at_once)


@pytest.mark.parametrize("provider", ROADS, ids=repr)
@pytest.mark.parametrize("ending", ["close", "cut", "reset"])
def test_a_stream_that_is_cut_between_two_frames_is_truncated(fakes, provider, ending):
    """The end is found when the frame is over; the text that came before it is kept."""
    fakes.answer(provider, cut_stream(provider, ending))

    with pytest.raises((StreamInterruptedError, APIConnectionError)) as raised:
        ask(fakes, provider, limits=FRAMED)

    answer = raised.value.completion
    assert (answer.text, answer.status) == ("A river", Status.TRUNCATED)
    assert len(fakes.asked[provider]) == 1


@pytest.mark.parametrize("provider", ROADS, ids=repr)
def test_silence_ends_at_the_idle_limit_with_frames_too(fakes, provider):
    """A server that says nothing more is given up, and sees us go."""
    fakes.answer(provider, cut_stream(provider, "silence"))

    with pytest.raises(APITimeoutError, match=f"sent nothing for {QUICK.idle_s:g} s") as raised:
        ask(fakes, provider, limits=replace(QUICK, frame_s=FRAME_S))

    (asked,) = fakes.asked[provider]
    assert (raised.value.completion.text, raised.value.outcome) == ("A river", Outcome.STREAMED)
    assert asked.ended.wait(SOON_S)
    assert asked.left


@pytest.mark.parametrize("provider", [p for p in ROADS if p != "ollama"], ids=repr)
def test_heartbeats_are_no_content_with_frames_too(fakes, provider):
    """Comments for ever end at the limit on content."""
    fakes.answer(provider, cut_stream(provider, "drip"))

    with pytest.raises(APITimeoutError, match="nothing but pings") as raised:
        ask(fakes, provider, limits=replace(QUICK, frame_s=FRAME_S))

    assert raised.value.completion.text == "A river"


@pytest.mark.parametrize("provider", ["anthropic", "ollama", "openai"])
def test_a_frame_is_not_the_servers_silence(fakes, provider):
    """A frame that is longer than the limits on silence has none of them pass."""
    fakes.answer(provider, stream(provider, gap_s=0.03))
    limits = Limits(idle_s=0.6, idle_content_s=0.6, frame_s=1.0)

    assert ask(fakes, provider, limits=limits).status is Status.COMPLETE


@pytest.mark.parametrize("provider", ROADS, ids=repr)
def test_the_deadline_passes_within_a_frame(fakes, provider):
    """The time for the whole call is over when it is over, whoever does not read."""
    fakes.answer(provider, stream(provider, gap_s=0.6))

    with pytest.raises(APITimeoutError, match="had not finished"):
        ask(fakes, provider, limits=Limits(deadline_s=1.0, frame_s=5.0))

    assert fakes.asked[provider][0].ended.wait(SOON_S)


@pytest.mark.parametrize("provider", ROADS, ids=repr)
def test_an_answer_in_frames_gives_its_connection_back(fakes, provider):
    """The next request finds the connection open and reading, whether it ended in a frame."""
    ask(fakes, provider, times=3, limits=replace(PATIENT, frame_s=0.2))

    assert len({asked.connection for asked in fakes.asked[provider]}) == 1


def test_a_frame_is_one_delta(fakes):
    """What comes within a frame is read in one piece, after a first one that waited for nothing."""
    event = b'data: {"choices":[{"index":0,"delta":{"content":"a "}}]}\n\n'
    last = b'data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n'
    pieces = (*[event] * 40, last)
    headers = {"content-type": "text/event-stream"}
    fakes.answer("openai", Reply(pieces=pieces, headers=headers, gap_s=0.003))

    deltas = deltas_of(fakes, "openai", replace(PATIENT, frame_s=0.5))

    assert "".join(delta.text for delta in deltas) == "a " * 40
    assert len(deltas) < 10


@pytest.mark.parametrize("provider", ROADS, ids=repr)
def test_leaving_within_a_frame_ends_the_request(fakes, provider):
    """Who stops reading while the frame lasts leaves nothing open behind."""
    fakes.answer(provider, cut_stream(provider, "silence"))

    async def leave():
        async with carrying(fakes, provider) as carrier:
            limits = Limits(frame_s=30.0)
            exchange = Exchange(call(fakes, provider, limits=limits), carrier)
            async with aclosing(exchange.deltas()) as deltas:
                async for _ in deltas:
                    break

    asyncio.run(leave())

    (asked,) = fakes.asked[provider]
    assert asked.ended.wait(SOON_S)
    assert asked.left
