"""The table of faults matches the tests, and every proof that it names exists."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.faults.test_rows import CASES

TOP = Path(__file__).parents[2]
RUNG = "tests/faults"
TABLE = re.findall(r"^\| (P\d\d) \|.*\| ([^|]+) \|$", (TOP / "docs/faults.md").read_text(), re.M)
PROOFS = {row: re.findall(r"`([^`]+)`", proof) for row, proof in TABLE}
LATER = {"P51", "P57"}  # a journal's, which does not exist yet
FIRST, LAST = 1, 60
UNUSED: set[str] = set()


def test_every_row_is_there_once():
    """No number is missing, and none occurs twice."""
    numbers = {f"P{number:02}" for number in range(FIRST, LAST + 1)}

    assert sorted(row for row, _ in TABLE) == sorted(numbers - LATER - UNUSED)


def test_the_rows_are_the_cases():
    """The faults that the table assigns to the misbehaving server are those that it plays."""
    played = {row for row, proofs in PROOFS.items() if RUNG in proofs}

    assert played == {case.row for case in CASES}


@pytest.mark.parametrize("row", PROOFS)
def test_every_proof_is_a_test(row):
    """Each row has a proof, and a test that it names exists."""
    named = [proof for proof in PROOFS[row] if proof != RUNG]
    written = "\n".join(path.read_text() for path in TOP.glob("tests/*/test_*.py"))

    assert PROOFS[row]
    assert [name for name in named if f"\ndef {name}(" not in written] == []


def test_no_case_is_played_twice():
    """Each row, provider and manner is one case, so that its name tells which one failed."""
    names = [case.name for case in CASES]

    assert len(names) == len(set(names))
