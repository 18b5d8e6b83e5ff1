"""Plays all selected rows concurrently on one loop, and records how each ended."""

from __future__ import annotations

import asyncio
import gc
import io
import logging
import sys
from collections.abc import Iterable
from contextlib import redirect_stderr

import pytest

# The rows check by plain asserts, in files that pytest does not rewrite by itself.
for _name in ("world", "endings", "reaching", "refusals", "shapes", "silence", "waiting"):
    if f"{__package__}.{_name}" not in sys.modules:
        pytest.register_assert_rewrite(f"{__package__}.{_name}")

from tests.fakes.server import FakeProviders  # noqa: E402  # after the rewriting is asked for

from .world import CURRENT, TALK, Case, Listener, World  # noqa: E402

AT_ONCE = 16
DIRTY = ("Unclosed", "never retrieved", "was destroyed but it is pending", "ResourceWarning")


class Outcomes:
    """Records how each of *count* cases ended."""

    def __init__(self, count: int) -> None:
        self.failures: dict[Case, BaseException | None] = {}
        self.said = ""
        self._ended, self._every = 0, 8 if count >= 8 else 1

    def collect(self) -> None:
        """Collects garbage after every eighth row: after each, it took a third of the time.

        A complaint fails the row that has just ended, which need not be the one that caused it.
        """
        self._ended += 1
        if self._ended % self._every == 0:
            gc.collect()

    def require(self, case: Case) -> None:
        """Passes if *case* passed."""
        failure = self.failures[case]
        if failure is not None:
            raise failure


@pytest.fixture(scope="session")
def outcomes(request):
    """Returns the outcomes of all selected cases."""
    cases = [item.callspec.params["case"] for item in request.session.items if _is_row(item)]
    ended, listener, stderr = Outcomes(len(cases)), Listener(), io.StringIO()
    log = logging.getLogger()
    level = log.level
    log.addHandler(listener)
    log.setLevel(logging.DEBUG)
    gc.freeze()  # objects made before need no search after each row
    try:
        with FakeProviders() as server, redirect_stderr(stderr):
            asyncio.run(_play(cases, server, ended))
            gc.collect()
    finally:
        gc.unfreeze()
        log.removeHandler(listener)
        log.setLevel(level)
    ended.said = stderr.getvalue() + "\n".join(TALK)
    return ended


def _is_row(item) -> bool:
    return "outcomes" in getattr(item, "fixturenames", ()) and hasattr(item, "callspec")


async def _play(cases: Iterable[Case], server: FakeProviders, ended: Outcomes) -> None:
    tasks = _tagged_tasks(asyncio.get_running_loop())
    together = [case for case in cases if not case.alone]
    places = asyncio.Semaphore(AT_ONCE)

    async def play(case: Case) -> None:
        async with places:
            ended.failures[case] = await _one(case, server, tasks, ended)

    await asyncio.gather(*map(play, together))
    for case in cases:
        if case.alone:
            await play(case)


async def _one(case: Case, server: FakeProviders, tasks, ended: Outcomes) -> BaseException | None:
    world = World(case.name, case.provider, server)
    try:
        async with asyncio.timeout(300):
            # The context of a task identifies its child tasks.
            await asyncio.create_task(_row(case, world))
            await asyncio.sleep(0)
        left = [t for t in tasks.get(case.name, ()) if not t.done()]
        assert left == []
        ended.collect()
        dirty = [line for line in TALK if any(word in line for word in DIRTY)]
        assert dirty == []
    except (Exception, asyncio.CancelledError) as failure:  # kept for the case's own test
        return failure
    finally:
        await world.close()
    return None


async def _row(case: Case, world: World) -> None:
    CURRENT.set(case.name)
    await case.play(world)
    await world.check()


def _tagged_tasks(loop):
    """Records every new task with the row that made it."""
    tasks: dict[str, list[asyncio.Task]] = {}

    def make(loop, coroutine, **more):
        task = asyncio.Task(coroutine, loop=loop, **more)
        tasks.setdefault(CURRENT.get(), []).append(task)
        return task

    loop.set_task_factory(make)
    return tasks
