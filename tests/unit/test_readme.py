"""The README's examples run, and its claims match the files that they are about."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

TOP = Path(__file__).parents[2]
README = (TOP / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```python\n(.*?)```", README, re.DOTALL)


@pytest.mark.model
def test_the_tour_runs_as_it_stands(tmp_path):
    """Every line of the tour runs in one program, with no key at all."""
    (tour,) = [block for block in BLOCKS if "import llmkit" in block]

    done = subprocess.run(
        [sys.executable, "-W", "error::ResourceWarning", "-c", tour],
        capture_output=True, text=True, cwd=tmp_path, timeout=120, check=False,
    )  # fmt: skip

    assert done.returncode == 0, done.stderr
    assert "claude-haiku" in done.stdout
    assert "Unclosed" not in done.stderr
    assert (tmp_path / "run.json").exists()


def test_both_commands_are_there():
    """The two commands that do everything are shown, and exist in the Makefile."""
    makefile = (TOP / "Makefile").read_text(encoding="utf-8")

    for command in ("demo", "test"):
        assert f"make {command}" in README
        assert f"\n{command}:" in makefile


def test_continuous_integration_walks_through_the_readme():
    """The tests and the README's other shell lines run in one clean clone each."""
    runs = (TOP / ".ci" / "run").read_text(encoding="utf-8")
    targets = [line.split()[2:] for line in runs.splitlines() if line.startswith("timed make")]

    assert [t for line in targets for t in line if t != "-j2"] == [
        "lint",
        "walk",
        "test",
        "matrix",
    ]


def test_every_file_that_the_readme_names_is_there():
    """All links of the README have a target."""
    links = [link for link in re.findall(r"\]\(([^)#]+)\)", README) if "://" not in link]

    assert [link for link in links if not (TOP / link).exists()] == []
