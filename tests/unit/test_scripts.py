"""The pure functions of the panels' scripts, run by node's own test runner."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from llmkit.notebook import assets

SCRIPTS = Path(__file__).parents[1] / "scripts"
STATIC = Path(assets.__file__).with_name("static")


def node():
    """Returns the path of node; without node these tests are skipped with a reason."""
    found = shutil.which("node")
    if found is None:
        pytest.skip("no node here: install it to run the tests of the panels' scripts")
    return found


def test_the_pure_functions_do_what_their_tests_say():
    """Every test in tests/scripts passes under `node --test`."""
    done = subprocess.run(
        [node(), "--test", *map(str, sorted(SCRIPTS.glob("*.test.mjs")))],
        capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("name", sorted(p.name for p in STATIC.glob("*.js")))
def test_a_bundle_is_one_module_that_imports_nothing(name, tmp_path):
    """The script that the browser gets is a valid module without imports."""
    bundle = tmp_path / "bundle.mjs"
    bundle.write_text(assets.script(name))
    done = subprocess.run([node(), "--check", bundle], capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stderr
    assert [line for line in bundle.read_text().splitlines() if line.startswith("import ")] == []
