"""The table of faults promises what the tests prove, and every proof that it names is there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.faults.test_rows import CASES

TOP = Path(__file__).parents[2]
RUNG = "tests/faults"
TABLE = re.findall(r"^\| (P\d\d) \|.*\| ([^|]+) \|$", (TOP / "docs/faults.md").read_text(), re.M)
PROOFS = {row: re.findall(r"`([^`]+)`", proof) for row, proof in TABLE}
LATER = {"P51", "P57"}  # a journal's, which is not there yet
FIRST, LAST = 1, 60
UNUSED = {"P56"}


def test_every_row_is_there_once():
    """No number is left out, and none stands twice."""
    numbers = {f"P{number:02}" for number in range(FIRST, LAST + 1)}

    assert sorted(row for row, _ in TABLE) == sorted(numbers - LATER - UNUSED)


def test_the_rows_are_the_cases():
    """What the table says is played by the misbehaving server is just what is played."""
    played = {row for row, proofs in PROOFS.items() if RUNG in proofs}

    assert played == {case.row for case in CASES}


@pytest.mark.parametrize("row", PROOFS)
def test_every_proof_is_a_test(row):
    """A row has a proof, and a test that it names by its name exists."""
    named = [proof for proof in PROOFS[row] if proof != RUNG]
    written = "\n".join(path.read_text() for path in TOP.glob("tests/*/test_*.py"))

    assert PROOFS[row]
    assert [name for name in named if f"\ndef {name}(" not in written] == []


def test_no_case_is_played_twice():
    """Each row, provider and manner has one case, so that a name tells which one failed."""
    names = [case.name for case in CASES]

    assert len(names) == len(set(names))
