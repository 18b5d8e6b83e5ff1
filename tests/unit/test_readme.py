"""The README's examples run, and its claims match the files that they are about."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from llmkit.providers.builtin import PROVIDERS

TOP = Path(__file__).parents[2]
README = (TOP / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
CELLS = re.findall(r"```ipython\n(.*?)```", README, re.DOTALL)


@pytest.mark.model
def test_the_tour_runs_as_it_stands(tmp_path):
    """Every line of the tour runs in one program, with no key at all."""
    (tour,) = [block for block in BLOCKS if "import llmkit" in block]

    done = subprocess.run(
        [sys.executable, "-W", "error::ResourceWarning", "-c", tour],
        capture_output=True, text=True, cwd=tmp_path, timeout=120, check=False,
        # On a slow machine the bar would be on stderr.
        env={**os.environ, "LLMKIT_PROGRESS_AFTER_S": "3600"},
    )  # fmt: skip

    said = done.stderr.replace("loading smollm2 ...\n", "")  # also only on a slow machine
    assert (done.returncode, said) == (0, "")
    assert "claude-haiku" in done.stdout
    assert (tmp_path / "run.json").exists()


@pytest.mark.kernel
@pytest.mark.model
def test_the_first_cells_need_no_key_and_show_no_error(tmp_path):
    """Each of the README's cells succeeds, and so does each answer in them."""
    from tests.kernel.driver import Kernel  # jupyter_client: only if kernels are tested

    check = 'print(run.frame()[["asked", "error_type"]].fillna("none").values.tolist())'

    with Kernel(env={"IPYTHONDIR": str(tmp_path)}) as kernel:
        results = kernel.run(*CELLS, check)

    assert [result.error for result in results] == [""] * (len(CELLS) + 1)
    assert results[-1].out.strip() == "[['local:smollm2', 'none'], ['scripted:openai', 'none']]"
    assert "[scripted openai]" in results[1].words["text/plain"]


def test_the_readme_is_short():
    """It fits into 120 lines; everything else is in docs/."""
    assert len(README.splitlines()) <= 120


def test_the_providers_and_their_keys_are_those_of_the_package():
    """The table names each variable of a provider that needs a key, in the order of lookup."""
    rows = re.findall(r"^\| (\w+) \| (`\w+_API_KEY`(?:, `\w+`)*) \|", README, re.MULTILINE)
    table = {label: tuple(re.findall(r"\w+", variables)) for label, variables in rows}

    assert table == {
        provider.label: provider.key_vars
        for provider in PROVIDERS.values()
        if provider.key_vars and provider.needs_key
    }


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
