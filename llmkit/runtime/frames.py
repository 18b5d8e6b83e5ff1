"""Reads an answer at most once a frame: a fast stream then wakes its reader 30 times a second.

What costs is the wake-up and not the bytes, so between two frames the transport is paused and the
system gathers what comes. Nothing is lost by it, and a server that is too fast is slowed by TCP.
"""

from __future__ import annotations

import asyncio
from typing import Any

from .watchdog import Watchdog


class Frames:
    """Holds the reading of one answer between two frames; lives as long as that answer.

    *response* is aiohttp's. What comes before the first text is never held.
    """

    def __init__(self, frame_s: float, response: Any, watchdog: Watchdog) -> None:
        self._loop = asyncio.get_running_loop()
        self._frame_s = frame_s
        self._response = response
        self._watchdog = watchdog
        self._timer: asyncio.TimerHandle | None = None
        self._stopped = False

    def content_came(self) -> None:
        """Says that text has been read: what comes next is read when the frame is over."""
        transport = self._transport()
        if self._stopped or transport is None:
            return
        transport.pause_reading()  # also within a frame: aiohttp resumes when it is read from
        if self._timer is None:
            self._watchdog.held()
            self._timer = self._loop.call_later(self._frame_s, self._over)

    def stop(self) -> None:
        """Reads on at once and holds nothing any more: the connection has a life after this."""
        self._stopped = True
        if self._timer is not None:
            self._timer.cancel()
            self._over()

    def _over(self) -> None:
        self._timer = None
        self._watchdog.released()
        transport = self._transport()
        if transport is None:
            return
        protocol = transport.get_protocol()
        # aiohttp pauses too, where its buffer is full, and then it is the one to resume.
        if not getattr(protocol, "_reading_paused", False):
            transport.resume_reading()

    def _transport(self) -> Any:
        """The transport of the answer's connection; None where it has none any more."""
        # aiohttp gives a connection back with the body's last byte, to whoever asks next.
        connection = self._response.connection
        transport = None if connection is None else connection.transport
        return None if transport is None or transport.is_closing() else transport
