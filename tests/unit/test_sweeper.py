"""The times at which the sessions of a loop are checked."""

from __future__ import annotations

import asyncio

from llmkit.runtime.closer import SessionCloser
from llmkit.runtime.session_registry import SessionRegistry
from llmkit.runtime.sweeper import SessionSweeper


class Handle:
    """The context manager of a temporary session."""


def test_handles_that_are_dropped_together_cause_one_look():
    """A check covers all sessions, so a check for each would be quadratic."""
    registry, looks = SessionRegistry(), []

    def expire():
        looks.append(len(registry.expired(idle_s=300.0, max_age_s=1800.0)))

    async def drop(sweeper, count):
        loop, handles = asyncio.get_running_loop(), [Handle() for _ in range(count)]
        for handle in handles:
            session = registry.add(Handle(), provider="x", kind="temporary", loop=loop)
            sweeper.follow(session, handle)
        handles.clear()
        del handle
        while not registry.is_empty:
            await asyncio.sleep(0)

    async def main():
        sweeper = SessionSweeper(registry, SessionCloser(registry), expire, every_s=3600.0)
        await drop(sweeper, 1000)
        await drop(sweeper, 1)  # further checks for the thousand would come before this one's

    asyncio.run(main())

    assert looks == [1000, 1]
    assert {row.status for row in registry.rows()} == {"leaked"}
