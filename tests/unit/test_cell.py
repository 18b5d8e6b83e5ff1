"""Interrupts are deferred during imports, and two in quick succession count as one."""

from __future__ import annotations

import importlib
import math
import signal
import sys
import threading
import time

import pytest

from llmkit.cell import SAME_PRESS_S, InterruptGuard

PRESSED = "import signal\nsignal.raise_signal(signal.SIGINT)\nis_whole = True\n"


@pytest.fixture(autouse=True)
def _pythons_own_handler():
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture
def pressed_module(tmp_path, monkeypatch):
    """The name of a module that is interrupted while it is imported."""
    (tmp_path / "pressed_in_the_middle.py").write_text(PRESSED)
    monkeypatch.syspath_prepend(tmp_path)
    yield "pressed_in_the_middle"
    sys.modules.pop("pressed_in_the_middle", None)


def press():
    """Interrupts this thread."""
    signal.raise_signal(signal.SIGINT)


def press_again():
    """Interrupts this thread a second time within the limit, however slow the machine is."""
    assert InterruptGuard.last_press_at != -math.inf
    InterruptGuard.last_press_at = time.monotonic()
    press()


def pause():
    """Makes the last interrupt an old one."""
    InterruptGuard.last_press_at = -math.inf


def test_an_interrupt_waits_for_the_end_of_an_import(pressed_module):
    """The import completes; the interrupt raises at the end of the guard, and is not lost."""
    with pytest.raises(KeyboardInterrupt), InterruptGuard():
        module = importlib.import_module(pressed_module)

    assert module.is_whole


def test_a_guard_within_another_leaves_the_interrupt_to_it(pressed_module):
    """The import of an inner function is over for the outer one, too."""
    steps = []

    @InterruptGuard()
    def inner():
        importlib.import_module(pressed_module)

    @InterruptGuard()
    def outer():
        inner()
        steps.append("inner")

    with pytest.raises(KeyboardInterrupt):
        outer()

    assert steps == ["inner"]


def test_an_import_that_contains_the_call_delays_nothing(tmp_path, monkeypatch):
    """A user's module may call ask() at its top level, and is interrupted there."""
    text = (
        "import signal\nfrom llmkit.cell import InterruptGuard\nsteps = []\n"
        "try:\n    with InterruptGuard():\n        signal.raise_signal(signal.SIGINT)\n"
        "        steps.append('went on')\nexcept KeyboardInterrupt:\n    pass\n"
    )
    (tmp_path / "asks_at_its_top_level.py").write_text(text)
    monkeypatch.syspath_prepend(tmp_path)

    assert importlib.import_module("asks_at_its_top_level").steps == []


def test_the_second_signal_of_a_double_press_raises_nothing():
    """Raising after the call would interrupt unrelated code."""
    with pytest.raises(KeyboardInterrupt), InterruptGuard():
        press()

    press_again()


def test_a_later_interrupt_raises_as_ever():
    """Code that continues after an interrupt can be interrupted again."""

    def go_on():
        end = time.monotonic() + SAME_PRESS_S
        while True:
            if time.monotonic() > end:
                press()

    with pytest.raises(KeyboardInterrupt), InterruptGuard():
        press()

    with pytest.raises(KeyboardInterrupt):
        go_on()


def test_the_next_call_puts_the_handler_back():
    """The handler for a double press does not stay installed."""
    with pytest.raises(KeyboardInterrupt), InterruptGuard():
        press()
    pause()
    with InterruptGuard():
        pass

    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_an_interrupt_in_another_cell_is_another_one():
    """A kernel installs Python's own handler for each cell."""
    with pytest.raises(KeyboardInterrupt), InterruptGuard():
        press()
    signal.signal(signal.SIGINT, signal.default_int_handler)

    with pytest.raises(KeyboardInterrupt), InterruptGuard():
        press()


@pytest.mark.parametrize("action", [signal.SIG_IGN, lambda number, frame: None])
def test_a_users_own_handler_stays(action):
    """An ignored signal stays ignored, too."""
    signal.signal(signal.SIGINT, action)
    with InterruptGuard():
        installed = signal.getsignal(signal.SIGINT)

    assert installed is action


def test_a_thread_has_no_interrupts():
    """Only the main thread may install a handler."""
    failures = []

    def work():
        try:
            with InterruptGuard():
                pass
        except ValueError as error:
            failures.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()

    assert failures == []
