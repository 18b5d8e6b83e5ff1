"""Targets of the Makefile that depend on the machine; nothing of them is run."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

TOP = Path(__file__).parents[2]


@pytest.mark.skipif(
    shutil.which("make") is None or os.name == "nt", reason="needs make and a shell"
)
@pytest.mark.parametrize(("user", "is_allowed"), [("0", True), ("1000", False), ("10", False)])
def test_jupyterlab_starts_for_root_too(tmp_path, user, is_allowed):
    """JupyterLab refuses root without --allow-root; any other user does not get it."""
    program = tmp_path / "id"
    program.write_text(f"#!/bin/sh\necho {user}\n")
    program.chmod(0o755)
    environ = {**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}"}

    done = subprocess.run(
        ["make", "-n", "lab"], cwd=TOP, env=environ, capture_output=True, text=True, check=True
    )

    (line,) = [line for line in done.stdout.splitlines() if "-m jupyterlab notebooks" in line]
    assert ("--allow-root" in line) == is_allowed
