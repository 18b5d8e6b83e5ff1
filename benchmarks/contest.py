"""Starts the simulator and the contestants, and runs them in turn."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from .contestants import CONTESTANTS

ROOT = Path(__file__).parents[1]


class Contestant:
    """A contestant in a separate process."""

    def __init__(self, name: str, process: subprocess.Popen[str]) -> None:
        self.name = name
        self._process = process

    def does(self, **command: int) -> dict[str, float]:
        """Runs *command* and returns its costs, see `contestants.obey`."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(command) + "\n")
        self._process.stdin.flush()
        found: dict[str, float] = json.loads(self._process.stdout.readline())
        return found


@contextmanager
def simulator() -> Iterator[str]:
    """Starts a simulator; yields its root URL."""
    with subprocess.Popen(
        [sys.executable, "-m", "benchmarks.simulator"], cwd=ROOT,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    ) as server:  # fmt: skip
        assert server.stdout is not None
        assert server.stdin is not None
        try:
            yield f"http://127.0.0.1:{server.stdout.readline().strip()}"
        finally:
            server.stdin.close()


@contextmanager
def contestants(url: str, names: Sequence[str], **variables: str) -> Iterator[list[Contestant]]:
    """Starts and warms up the installed contestants among *names*, at that base URL.

    *variables* are set in their environment.
    """
    with ExitStack() as stack:
        yield [
            Contestant(name, stack.enter_context(_child(name, python, url, variables)))
            for name in names
            if (python := python_with(name)) is not None
        ]


@contextmanager
def _child(
    name: str, python: str, url: str, variables: Mapping[str, str]
) -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen(
        [python, "-m", "benchmarks.contestants", name, url], cwd=ROOT,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
        env={**os.environ, **variables},
    ) as process:  # fmt: skip
        assert process.stdout is not None
        assert process.stdin is not None
        process.stdout.readline()  # wait until it is ready
        try:
            yield process
        finally:
            process.stdin.close()


def python_with(name: str) -> str | None:
    """Returns the interpreter with the contestant's packages: its own environment, or this one."""
    own = ROOT / ".venv" / f"peer-{name}" / "bin" / "python"
    for python in (str(own), sys.executable):
        package = CONTESTANTS[name][1]
        code = f"import importlib.util as u; raise SystemExit(not u.find_spec({package!r}))"
        try:
            if subprocess.run([python, "-c", code], cwd=ROOT, check=False).returncode == 0:
                return python
        except OSError:
            continue
    return None
