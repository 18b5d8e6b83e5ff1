"""Tests requests that arrive while the kernel sends other replies."""

from __future__ import annotations

import time

import pytest

from .conftest import load

pytestmark = pytest.mark.kernel

PAIRS = 400
LONGEST_S = 0.004  # about the time of an empty cell


def test_a_request_that_comes_while_a_reply_goes_out_is_answered(fresh):
    """The gap between two requests varies, so that some arrive during the first one's reply."""
    kernel = load(fresh())
    answered = 0
    for number in range(PAIRS):
        first = kernel.send("1", silent=True)
        gap_ends = time.perf_counter() + LONGEST_S * number / PAIRS
        while time.perf_counter() < gap_ends:  # a sleep is too coarse
            pass
        second = kernel.send("1", silent=True)
        answered += kernel.reply(first)["status"] == kernel.reply(second)["status"] == "ok"

    assert answered == PAIRS
