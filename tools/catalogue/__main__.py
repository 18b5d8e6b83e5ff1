"""Runs the commands of the Makefile: build, report, release-check."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path

from llmkit.providers.builtin import shipped

TOP = Path(__file__).parents[2]
DOWNLOADS = TOP / "build" / "catalogue"


def main(word: str) -> int:
    """Runs the command *word*; returns 1 if a release would name models that end soon."""
    today = datetime.now(UTC).date()
    if word == "build":
        from .build import main as build

        build(DOWNLOADS)
    elif word == "report":
        from .report import report

        print(report(shipped(), today))
    elif word == "release-check":
        from .release import pages, short_lived

        found = short_lived(shipped(), pages(TOP), today)
        print("\n".join(found) or f"no model of README, notebooks and classes ends soon ({today})")
        return int(bool(found))
    else:
        raise SystemExit(f"unknown command {word!r}; use build, report or release-check")
    return 0


if __name__ == "__main__":
    sys.exit(main(" ".join(sys.argv[1:])))
