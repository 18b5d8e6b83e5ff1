"""A progress bar for a long comparison."""

from __future__ import annotations

import asyncio

from llmkit.comparison.watchers import Progress
from llmkit.types import TextDelta
from tests.unit.rows import plain


def stop():
    """A run that is never stopped."""


def test_a_quick_run_shows_no_bar(capsys):
    """A run that ends before the delay shows nothing."""

    async def quick():
        progress = Progress(after_s=60.0)
        progress.begun([], stop)
        progress.grew(0, TextDelta("x"))
        progress.finished(plain())
        progress.ended()

    asyncio.run(quick())

    assert capsys.readouterr().err == ""


def test_a_long_run_counts_its_rows(capsys):
    """After the delay the bar shows how many of the rows are final."""

    async def long():
        progress = Progress(after_s=0.0)
        progress.begun([None, None], stop)  # type: ignore[list-item]  # only their number matters
        progress.finished(plain())
        await asyncio.sleep(0.01)
        progress.finished(plain(1))
        progress.ended()

    asyncio.run(long())

    assert "1/2" in capsys.readouterr().err


def test_a_pause_is_named_beside_the_bar(capsys):
    """What is waited for appears, also if it began before the bar, and disappears."""

    async def long():
        progress = Progress(after_s=0.0)
        progress.begun([None, None], stop)  # type: ignore[list-item]  # only their number matters
        progress.paused("openai asks for 90 s, until 14:07")
        await asyncio.sleep(0.01)
        before = capsys.readouterr().err
        progress.paused("")
        after = capsys.readouterr().err
        progress.ended()
        return before, after

    before, after = asyncio.run(long())

    assert "openai asks for 90 s, until 14:07" in before
    assert "0/2" in after
    assert "openai" not in after
