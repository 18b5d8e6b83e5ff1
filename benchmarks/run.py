"""Measures llmkit, and prints one table: what, goal, measured, verdict.

Each subject is a file in benchmarks/subjects with a function `figures()`. It runs in a separate
process, so that no subject affects another. On a shared machine only CPU time, and only a ratio
within one round, can be compared. Arguments select subjects. A missed goal is a failure with
`--strict`; a subject that cannot be measured always is. Figures are saved in build/bench as JSON.
"""

from __future__ import annotations

import argparse
import json
import platform
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules

from . import subjects
from .measure import Figure, table

ROOT = Path(__file__).parents[1]
KEPT = ROOT / "build" / "bench"
SUBJECTS = sorted(found.name for found in iter_modules(subjects.__path__))


def measured(subject: str) -> list[Figure]:
    """Returns the figures of a subject from a child process; reports a failure, returning none."""
    print(f"measuring {subject} ...", file=sys.stderr, flush=True)
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.run", "--here", subject],
        cwd=ROOT, stdout=subprocess.PIPE, text=True, check=False,
    )  # fmt: skip
    if done.returncode:  # continue with the other subjects
        print(f"{subject} could not be measured", file=sys.stderr, flush=True)
        return []
    return [Figure(**figure) for figure in json.loads(done.stdout.splitlines()[-1])]


def keep(found: Mapping[str, Sequence[Figure]], took: Mapping[str, float]) -> None:
    """Saves all figures of a run, with the versions they depend on."""
    now = datetime.now(UTC)
    KEPT.mkdir(parents=True, exist_ok=True)
    about = {"at": now.isoformat(timespec="seconds"), "python": platform.python_version()}
    figures = {subject: [asdict(figure) for figure in told] for subject, told in found.items()}
    text = json.dumps({**about, "seconds": took, "figures": figures}, indent=1, ensure_ascii=False)
    (KEPT / f"{now:%Y%m%dT%H%M%S}.json").write_text(text, encoding="utf-8")


def here(subject: str) -> None:
    """Measures in this process and prints the figures as one line of JSON."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        # A shell ignores SIGINT in its background jobs, whose cost is measured here.
        signal.signal(signal.SIGINT, signal.default_int_handler)
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
    found, took = {}, {}
    for subject in asked.subject or SUBJECTS:
        began = time.monotonic()
        found[subject] = measured(subject)
        took[subject] = round(time.monotonic() - began, 1)
    keep(found, took)
    figures = [figure for told in found.values() for figure in told]
    print(table(figures))
    failed = not all(found.values())
    return int(failed or (asked.strict and any(figure.missed for figure in figures)))


if __name__ == "__main__":
    sys.exit(main())
