"""Shipped files contain no key, not even in the outputs of notebooks (S11)."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from base64 import b64decode
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


def readable(path, folder):
    """Copies a file to *folder* without the pixels of pictures, which are noise for a scanner."""
    copy = folder / path.relative_to(ROOT)
    copy.parent.mkdir(parents=True, exist_ok=True)
    copy.write_text(re.sub(r'("image/png": ")[^"]*"', r'\1"', path.read_text("utf-8")), "utf-8")
    return copy


def test_pictures_carry_no_text_but_their_maker():
    """The only text inside a stored picture is the name of the library that drew it."""
    found = re.findall(r'"image/png": "([^"]*)"', "".join(p.read_text("utf-8") for p in NOTEBOOKS))
    chunks = [re.findall(rb"(tEXt|iTXt|zTXt|eXIf)(\w*)", b64decode(one)) for one in found]

    assert {chunk for one in chunks for chunk in one} <= {(b"tEXt", b"Software")}


def test_no_scanner_finds_a_secret(tmp_path):
    """detect-secrets finds nothing in notebooks, their outputs, Binder's recipe and the pages."""
    places = [*NOTEBOOKS, *files_of_binder(), *ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]
    copies = [readable(place, tmp_path) for place in places]
    done = subprocess.run(
        [TOOLS / "detect-secrets", "scan", "--no-verify", *map(str, copies)],
        capture_output=True, text=True, check=True, cwd=tmp_path,
    )  # fmt: skip
    results = json.loads(done.stdout)["results"]
    lines = {file: (tmp_path / file).read_text("utf-8").splitlines() for file in results}
    # The hash of a notebook's code cells is the only long number that is there on purpose.
    found = [(file, one["type"]) for file, all_found in results.items() for one in all_found
             if '"code_sha256"' not in lines[file][one["line_number"] - 1]]  # fmt: skip

    assert found == []


@pytest.mark.parametrize("path", [*NOTEBOOKS, *files_of_binder()], ids=lambda p: p.name)
def test_nothing_in_it_looks_like_a_key(path, tmp_path):
    """No word in it, outputs included, has the form of a provider's key."""
    words = re.findall(r"[\w+/=.-]{16,}", readable(path, tmp_path).read_text("utf-8"))

    assert [word for word in words if looks_like_key(word)] == []


def test_binder_opens_no_door():
    """No key, token or password, and no origin except its own."""
    text = "\n".join(path.read_text() for path in files_of_binder())

    assert not re.search(r"(?i)allow_origin|disable_check_xsrf|\*\s*['\"]?$", text, re.MULTILINE)
    assert not re.search(r"(?i)(api_key|token|password)\s*=", text)
