"""`python -m tools.catalogue build`: the words that the Makefile uses."""

from __future__ import annotations

import sys
from pathlib import Path

from . import build

DOWNLOADS = Path("build/catalogue")

if __name__ == "__main__":
    match sys.argv[1:]:
        case ["build"]:
            build.main(DOWNLOADS)
        case words:
            sys.exit(f"unknown: {' '.join(words) or 'nothing'}; say build")
