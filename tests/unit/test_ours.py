"""Tests recognise llmkit's own objects by their module."""

from __future__ import annotations

import asyncio
from functools import partial
from pathlib import Path

import pytest

import llmkit
from llmkit.runtime.manager import EventLoopManager, _line_outside
from tests.ours import ours, tasks

FOLDERS = [
    f"{Path(llmkit.__file__).parent}_notes/llmkit/mine.py",  # begins and goes on like llmkit's
    "/srv/asyncio course/llmkit/contextlib/mine.py",
]


def elsewhere(file, code, **names):
    """Runs *code* as a module in *file*, a user's by default, and returns its names."""
    names = {"__name__": "mine", "asyncio": asyncio, **names}
    exec(compile(code, file, "exec"), names)
    return names


@pytest.mark.parametrize("file", FOLDERS)
def test_a_task_whose_file_lies_in_a_folder_of_our_name_is_not_ours(file):
    """The word llmkit in a path does not make a task one of llmkit's."""
    stranger = elsewhere(file, "async def wait(): await asyncio.Event().wait()")["wait"]

    async def both():
        task = asyncio.create_task(stranger())
        await asyncio.sleep(0)
        assert "llmkit" in repr(task)
        found = tasks()
        task.cancel()
        return found

    assert asyncio.run(both()) == []


def test_a_task_is_ours_when_llmkit_is_anywhere_in_what_it_awaits():
    """A user's coroutine that waits for one of llmkit's counts as llmkit's."""
    manager = EventLoopManager()

    async def mine():
        await manager.interruptible(asyncio.Event().wait())

    async def seen():
        task = asyncio.create_task(mine())
        await asyncio.sleep(0)
        found = tasks("llmkit.runtime")
        task.cancel()
        return found

    assert len(asyncio.run(seen())) == 1


def test_a_task_that_reads_a_stream_of_ours_is_ours():
    """An async generator is in the chain, too, though its anext() has no frame."""
    code = "async def parts():\n    await asyncio.Event().wait()\n    yield"
    parts = elsewhere("/any/file.py", code, __name__="llmkit.stream")["parts"]

    async def read():
        async for _ in parts():
            pass

    async def seen():
        task = asyncio.create_task(read())
        await asyncio.sleep(0)
        found = tasks()
        task.cancel()
        return found

    assert len(asyncio.run(seen())) == 1


def test_a_callback_is_ours_by_its_module():
    """A bound method counts by its class, a partial by the function it calls."""
    manager = EventLoopManager()

    assert ours(partial(manager.status))
    assert not ours(partial(print))


@pytest.mark.parametrize("file", FOLDERS)
def test_the_line_that_opened_a_session_is_found_in_any_folder(file):
    """A user's file counts as theirs even if its path contains the skipped names."""
    names = elsewhere(file, "\n\nplace = find()", find=_line_outside)

    assert names["place"] == f"{file}:3"


@pytest.mark.parametrize("file", FOLDERS)
def test_the_frames_of_an_event_loop_are_passed_over(file):
    """Between a user's line and a session that a task opens are only llmkit and the loop."""
    places = []
    inside = elsewhere(
        "/any/file.py", "def keep(): places.append(find())",
        __name__="llmkit.opening", places=places, find=_line_outside,
    )  # fmt: skip
    elsewhere(
        file,
        "loop = asyncio.new_event_loop()\nloop.call_soon(keep)\nloop.call_soon(loop.stop)\n"
        "loop.run_forever()\nloop.close()",
        keep=inside["keep"],
    )

    assert places == [f"{file}:4"]
