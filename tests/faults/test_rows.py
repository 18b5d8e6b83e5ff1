"""Tests every row of docs/faults.md that the misbehaving fake server can play, in every dialect."""

from __future__ import annotations

import pytest

from . import endings, reaching, refusals, shapes, silence, waiting
from .world import CASES

PLAYED = (endings, refusals, reaching, shapes, silence, waiting)


@pytest.mark.parametrize(
    "case", [pytest.param(case, id=case.name, marks=pytest.mark.fault(case.row)) for case in CASES]
)
def test_a_fault_is_survived(case, outcomes):
    """The row ended as the table says, and met the demands on every row."""
    outcomes.require(case)


@pytest.mark.fault
def test_nothing_was_left_lying_about(outcomes):
    """Neither stderr nor any log has a complaint about a session, a task or an error."""
    complaints = ("Unclosed", "never retrieved", "destroyed but it is pending", "Task exception")

    assert [word for word in complaints if word in outcomes.said] == []
