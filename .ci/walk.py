"""Runs the README's shell lines literally, in a clean clone and an empty home, as a new user does.

A new virtual environment represents the user's own Jupyter. WORKDIR/transcript.txt has input and
output. `make test` is left out, because .ci/run runs it separately.

    .ci/walk.py WORKDIR
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TextIO

APART = "make test"
TOP = Path(__file__).resolve().parents[1]
BLOCK = re.compile(r"^```sh\n(.*?)^```$", re.DOTALL | re.MULTILINE)


def main(work: Path) -> None:
    shutil.rmtree(work, ignore_errors=True)
    home, own, clone = work / "home", work / "own", work / "llmkit"
    home.mkdir(parents=True)
    subprocess.run(["git", "clone", "-q", TOP, clone], check=True)
    subprocess.run([sys.executable, "-m", "venv", own], check=True)
    environ = {**os.environ, "HOME": str(home), "PATH": f"{own / 'bin'}:{os.environ['PATH']}"}
    for name in ("VIRTUAL_ENV", "MAKEFLAGS", "MFLAGS", "MAKELEVEL", "PYTHON"):
        environ.pop(name, None)
    with (work / "transcript.txt").open("w", encoding="utf-8") as transcript:
        typed = lines((clone / "README.md").read_text("utf-8"))
        assert any(line.startswith(APART) for line in typed), f"the README does not show {APART}"
        for line in typed:
            if not line.startswith(APART):
                walk(line, clone, environ, transcript)
    print(f"all lines of the README succeeded; transcript: {work / 'transcript.txt'}")


def lines(readme: str) -> list[str]:
    """Returns every line of the README's shell blocks, in order."""
    return [line for block in BLOCK.findall(readme) for line in block.splitlines() if line.strip()]


def walk(line: str, place: Path, environ: dict[str, str], transcript: TextIO) -> None:
    """Runs one line; prints its output and adds it to the transcript."""
    say(f"$ {line}\n", transcript)
    typed = subprocess.Popen(
        ["bash", "-c", line], cwd=place, env=environ, text=True, errors="replace",
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    assert typed.stdout is not None
    for answer in typed.stdout:
        say(answer, transcript)
    if typed.wait():
        raise SystemExit(f"{line!r} failed with exit status {typed.returncode}")


def say(text: str, transcript: TextIO) -> None:
    sys.stdout.write(text)
    sys.stdout.flush()
    transcript.write(text)


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve())
