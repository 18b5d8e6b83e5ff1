"""Runs the scenario tests with a naive event-loop manager; passes if every test fails.

A test that passes with it proves nothing about llmkit's manager.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

TOP = Path(__file__).resolve().parents[1]
REPORT = TOP / "build" / "negative-control.xml"


def main() -> int:
    REPORT.parent.mkdir(exist_ok=True)
    subprocess.run(
        [
            sys.executable, "-m", "pytest", "-q", "-m", "scenario", "-p", "no:cacheprovider",
            "--tb=no", "-r", "N", f"--junitxml={REPORT}", "tests/kernel", "tests/loopback",
            *sys.argv[1:],
        ],
        cwd=TOP, check=False,
        # A shorter patience than on a loaded machine, because most waits fail.
        env={**os.environ, "NEGATIVE_CONTROL": "1", "KERNEL_PATIENCE_S": "10"},
    )  # fmt: skip
    cases = list(ElementTree.parse(REPORT).getroot().iter("testcase"))
    green = [case.get("name") for case in cases if case.find("failure") is None
             and case.find("error") is None]  # fmt: skip
    print(f"{len(cases) - len(green)} of {len(cases)} scenarios fail with a naive manager")
    for name in green:
        print(f"  passes: {name}")
    return int(bool(green) or not cases)


if __name__ == "__main__":
    sys.exit(main())
