"""Shipped files contain no key and no output (S11)."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from llmkit.secret import looks_like_key

ROOT = Path(__file__).parents[2]
NOTEBOOKS = sorted((ROOT / "notebooks").rglob("*.ipynb"))
TOOLS = Path(sys.executable).parent


def files_of_binder():
    return sorted(p for p in (ROOT / "binder").rglob("*") if p.is_file())


def test_there_are_notebooks():
    """The search must have files to search."""
    assert NOTEBOOKS
    assert files_of_binder()


def test_the_notebooks_are_stripped():
    """They have neither outputs nor counts nor widget state."""
    done = subprocess.run(
        [TOOLS / "nbstripout", "--verify", "--keep-id", *NOTEBOOKS], capture_output=True, text=True
    )

    assert done.returncode == 0, done.stdout
    for path in NOTEBOOKS:
        assert "widgets" not in json.loads(path.read_text())["metadata"], path


def test_no_scanner_finds_a_secret(tmp_path):
    """detect-secrets finds nothing in notebooks, Binder's recipe and documentation pages."""
    places = [*NOTEBOOKS, *files_of_binder(), *ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]
    done = subprocess.run(
        [TOOLS / "detect-secrets", "scan", "--no-verify", *map(str, places)],
        capture_output=True, text=True, check=True, cwd=tmp_path,
    )  # fmt: skip

    assert json.loads(done.stdout)["results"] == {}


@pytest.mark.parametrize("path", [*NOTEBOOKS, *files_of_binder()], ids=lambda p: p.name)
def test_nothing_in_it_looks_like_a_key(path):
    """No word in it has the form of a provider's key."""
    words = re.findall(r"[\w+/=.-]{16,}", path.read_text())

    assert [word for word in words if looks_like_key(word)] == []


def test_binder_opens_no_door():
    """No key, token or password, and no origin except its own."""
    text = "\n".join(path.read_text() for path in files_of_binder())

    assert not re.search(r"(?i)allow_origin|disable_check_xsrf|\*\s*['\"]?$", text, re.MULTILINE)
    assert not re.search(r"(?i)(api_key|token|password)\s*=", text)
