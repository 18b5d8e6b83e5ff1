"""When the reading of an answer is held, and when it goes on."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace

import pytest

from llmkit.runtime.carrier import Limits
from llmkit.runtime.frames import Frames
from llmkit.runtime.watchdog import Watchdog


class Transport:
    """Notes whether it reads."""

    def __init__(self, *, full=False):
        self.reads = True
        self.closing = False
        self._protocol = SimpleNamespace(_reading_paused=full)

    def pause_reading(self):
        self.reads = False

    def resume_reading(self):
        self.reads = True

    def is_closing(self):
        return self.closing

    def get_protocol(self):
        return self._protocol


def framed(transport, frame_s):
    response = SimpleNamespace(connection=SimpleNamespace(transport=transport))
    watchdog = Watchdog(Limits(), None, lambda error: None)
    return Frames(frame_s, response, watchdog), response


def test_what_comes_first_is_not_held():
    """Reading is held from the first text on, until the frame is over."""

    async def seen():
        transport = Transport()
        frames, _ = framed(transport, 0.01)
        before = transport.reads
        frames.content_came()
        within = transport.reads
        while not transport.reads:
            await asyncio.sleep(0.005)
        return before, within

    assert asyncio.run(seen()) == (True, False)


def test_a_frame_that_somebody_broke_is_held_again():
    """Text that comes within a frame holds the reading for the rest of it."""

    async def seen():
        transport = Transport()
        frames, _ = framed(transport, 60.0)
        frames.content_came()
        transport.resume_reading()
        frames.content_came()
        held = not transport.reads
        frames.stop()
        return held, transport.reads

    assert asyncio.run(seen()) == (True, True)


def test_after_the_end_nothing_is_held():
    """The rest of an answer that is there comes at once."""

    async def seen():
        transport = Transport()
        frames, _ = framed(transport, 60.0)
        frames.stop()
        frames.content_came()
        return transport.reads

    assert asyncio.run(seen())


@pytest.mark.parametrize("gone", ["given back", "closing"])
def test_a_connection_that_is_not_ours_any_more_is_left_alone(gone):
    """With the last byte it may serve somebody else."""

    async def seen():
        transport = Transport()
        frames, response = framed(transport, 60.0)
        if gone == "given back":
            response.connection = None
        else:
            transport.closing = True
        frames.content_came()
        return transport.reads

    assert asyncio.run(seen())


def test_a_full_buffer_stays_closed():
    """Where aiohttp has paused the reading too, it is the one to go on."""

    async def seen():
        transport = Transport(full=True)
        frames, _ = framed(transport, 60.0)
        frames.content_came()
        frames.stop()
        return transport.reads

    assert asyncio.run(seen()) is False
