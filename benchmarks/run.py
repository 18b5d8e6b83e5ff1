"""Measures llmkit, and prints one table: what, goal, measured, verdict.

Each subject is a file in benchmarks/subjects with a function `figures()` and runs in a process of
its own, so that none warms or burdens another. On a shared machine only CPU time, and only a
ratio within one round, can be compared. `--strict` fails where a goal is missed; names choose
subjects.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from dataclasses import asdict
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules

from . import subjects
from .measure import Figure, table

ROOT = Path(__file__).parents[1]
SUBJECTS = sorted(found.name for found in iter_modules(subjects.__path__))


def measured(subject: str) -> list[Figure]:
    """The figures of one subject, from a child process."""
    print(f"measuring {subject} ...", file=sys.stderr, flush=True)
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.run", "--here", subject],
        cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True,
    )  # fmt: skip
    return [Figure(**figure) for figure in json.loads(done.stdout.splitlines()[-1])]


def here(subject: str) -> None:
    """Measures in this process and prints the figures as one line of JSON."""
    found = import_module(f"{subjects.__name__}.{subject}").figures()
    print(json.dumps([asdict(figure) for figure in found]))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("subject", nargs="*", help=", ".join(SUBJECTS))
    parser.add_argument("--strict", action="store_true", help="fail where a goal is missed")
    parser.add_argument("--here", metavar="SUBJECT", help="only this one, in this process")
    asked = parser.parse_args()
    if asked.here:
        here(asked.here)
        return 0
    figures = [figure for subject in asked.subject or SUBJECTS for figure in measured(subject)]
    print(table(figures))
    return int(asked.strict and any(figure.missed for figure in figures))


if __name__ == "__main__":
    sys.exit(main())
