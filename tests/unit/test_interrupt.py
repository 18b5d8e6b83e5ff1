"""An interrupt of a waiting thread cancels what it waits for."""

from __future__ import annotations

import asyncio
import importlib
import math

import pytest

from llmkit.cell import InterruptGuard
from llmkit.runtime.interrupt import run_guarded

from .test_cell import PRESSED, _pythons_own_handler, press, press_again, pressed_module  # noqa: F401


@pytest.fixture
def loop():
    """Runs a new event loop."""
    loop = asyncio.new_event_loop()
    yield loop
    loop.close()


def test_an_interrupt_that_an_import_has_delayed_cancels_the_call(loop, pressed_module):  # noqa: F811
    """It arrives before the request is sent, and nothing is sent."""
    steps = []

    async def send():
        steps.append("sent")

    @InterruptGuard()
    def call():
        importlib.import_module(pressed_module)
        run_guarded(loop, send(), grace=1)

    with pytest.raises(KeyboardInterrupt):
        call()

    assert steps == []


def test_an_impatient_interrupt_strikes_no_import(loop, pressed_module):  # noqa: F811
    """A second one that a blocked loop has not handled raises elsewhere, not there."""
    modules = []

    async def load():
        press()
        InterruptGuard.last_press_at = -math.inf
        modules.append(importlib.import_module(pressed_module))
        await asyncio.sleep(600)

    with pytest.raises(KeyboardInterrupt):
        run_guarded(loop, load(), grace=1)

    assert [module.is_whole for module in modules] == [True]


def test_a_double_press_does_not_cut_the_grace_short(loop):
    """The cleanup of a cancelled task, such as closing its connection, is waited for."""
    steps = []

    async def send():
        press()
        try:
            await asyncio.sleep(600)
        finally:
            press_again()
            await asyncio.sleep(0)
            steps.append("closed")

    with pytest.raises(KeyboardInterrupt):
        run_guarded(loop, send(), grace=600)
    press_again()  # raises nothing

    assert steps == ["closed"]
